"""Is the marker table carried to a mart? Where it is not, what to put into the pipeline file and what to type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from committer.settings import Mart
from waybill.errors import SettingsError
from waybill.tables import Table

NAME = "freshness"
"""Of the table, in the pipeline's database at the source."""

_DEFAULT_DATABASE = "waybill"


@dataclass(frozen=True)
class Carried:
    """The marker table's names: at the source `database.table`, in raw, and its mart."""

    source: str
    raw: str
    mart: str


def entry(database: str, batch_seconds: float, order: int) -> str:
    """The lines that carry the marker table, to be put under `tables:`; YAML, with the indent of a list in it."""
    return f"""\
  - source: {database}.{NAME}
    key: [id]
    event_time: written_at
    batch: {{rows: 1000, bytes: 1MiB, seconds: {batch_seconds:g}}}
    memory: 16MiB
    mart:
      name: mart_{NAME}
      order: {order}
"""


def carried(database: str, tables: Sequence[tuple[Table, Mart | None]], batch_seconds: float) -> Carried:
    """The marker table as the pipeline file has it. `batch_seconds`: the slowest batch of a table with a mart.

    Raises `SettingsError` when it is not there or has no mart; the text holds the entry that is wanted.
    """
    source = f"{database}.{NAME}"
    for table, mart in tables:
        if table.source == source and mart is not None and table.key == ["id"]:
            return Carried(source, table.raw, mart.name)
    order = max((mart.order for _, mart in tables if mart is not None), default=0) + 1
    where = "" if database == _DEFAULT_DATABASE else f" --pipeline-database {database}"
    raise SettingsError(
        f"the pipeline file carries no {source} to a mart, so there is nothing to measure by",
        kept="nothing was written",
        todo=f"put this under `tables:` in the pipeline file:\n\n{entry(database, batch_seconds, order)}\n"
        f"  then type:\n"
        f"    waybill seed{where}        makes {source} where it is missing (or run source/schema/{NAME}.sql by hand)\n"
        f"    waybill schema apply\n"
        f"    waybill connect apply\n"
        f"  and start `waybill run` anew: consumers and committer read the file when they start",
    )
