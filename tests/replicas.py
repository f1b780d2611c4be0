"""A second mysqld that follows the stack's and stops at an exact binlog position, for one pipeline's tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from stack import choose
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
def replica(pipeline: PipelineOnStack, way: str) -> Iterator[Second]:
    """A fresh one, removed in the end. It passes over other pipelines' databases, their GTIDs count as applied."""
    name, server_id = f"replica-{pipeline.name}", 2_000_000_000 + int(pipeline.name[1:], 16) % 1_000_000_000
    if way == choose.COMPOSE:
        from stack.containers.replica import compose_replica

        making: Any = compose_replica(name=name, server_id=server_id)
    else:
        making = replicas.native_replica(pipeline.servers.addresses.plain()["mysql"], name=name, server_id=server_id)
    with making as made:
        pipeline.servers.mysql(
            f"CHANGE REPLICATION FILTER REPLICATE_WILD_DO_TABLE = ('{pipeline.orders}.%', '{pipeline.beats}.%')",
            at=made.address(),
        )
        yield Second(made)
