"""Is it right: the marts against MySQL at one binlog position."""
