"""Avro decoded to Arrow natively: `program` says what to do with a datum, `decode.c` does it, `library` calls it."""
