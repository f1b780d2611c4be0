"""The mutants of the commit cycle are told apart, and those called equivalent are there, with a reason."""

from __future__ import annotations

from tests.mutants.__main__ import every
from tests.mutants.record import equivalent


def test_names_are_distinct_and_each_mutant_differs_from_the_others() -> None:
    found = every()
    assert len({mutant.name for mutant in found}) == len(found)
    plain = [(mutant.file, mutant.text) for mutant in found if not getattr(mutant, "patch", None)]
    assert len(plain) - len(set(plain)) <= 5, "by hand and by rule may meet, hardly more"


def test_every_listed_equivalent_is_a_mutant() -> None:
    """An entry that fits none any more, or has no reason, is an error."""
    assert all(reason for reason in equivalent(every()).values())
