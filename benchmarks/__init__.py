"""Measurements on the running stack. Nothing of the product imports this; figures go to build/bench/ as JSON."""
