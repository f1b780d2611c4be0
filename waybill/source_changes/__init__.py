"""What a statement at the source means for a table's columns: read, compared, remembered. Pure; knows no service."""
