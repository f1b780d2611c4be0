"""A standing column is made wider, never narrower."""

from __future__ import annotations

from typing import Any

import pytest

from warehouse.evolution import wider


def present(kind: str, length: int | None = None, precision: int = 0, scale: int = 0) -> dict[str, Any]:
    return {
        "data_type": kind, "character_maximum_length": length, "numeric_precision": precision, "numeric_scale": scale,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("column", "wanted", "found"),
    [
        (present("integer"), "bigint", "bigint"),
        (present("bigint"), "integer", ""),
        (present("bigint"), "decimal(20,0)", "decimal(20,0)"),
        (present("character varying", 40), "varchar(80)", "varchar(80)"),
        (present("character varying", 40), "varchar(40)", ""),
        (present("character varying", 40), "text", "text"),
        (present("text"), "varchar(80)", ""),
        (present("numeric", precision=8, scale=2), "decimal(10,3)", "decimal(10,3)"),
        (present("numeric", precision=12, scale=3), "decimal(9,1)", ""),
        (present("numeric", precision=8, scale=4), "decimal(8,2)", "decimal(10,4)"),
        (present("real"), "double precision", "double precision"),
        (present("date"), "date", ""),
    ],
)
def test_the_type_that_holds_both(column: dict[str, Any], wanted: str, found: str) -> None:
    assert wider(column, wanted) == found
