"""Snapshot and stream give one text for one JSON value."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.canonical_json import canonical, exact

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(
    ("snapshot", "stream", "text"),
    [
        ('{"a": 2, "b": 1}', '{"a":2,"b":1}', '{"a":2,"b":1}'),
        ('{"b": 1, "aa": 2}', '{"b":1,"aa":2}', '{"aa":2,"b":1}'),
        ("1e20", "1.0E20", "1e+20"),
        ("1.0", "1.0", "1.0"),
        ('"é\\u00e9"', '"éé"', '"éé"'),
        ('"a\\/b"', '"a/b"', '"a/b"'),
        ("18446744073709551615", "18446744073709551615", "18446744073709551615"),
        ("1.50000000000000000000001", "1.50000000000000000000001", "1.50000000000000000000001"),
        ("null", " null ", "null"),
    ],
)
def test_two_spellings_of_one_value_give_one_text(snapshot: str, stream: str, text: str) -> None:
    assert canonical(snapshot) == canonical(stream) == text


def test_a_number_longer_than_a_double_keeps_its_digits_wherever_it_stands() -> None:
    assert canonical('{"b": [0.12345678901234567890123, {"a": 1.0}]}') == '{"b":[0.12345678901234567890123,{"a":1.0}]}'


def test_half_a_surrogate_pair_is_kept_escaped() -> None:
    assert canonical('"\\ud800"') == '"\\ud800"'


@pytest.mark.parametrize("text", ["", "{", "NaN", "Infinity", "1e999", "{'a': 1}"])
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical(text)


@given(JSON)
def test_the_canonical_text_means_the_same_and_is_its_own_canonical_text(value: object) -> None:
    text = canonical(json.dumps(value))
    assert json.loads(text) == value
    assert canonical(text) == text


NUMBERS = st.from_regex(r"\A-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?\Z")
TEXTS = JSON.map(lambda v: json.dumps(v, ensure_ascii=False)) | JSON.map(json.dumps) | NUMBERS


@given(TEXTS | NUMBERS.map(lambda n: f'{{"b": [{n}], "a": "{n}"}}'))
def test_the_fast_way_writes_what_the_exact_way_writes(text: str) -> None:
    assert canonical(text) == exact(text)


@pytest.mark.parametrize(
    "text",
    ['{"a":1,"a":2}', '"\\u0000\\u001f\\b\\f\\/\x7f\u2028"', "-0", "-0.0", "[1e15,1e16,1e-4]", "[" * 200 + "]" * 200],
)
def test_edges_are_written_the_same_way(text: str) -> None:
    assert canonical(text) == exact(text)
