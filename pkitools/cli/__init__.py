"""The command line: the app, the list of commands, and the one place that prints."""
