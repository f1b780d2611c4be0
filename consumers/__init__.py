"""Kafka -> Parquet on S3: poll, decode, batch, write, put. Knows no table by name and no warehouse."""
