"""What is known of each mutant, in a file, so that a run goes on; and which cannot be told from the original."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.mutants.by_hand import Broken
from tests.mutants.killing import ROOT, Verdict, suite
from tests.mutants.mechanical import Mutant

STATE = ROOT / "build/mutants/state.json"
EQUIVALENT = Path(__file__).with_name("equivalent.toml")
AnyMutant = Mutant | Broken


def digest(mutant: AnyMutant) -> str:
    return hashlib.sha256(mutant.text.encode()).hexdigest()[:16]


def suite_digest() -> str:
    """Changes with any test of the suite: what survived has to be tried again then."""
    files = sorted({*suite(), *(str(p.relative_to(ROOT)) for p in (ROOT / "tests/laws").glob("*.py"))})
    return hashlib.sha256(b"".join((ROOT / f).read_bytes() for f in files)).hexdigest()[:16]


def equivalent(mutants: Sequence[AnyMutant]) -> dict[str, str]:
    """Name -> why it is the same. Raises `ValueError` for an entry without a mutant or a reason."""
    entries = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")).get("equivalent", [])
    names = {mutant.name for mutant in mutants}
    found: dict[str, str] = {}
    for entry in entries:
        for name in entry["mutants"]:
            if name not in names or name in found or not entry["reason"].strip():
                raise ValueError(
                    f"tests/mutants/equivalent.toml: {name!r} is no mutant, is listed twice or has no reason"
                )
            found[name] = entry["reason"]
    return found


@dataclass
class Record:
    """Verdicts by name; each is kept with what it was of."""

    verdicts: dict[str, dict[str, Any]] = field(default_factory=dict)
    kept: bool = True

    @classmethod
    def load(cls) -> Record:
        return cls(json.loads(STATE.read_text())) if STATE.exists() else cls()

    def knows(self, mutant: AnyMutant, tests: str, budget: float) -> bool:
        """A caught mutant stays caught; one that survived was tried with these tests, for as long."""
        known: Mapping[str, Any] = self.verdicts.get(mutant.name, {})
        if known.get("digest") != digest(mutant) or known.get("outcome") == "too long":
            return False
        if known["outcome"] == "unfinished":
            return bool(known["tests"] == tests and known["seconds"] >= budget)
        return known["outcome"] != "survived" or bool(known["tests"] == tests)

    def add(self, mutant: AnyMutant, verdict: Verdict, tests: str) -> None:
        self.verdicts[mutant.name] = {
            **asdict(verdict), "step": mutant.step, "digest": digest(mutant), "tests": tests,
        }  # fmt: skip
        if not self.kept:
            return
        STATE.parent.mkdir(parents=True, exist_ok=True)
        new = STATE.with_suffix(".new")
        new.write_text(json.dumps(self.verdicts, indent=1))
        new.replace(STATE)

    def killers(self, step: str) -> list[str]:
        """The tests that killed mutants of this step, then of all, the most successful first."""
        own = Counter(v["by"] for v in self.verdicts.values() if v["by"] and v["step"] == step)
        every = Counter(v["by"] for v in self.verdicts.values() if v["by"])
        return list(dict.fromkeys([*(n for n, _ in own.most_common(4)), *(n for n, _ in every.most_common(4))]))
