"""The schema registry, through Confluent's client (any registry that speaks its protocol)."""

from __future__ import annotations

from typing import Any

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from consumers.writer_schema import WrongSchemaError
from waybill.errors import UnknownSchema, UnreachableError

CCOMPAT = "/apis/ccompat/v7"
_NOT_FOUND = 404


class Registry:
    """Schemas by id. An id's text never changes, so each is asked for once."""

    def __init__(self, url: str, timeout: float = 10) -> None:
        self._url = url
        settings: dict[str, Any] = {"url": url.rstrip("/") + CCOMPAT, "timeout": timeout, "max.retries": 0}
        self._client = SchemaRegistryClient(settings)
        self._texts: dict[int, str] = {}

    def text(self, schema_id: int) -> str:
        if schema_id not in self._texts:
            self._texts[schema_id] = self._ask(schema_id)
        return self._texts[schema_id]

    def _ask(self, schema_id: int) -> str:
        try:
            found = self._client.get_schema(schema_id)
        except SchemaRegistryError as error:
            raise self._unknown(schema_id, error) from error
        except Exception as error:  # the client lets its HTTP library's many errors through
            raise UnreachableError(
                f"the schema registry at {self._url} does not answer: {error}",
                kept="the messages stay in Kafka, none is skipped",
            ) from error
        if found.schema_type != "AVRO":
            raise WrongSchemaError(f"schema {schema_id} is not Avro but {found.schema_type}")
        if not found.schema_str:
            raise UnreachableError(f"the schema registry at {self._url} gives schema {schema_id} without its text")
        return str(found.schema_str)

    def _unknown(self, schema_id: int, error: SchemaRegistryError) -> UnreachableError:
        if error.http_status_code == _NOT_FOUND:
            return UnknownSchema(
                f"the schema registry at {self._url} does not know schema {schema_id}: was it emptied?",
                schema_id,
                kept="the messages stay in Kafka, none is skipped; the consumer keeps asking",
                todo="restore the registry's data; where there is no copy of it: docs/offsets.md, last section",
            )
        return UnreachableError(
            f"the schema registry at {self._url} does not give schema {schema_id}: {error.error_message}",
            kept="the messages stay in Kafka, none is skipped",
            todo="look at the registry (waybill stack logs registry); the consumer keeps asking",
        )
