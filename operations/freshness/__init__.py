"""How old what readers see is: marker rows written at the source, looked for in Kafka, the bucket, raw and mart."""
