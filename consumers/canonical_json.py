"""One canonical text for a JSON value, because Debezium writes a snapshot's and the stream's differently.

The form: no white space; the keys of an object in the order of their code points; text as it is, escaped only
where JSON demands it; integers as they are; any other number of up to 17 significant digits as the shortest text
that reads back as the same double, of more digits as its plain decimal without trailing zeros. true, false and
null as they are. Two texts that MySQL holds equal give equal texts here, and the form of the form is itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from typing import Any

import orjson

_DOUBLE_DIGITS = 17
_LONG_NUMBER = re.compile(rf"[\d.]{{{_DOUBLE_DIGITS + 1},}}")


class _Exact(float):
    """A number that no double holds; its text is kept beside it."""

    text: str


def _number(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(f"{text} is beyond the range of a double")
    exact = Decimal(text)
    if len(exact.as_tuple().digits) <= _DOUBLE_DIGITS:
        return value
    kept = _Exact(value)
    shown = f"{exact:f}"
    kept.text = shown.rstrip("0").rstrip(".") if "." in shown else shown
    return kept


def _refuse(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


_NUL = "\\u0000"  # the only way for the character NUL into a JSON text
_MARKED = re.compile(r'"\\u0000([^"]*)"')


@lru_cache(maxsize=4096)
def _marked_float(text: str) -> float | str:
    """A number, or where orjson would write it in another way, its text behind a NUL, which no other text holds."""
    value = _number(text) if len(text) > _DOUBLE_DIGITS else float(text)
    shown = value.text if isinstance(value, _Exact) else repr(value)
    if not isfinite(value):
        raise ValueError(f"{text} is beyond the range of a double")
    return f"\0{shown}" if isinstance(value, _Exact) or "e" in shown else value


def _marked_int(text: str) -> int | str:
    return int(text) if len(text) <= _DOUBLE_DIGITS else f"\0{int(text)}"


_marker = json.JSONDecoder(parse_float=_marked_float, parse_int=_marked_int, parse_constant=_refuse)
_decoder = json.JSONDecoder(parse_float=_number, parse_constant=_refuse)
_encoder = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_ascii = json.JSONEncoder(ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def _write(value: Any, encoder: json.JSONEncoder) -> str:
    """As the encoder would, but with the text of exact numbers."""
    if isinstance(value, dict):
        inner = (f"{encoder.encode(key)}:{_write(value[key], encoder)}" for key in sorted(value))
        return "{" + ",".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_write(item, encoder) for item in value) + "]"
    return value.text if isinstance(value, _Exact) else encoder.encode(value)


# What orjson would write in another way: many digits (also of whole numbers), exponents, very small numbers, -0.
_NOT_FOR_ORJSON = re.compile(r"[\d.]{17}|\d[eE]|0\.0000|-0(?![\d.])")


def canonical(text: str) -> str:
    """The canonical text of one JSON value. Raises ValueError for anything else.

    Most texts go through orjson, which writes the same form but for some numbers; what it refuses goes the exact way.
    """
    try:
        if _NOT_FOR_ORJSON.search(text) is None:
            return orjson.dumps(orjson.loads(text), option=orjson.OPT_SORT_KEYS).decode()
        if _NUL not in text:
            shown = orjson.dumps(_marker.decode(text), option=orjson.OPT_SORT_KEYS).decode()
            return _MARKED.sub(r"\1", shown)
    except (ValueError, TypeError, RecursionError):
        pass
    return exact(text)


def canonical_each(texts: Iterable[str | None]) -> list[str | None]:
    """The same for many; a NULL stays one."""
    return [None if text is None else canonical(text) for text in texts]


def exact(text: str) -> str:
    """The canonical text, by the definition above alone."""
    value = _decoder.decode(text)
    # Only a text with this many digits can hold an exact number; the rest goes the fast way.
    long = _LONG_NUMBER.search(text) is not None
    for encoder in (_encoder, _ascii):
        shown = _write(value, encoder) if long else encoder.encode(value)
        try:
            shown.encode()
        except UnicodeEncodeError:  # half of a surrogate pair has no UTF-8: it stays escaped
            continue
        return shown
    raise ValueError("no UTF-8 text")
