"""raw -> marts: the cut, the cycle, its lease and its steps."""
