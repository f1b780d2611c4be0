"""The source's own column types, read from the parameters that the connector propagates into Avro schemas.

Debezium documentation, "column.propagate.source.type": `__debezium.source.column.type`, `.length`, `.scale`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from waybill.types import SourceColumn

_PREFIX = "__debezium.source.column."


def value_schema(field_type: Any) -> tuple[Any, bool]:
    """(the type without its null, nullable) of an Avro field's type."""
    if not isinstance(field_type, list):
        return field_type, False
    others = [branch for branch in field_type if branch != "null"]
    return (others[0] if len(others) == 1 else others), len(others) < len(field_type)


def connect_name(field: Mapping[str, Any]) -> str:
    """Kafka Connect's name of the field's meaning, e.g. `io.debezium.time.Timestamp`; '' when it has none."""
    inner, _ = value_schema(field["type"])
    return str(inner.get("connect.name", "")) if isinstance(inner, Mapping) else ""


def source_column(field: Mapping[str, Any]) -> SourceColumn:
    """The MySQL column behind one field of a row. Raises ValueError when the schema does not say its type."""
    inner, nullable = value_schema(field["type"])
    parameters = inner.get("connect.parameters", {}) if isinstance(inner, Mapping) else {}
    kind = parameters.get(f"{_PREFIX}type")
    if not kind:
        raise ValueError(f"the schema does not say the source type of column {field['name']!r}")
    length, scale = parameters.get(f"{_PREFIX}length"), parameters.get(f"{_PREFIX}scale")
    return SourceColumn(
        name=str(parameters.get(f"{_PREFIX}name") or field["name"]),
        type=str(kind).upper(),
        length=None if length is None else int(length),
        scale=None if scale is None else int(scale),
        nullable=nullable,
        comment=str(parameters.get(f"{_PREFIX}comment", "")),
    )
