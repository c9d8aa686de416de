"""The PowerShell module PkiTools, which ships in the package, and putting it where PowerShell finds it."""
