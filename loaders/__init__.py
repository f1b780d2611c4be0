"""S3 -> raw: read back, COPY, ledger and positions in one transaction. Knows no Kafka consumer."""
