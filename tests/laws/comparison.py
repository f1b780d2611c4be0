"""What stands in a shop against what the model says: conservation, freshness, placement, exceptions, views, totals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from tests.laws import model
from tests.laws.model import Key
from tests.laws.standing import NOTE, VALUES, Standing


def compare(shop: Standing, wanted: Mapping[str, Mapping[Key, model.Row]]) -> None:
    """Raises `AssertionError` with the first difference."""
    for table, rows in wanted.items():
        compare_table(shop, table, rows)
    assert shop.exceptions() == sorted(
        (table, "/".join(map(str, key)), row.exception)
        for table, rows in wanted.items()
        for key, row in rows.items()
        if row.exception
    )


def compare_table(shop: Standing, table: str, rows: Mapping[Key, model.Row]) -> None:
    """One mart with its history, its view and its totals."""
    found = shop.stands(table)
    assert found.keys() == rows.keys(), f"{table}: conservation"
    for key, wanted in rows.items():
        assert len(found[key]) == 1, f"{table} {key} stands more than once: {found[key]}"
        (row,) = found[key]
        assert row.place == wanted.place, f"{table} {key} stands in {row.place!r}, not in {wanted.place!r}: {wanted}"
        if wanted.place != "removed":
            note = wanted.values.get(NOTE, 7 if shop.noted else None)
            assert row.values == {**wanted.values, NOTE: note}, f"{table} {key}: freshness"
            assert row.gone == wanted.gone, f"{table} {key}: deletion"
    marks = shop.rules[table].on_delete == "mark"
    shown = [(*k, r.values[VALUES[table]]) for k, r in rows.items() if r.place != "removed" and not (marks and r.gone)]
    assert shop.view(table) == sorted(shown), f"{table}: the view"
    assert shop.totals(table) == dict(Counter(r.place for r in rows.values())), f"{table}: totals"
