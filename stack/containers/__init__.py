"""The container way: Docker Compose on `docker-compose.yml`, for one checkout."""
