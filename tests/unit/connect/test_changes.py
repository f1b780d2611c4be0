from __future__ import annotations

from connect.changes import MASK, changes


def test_new_changed_and_gone_keys_are_told_in_order() -> None:
    found = changes({"b": "1", "c": "1", "name": "w"}, {"a": "1", "b": "2"})
    assert [str(change) for change in found] == ["+ a = 1", "~ b = 1 -> 2", "- c = 1"]


def test_equal_settings_differ_in_nothing() -> None:
    assert changes({"a": "1", "name": "w"}, {"a": "1"}) == []


def test_a_secret_is_masked_and_a_reference_to_one_is_not() -> None:
    (change,) = changes({"database.password": "hunter2"}, {"database.password": "${env:PASSWORD}"})
    assert change.before == MASK
    assert change.after == "${env:PASSWORD}"
