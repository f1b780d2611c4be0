"""How consumers batch and store: declared here, read from `pipeline.yml`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ByteSize, ConfigDict, Field


class Batching(BaseModel):
    """When a micro-batch closes: at whichever limit it reaches first. Per table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: int = Field(20_000, ge=1, le=1_000_000, description="rows of one micro-batch")
    bytes: ByteSize = Field(ByteSize(64 * 2**20), ge=1024, description="bytes of Kafka messages of one micro-batch")
    seconds: float = Field(5, gt=0, le=3600, description="age of its oldest message, seconds")


class Storage(BaseModel):
    """Where and how the Parquet objects are written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prefix: str = Field("", description="isolation prefix of every object in the bucket")
    partitioning: str = Field("%Y-%m-%d/%H", description="strftime pattern of the folder, UTC")
    compression: Literal["snappy", "zstd"] = "snappy"


class Consume(BaseModel):
    """The consumer group, what runs beside each other, and when bad messages stop a table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: str = Field("", description="consumer group; default: <source.topic_prefix>.consume")
    dead_letters_in_a_row: int = Field(
        100, ge=0, le=1_000_000, description="bad messages in a row of one partition; one more stops the table"
    )
    dead_letters_percent: float = Field(
        5, ge=0, le=100, description="bad messages in percent of a table's window; more stops the table"
    )
    dead_letters_window: int = Field(
        10_000, ge=100, le=10_000_000, description="the window: so many last messages of a table, all partitions"
    )
    unknown_schema_seconds: float = Field(
        600, ge=0, le=604_800, description="a schema id the registry does not know stops its table after, seconds"
    )
    retry_stopped_seconds: float = Field(
        30, gt=0, le=86400, description="a stopped table is tried again this often, seconds"
    )

    parallel_stores: int = Field(
        2, ge=1, le=64, description="micro-batches decoded, written and put at a time, over all tables"
    )
    parallel_loads: int = Field(
        4, ge=1, le=64, description="tables that load at a time, each on a warehouse session of its own"
    )

    def group_of(self, prefix: str) -> str:
        """The group's name for a topic prefix."""
        return self.group or f"{prefix}.consume"

    def dead_letter_topic(self, prefix: str) -> str:
        """Where bad messages go."""
        return f"{prefix}.dead-letters"
