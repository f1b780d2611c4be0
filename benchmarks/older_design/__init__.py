"""The older pipeline's cycle, as issue 5 describes it, on the marts of `make bench-cycle`: to be compared with."""
