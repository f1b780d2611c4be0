"""Is every part reachable, allowed and configured as needed? One file a service; each check is one line."""
