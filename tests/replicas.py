"""A second mysqld that follows the stack's and stops at an exact binlog position, for one pipeline's tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from stack import replica as replicas
from tests.pipeline_on_stack import PipelineOnStack


@dataclass(frozen=True)
class Second:
    """The replica as a test uses it."""

    made: replicas.Replica

    def until(self, gtid_set: str) -> None:
        """Bring it exactly there."""
        self.made.until(gtid_set, within=90)

    def words(self) -> list[str]:
        """What `waybill reconcile` takes to compare with it; it has the source's user and password."""
        at: dict[str, Any] = self.made.address()
        return ["--mysql-host", str(at["host"]), "--mysql-port", str(at["port"])]


@contextmanager
def replica(pipeline: PipelineOnStack) -> Iterator[Second]:
    """A fresh one, removed in the end. It passes over other pipelines' databases, their GTIDs count as applied."""
    primary = pipeline.servers.addresses.plain()["mysql"]
    with replicas.native_replica(primary, name=f"replica-{pipeline.name}", server_id=_server_id(pipeline)) as made:
        pipeline.servers.mysql(
            f"CHANGE REPLICATION FILTER REPLICATE_WILD_DO_TABLE = ('{pipeline.orders}.%', '{pipeline.beats}.%')",
            at=made.address(),
        )
        yield Second(made)


def _server_id(pipeline: PipelineOnStack) -> int:
    """Apart from the stack's and the connectors'."""
    return 2_000_000_000 + int(pipeline.name[1:], 16) % 1_000_000_000
