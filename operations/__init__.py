"""Is it well: status, doctor, and everything long-lived in one process group."""
