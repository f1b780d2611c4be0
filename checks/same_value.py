"""Whether two differing texts still mean one value: decided row by row, only where texts differ."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from checks import float_text
from checks.column_text import FLOATS

# A double is told by 17 digits; a number of more is compared digit by digit.
_DOUBLE_DIGITS = 17


def same(data_type: str, left: str | None, right: str | None) -> bool:
    """`data_type` is MySQL's. NULL equals only NULL."""
    if left is None or right is None or left == right:
        return left == right
    if data_type in FLOATS:
        return float_text.same(left, right)
    if data_type == "decimal":
        return _same_decimal(left, right)
    if data_type == "json":
        return _same_json(left, right)
    return False


def _same_decimal(left: str, right: str) -> bool:
    try:
        return Decimal(left) == Decimal(right)
    except InvalidOperation:
        return False


def _same_json(left: str, right: str) -> bool:
    try:
        return _equal(_parsed(left), _parsed(right))
    except ValueError:
        return False


def _parsed(text: str) -> Any:
    """Objects as their pairs in the order of keys, numbers as exact decimals. Raises ValueError."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return _equal_number(left, right)
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(_equal(v, right[k]) for k, v in left.items())
    if isinstance(left, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    return bool(left == right)


def _equal_number(left: Decimal, right: Decimal) -> bool:
    """Equal in value, or two spellings of one double; integers only exactly."""
    if left == right:
        return True
    whole = left.as_tuple().exponent == 0 and right.as_tuple().exponent == 0
    shortest = min(len(x.as_tuple().digits) for x in (left, right))
    return not whole and shortest <= _DOUBLE_DIGITS and float(left) == float(right)
