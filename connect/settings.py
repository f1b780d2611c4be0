"""How the connector is named and where it writes: declared here, read from `pipeline.yml`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Source(BaseModel):
    """The one MySQL server that is read, and the connector that reads it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    connector: str = Field("waybill", description="name of the connector", pattern=r"^[A-Za-z0-9._-]+$")
    topic_prefix: str = Field("waybill", description="first part of every topic", pattern=r"^[A-Za-z0-9_-]+$")
    server_id: int = Field(5400, ge=1, le=4294967295, description="MySQL server id of the connector, its own")
    partitions: int = Field(3, ge=1, le=1000, description="partitions of a data topic")
    heartbeat: str = Field("waybill.heartbeat", description="table the heartbeat writes, database.table")
    signal: str = Field("waybill.signal", description="table of Debezium's signals, database.table")

    @property
    def transaction_topic(self) -> str:
        return f"{self.topic_prefix}.transaction"

    @property
    def schema_change_topic(self) -> str:
        return self.topic_prefix

    @property
    def notification_topic(self) -> str:
        return f"{self.topic_prefix}.notification"
