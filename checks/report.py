"""A proof as words for a person and as plain data for a machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.compare import DIFFERS, EXTRA, MISSING, TWICE, Difference
from checks.reconcile import Proof, TableResult

_WIDTH = 60
_ROWS = {
    MISSING: "stands in MySQL, not in the mart",
    EXTRA: "stands in the mart, not in MySQL",
    TWICE: "stands twice in the mart",
}


def lines(difference: Difference) -> str:
    """One line: table, key, what differs, both values with spaces and NULL told apart."""
    key = ", ".join(f"{name}={text}" for name, text in difference.key.items())
    if difference.kind != DIFFERS:
        return f"{difference.table} [{key}]: {_ROWS[difference.kind]}"
    mysql, mart = _around(difference.mysql, difference.mart)
    return f"{difference.table} [{key}] {difference.column}: MySQL {mysql}, mart {mart}"


def _around(left: str | None, right: str | None) -> tuple[str, str]:
    """Both values; of long ones the part around the first difference."""
    start = 0
    if left is not None and right is not None and max(len(left), len(right)) > 2 * _WIDTH:
        same = next(
            (i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right))
        )
        start = max(0, same - _WIDTH // 2)
    return _shown(left, start), _shown(right, start)


def _shown(text: str | None, start: int) -> str:
    if text is None:
        return "NULL"
    part = text[start : start + 2 * _WIDTH]
    whole = len(part) == len(text)
    escaped = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in part)
    return f"'{escaped}'" if whole else f"'...{escaped}...' ({len(text):,} characters, from {start:,})"


def summary(proof: Proof) -> Iterator[list[Any]]:
    """Rows of a table: MySQL's table, rows, the mart's rows, checksums, verdict."""
    for t in proof.tables:
        yield [t.source, t.mysql_rows, t.mart_rows, t.mysql_checksum, t.mart_checksum, verdict(t), f"{t.seconds:.1f} s"]


def verdict(table: TableResult) -> str:
    """In a word or two."""
    if table.equal:
        return "equal"
    parts = [f"{count:,} {kind}" for kind, count in sorted(table.by_kind.items())]
    parts += [f"no column {name}" for name in table.absent]
    parts += ["out of the cut"] if table.out else []
    return ", ".join(parts) or "counts differ"


def plain(proof: Proof) -> dict[str, Any]:
    """Everything, for --json."""
    return {
        "equal": proof.equal,
        "cycle": proof.cut.cycle,
        "cut_at": proof.cut.at,
        "gtid_set": str(proof.cut.gtid_set),
        "consistent": proof.cut.consistent,
        "tables_out": list(proof.cut.tables_out),
        "mysql": proof.where,
        "mysql_gtid_set": str(proof.mysql),
        "note": proof.note,
        "differences": proof.differences,
        "tables": [_plain_table(t) for t in proof.tables],
    }


def _plain_table(table: TableResult) -> dict[str, Any]:
    return {
        "table": table.source,
        "mart": table.mart,
        "equal": table.equal,
        "rows": {"mysql": table.mysql_rows, "mart": table.mart_rows},
        "checksum": {"mysql": table.mysql_checksum, "mart": table.mart_checksum},
        "columns": table.columns,
        "columns_absent": list(table.absent),
        "out": table.out,
        "buckets": table.buckets,
        "buckets_different": table.unlike_buckets,
        "by_kind": table.by_kind,
        "respelled": table.respelled,
        "seconds": round(table.seconds, 3),
        "shown": [
            {"kind": d.kind, "key": d.key}
            | ({"column": d.column, "mysql": d.mysql, "mart": d.mart} if d.kind == DIFFERS else {})
            for d in table.shown
        ],
    }
