"""The mutants of the commit cycle are told apart, and those called equivalent are there, with a reason."""

from __future__ import annotations

from tests.conftest import ROOT
from tests.mutants.__main__ import every
from tests.mutants.record import caught, equivalent


def test_names_are_distinct_and_each_mutant_differs_from_the_others() -> None:
    found = every()
    assert len({mutant.name for mutant in found}) == len(found)
    plain = [(mutant.file, mutant.text) for mutant in found if not getattr(mutant, "patch", None)]
    assert len(plain) - len(set(plain)) <= 5, "by hand and by rule may meet, hardly more"


def test_every_listed_equivalent_is_a_mutant() -> None:
    """An entry that fits none any more, or has no reason, is an error."""
    assert all(reason for reason in equivalent(every()).values())


def test_those_kept_as_caught_are_mutants_still_and_name_a_test() -> None:
    """After a step file was changed: python -m tests.mutants, then --keep. Draws are only from what fits."""
    found = every()
    kept = caught(found)
    assert len(kept) > len(found) * 0.7
    assert not kept.keys() & equivalent(found).keys()
    files = {test.partition("::")[0] for test in kept.values()}
    # No history: it is another one when the machine that draws it changes. What only a history tells wants a test.
    assert all((ROOT / file).exists() for file in files)
