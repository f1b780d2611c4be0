"""Prometheus and Grafana of the local stack: their files, what the panels ask, and a picture of the answers."""
