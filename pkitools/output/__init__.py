"""Models to text: pure functions and one class per format. Nothing here prints."""
