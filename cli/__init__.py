"""The command line, one file a noun. Each command builds what it needs here and hands it in."""
