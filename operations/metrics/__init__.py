"""Metrics of a running process: what is told, measured cheaply, served on a port of its own, found by a file."""
