"""A table that is carried: what the pipeline file says of it, shared by every room."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

_NAME = re.compile(r"^[a-z_][a-z0-9_]*$")


class Table(BaseModel):
    """A source table and its raw table. Any MySQL table with a primary key will do."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str = Field(description="database.table at the source", examples=["kuaisong.ecs_order_info"])
    key: list[str] = Field(min_length=1, description="columns of the primary key, in its order")
    event_time: str | None = Field(None, description="column that holds the event time in epoch seconds")
    raw: str = Field("", description="raw table in the warehouse; default: <table>_raw")

    @field_validator("source")
    @classmethod
    def _two_parts(cls, value: str) -> str:
        if len(value.split(".")) != 2 or not all(value.split(".")):
            raise ValueError("must be database.table")
        return value

    @model_validator(mode="before")
    @classmethod
    def _default_raw(cls, data: object) -> object:
        if isinstance(data, dict) and not data.get("raw") and isinstance(data.get("source"), str):
            return {**data, "raw": f"{str(data['source']).rpartition('.')[2].lower()}_raw"}
        return data

    @field_validator("raw")
    @classmethod
    def _plain_name(cls, value: str) -> str:
        if not _NAME.match(value) or len(value) > 50:
            raise ValueError("must be lower case letters, digits and _, at most 50 characters")
        return value

    @property
    def database(self) -> str:
        return self.source.split(".")[0]

    @property
    def name(self) -> str:
        """The table's name without its database."""
        return self.source.split(".")[1]

    def topic(self, prefix: str) -> str:
        """The Kafka topic that Debezium writes it to."""
        return f"{prefix}.{self.source}"
