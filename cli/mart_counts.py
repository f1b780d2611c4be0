"""The counts of a cycle by mart, for a person: what did not happen to any mart is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from cli.context import print_table

# Shown always, in this order; then the others that are not zero.
_ALWAYS = ("rows_in", "keys", "applied")
_THEN = (
    "replaced", "deleted", "older", "archived", "trimmed", "returned", "corrected", "removed", "gaps", "future",
    "invalid",
)  # fmt: skip
# Columns beside each other, so that a table of long names and numbers fits 120 characters.
_ABREAST = 8
# Said of each mart on a line of its own, or no news.
_APART = ("mart", "marked", "looked_at")


def columns(marts: Sequence[Mapping[str, Any]]) -> list[str]:
    """The counts worth a column, those of a later version too, so that the table stays narrow."""
    names = dict.fromkeys([*_THEN, *(name for mart in marts for name in mart)])
    return [*_ALWAYS, *(n for n in names if n not in (*_ALWAYS, *_APART) and any(mart.get(n) for mart in marts))]


def print_counts(title: str, marts: Sequence[Mapping[str, Any]]) -> None:
    """`marts` are `committer.summary.MartCounts` as plain data, also as an older version stored them."""
    shown = columns(marts)
    for first in range(0, len(shown), _ABREAST):
        part = shown[first : first + _ABREAST]
        print_table(
            "" if first else title, ["mart", *(name.replace("_", " ") for name in part)],
            [[mart["mart"], *(mart.get(name, 0) for name in part)] for mart in marts],
        )  # fmt: skip
    for mart in marts:
        if mart.get("marked"):
            click.echo(f"{mart['mart']}: a marked cycle, {mart['looked_at']:,} rows looked at: {mart['marked']}")


def short(marts: Sequence[Mapping[str, Any]]) -> str:
    """What happened besides applying, in one line: `archived 12, gaps 1`; a marked cycle is said first."""
    sums = {name: sum(int(mart.get(name, 0)) for mart in marts) for name in _THEN}
    words = ["marked"] if any(mart.get("marked") for mart in marts) else []
    skip = ("replaced", "deleted", "older")
    return ", ".join([*words, *(f"{name} {n:,}" for name, n in sums.items() if n and name not in skip)])
