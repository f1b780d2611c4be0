"""One form for a value of the binlog and the same value in the warehouse."""

from __future__ import annotations

import pytest

from tests.chaos.forms import Column, from_binlog, from_warehouse

SAME = [
    ("BIGINT", "-42", "-42"),
    ("BIGINT UNSIGNED", "-8070141041664276837 (10376603032045274779)", "10376603032045274779"),
    ("INT", "-1 (4294967295)", "-1"),
    ("DECIMAL(20,4)", "-0.0100", "-0.0100"),
    ("DECIMAL(10,3)", "12.500", "12.5"),
    ("DOUBLE", "54.106073000000002082", "54.106073"),
    ("DOUBLE", "2.2250738585072013831e-308", "2.2250738585072014e-308"),
    ("VARCHAR(9)", "'O\\'D \\\\N\\x1f'", "O'D \\N\x1f"),
    ("DATE", "'2026:11:28'", "2026-11-28"),
    ("DATE", "'0000:00:00'", None),
    ("DATETIME", "'0000-00-00 00:00:00'", None),
    ("DATETIME(6)", "'2026-11-24 02:17:56.530220'", "2026-11-24 02:17:56.53022"),
    ("DATETIME(6)", "'2026-11-24 02:17:56.000000'", "2026-11-24 02:17:56"),
    ("TIMESTAMP", "1795486676", "2026-11-24 02:17:56"),
    ("TIMESTAMP", "0", None),
    ("TIME", "'-12:34:56'", "-45296000000"),
    ("TIME(6)", "'838:59:59.000001'", "3020399000001"),
    ("JSON", '\'{"b": 1.0, "a": [1e30, null]}\'', '{"a":[1000000000000000019884624838656,null],"b":1.0}'),
    ("JSON", "'é😀\\n\\\\ \"'", '"é😀\\n\\\\ \\""'),
    ("JSON", "NULL", None),
]


@pytest.mark.parametrize(("declared", "literal", "text"), SAME)
def test_both_sides_have_one_form(declared: str, literal: str, text: str | None) -> None:
    column = Column("x", declared)
    assert from_binlog(column, literal) == from_warehouse(column, text)


OTHER = [
    ("VARCHAR(9)", "''", None),
    ("VARCHAR(9)", "'a'", "a "),
    ("VARCHAR(9)", "'NULL'", None),
    ("DECIMAL(10,3)", "12.500", "12.501"),
    ("DOUBLE", "0.1", "0.10000000000000002"),
    ("DATETIME(6)", "'2026-11-24 02:17:56.530220'", "2026-11-24 02:17:56"),
    ("TIMESTAMP", "1795486676", "2026-11-24 03:17:56"),
    ("TIME", "'-12:34:56'", "45296000000"),
    ("JSON", "'{\"a\": 1.0}'", '{"a":1}'),
    ("JSON", "'null'", None),
]


@pytest.mark.parametrize(("declared", "literal", "text"), OTHER)
def test_what_differs_stays_different(declared: str, literal: str, text: str | None) -> None:
    column = Column("x", declared)
    assert from_binlog(column, literal) != from_warehouse(column, text)


def test_an_enum_is_its_label_and_the_invalid_one_is_empty() -> None:
    column = Column("x", "ENUM", ("a", "b"))
    assert [from_binlog(column, literal) for literal in ("2", "0")] == ["b", ""]
