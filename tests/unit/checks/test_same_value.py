"""When two differing texts are one value."""

from __future__ import annotations

import pytest

from checks.same_value import same


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [
        ("varchar", None, None),
        ("double", "1e15", "1000000000000000"),
        ("double", "5.6843418860808015e-14", "5.684341886080802e-14"),
        ("decimal", "1.50", "1.5"),
        ("json", "1e20", "100000000000000000000"),
        ("json", '{"a": 0.1, "b": [1.0]}', '{"b": [1.00], "a": 1e-1}'),
        ("json", "123456789012345680000000000000.5", "1.2345678901234568e29"),
    ],
)
def test_spellings_of_one_value_are_equal(kind: str, left: str | None, right: str | None) -> None:
    assert same(kind, left, right)


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [
        ("varchar", None, ""),
        ("varchar", "a", "A"),
        ("varchar", "1.0", "1"),
        ("double", "0", "-0"),
        ("double", "0.1", "0.10000000000000002"),
        ("double", "0.1", "NaN-ish"),
        ("decimal", "1.50", "1.51"),
        ("decimal", "1", "one"),
        ("json", "1", "true"),
        ("json", '"1"', "1"),
        ("json", "null", '""'),
        ("json", '{"a": 1}', '{"a": 1, "b": null}'),
        ("json", "[1, 2]", "[2, 1]"),
        ("json", "9007199254740993", "9007199254740992"),
        ("json", "0.1", "0.10000000000000002"),
        ("json", "{}", "{"),
        ("json", "1", "NaN"),
    ],
)
def test_different_values_are_not(kind: str, left: str | None, right: str | None) -> None:
    assert not same(kind, left, right)
