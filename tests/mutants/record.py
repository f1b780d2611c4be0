"""What is known of each mutant, in a file, so that a run goes on; and which cannot be told from the original."""

from __future__ import annotations

import json
import threading
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.mutants.killing import Verdict
from tests.mutants.suite import ROOT, AnyMutant, digest

STATE = ROOT / "build/mutants/state.json"
EQUIVALENT = Path(__file__).with_name("equivalent.toml")
CAUGHT = Path(__file__).with_name("caught.toml")
KILLED = ("caught", "refused")


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


def caught(mutants: Sequence[AnyMutant]) -> dict[str, str]:
    """Name -> the test that caught it, of those kept in caught.toml that are mutants still, with the text they had."""
    entries = tomllib.loads(CAUGHT.read_text(encoding="utf-8")).get("caught", [])
    kept = {name: (entry["by"], text) for entry in entries for name, text in entry["mutants"].items()}
    return {m.name: kept[m.name][0] for m in mutants if m.name in kept and kept[m.name][1] == digest(m)}


def keep_caught(mutants: Sequence[AnyMutant], record: Record, head: str) -> None:
    """Write caught.toml anew: what the record has, by the test that caught it. `head` says when and how many."""
    by: dict[str, list[AnyMutant]] = {}
    for mutant in mutants:
        if record.knows(mutant):
            by.setdefault(record.verdicts[mutant.name]["by"], []).append(mutant)
    lines = [f"# {line}" for line in head.splitlines()]
    for test in sorted(by):
        lines += ["", "[[caught]]", f"by = {json.dumps(test)}", "[caught.mutants]"]
        lines += [f"{json.dumps(m.name, ensure_ascii=False)} = {json.dumps(digest(m))}" for m in by[test]]
    CAUGHT.write_text("\n".join(lines) + "\n", encoding="utf-8")


@dataclass
class Record:
    """Verdicts by name; each is kept with what it was of."""

    verdicts: dict[str, dict[str, Any]] = field(default_factory=dict)
    kept: bool = True
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def load(cls) -> Record:
        return cls(json.loads(STATE.read_text())) if STATE.exists() else cls()

    def knows(self, mutant: AnyMutant) -> bool:
        """A caught mutant stays caught; one that was not is tried again."""
        known: Mapping[str, Any] = self.verdicts.get(mutant.name, {})
        return known.get("digest") == digest(mutant) and known.get("outcome") in KILLED

    def outcome(self, mutant: AnyMutant) -> str:
        """The last one of the mutant as it is now."""
        known: Mapping[str, Any] = self.verdicts.get(mutant.name, {})
        return str(known["outcome"]) if known.get("digest") == digest(mutant) else "not run"

    def add(self, mutant: AnyMutant, verdict: Verdict) -> None:
        """Of several threads."""
        with self._lock:
            self.verdicts[mutant.name] = {**asdict(verdict), "step": mutant.step, "digest": digest(mutant)}
            if self.kept:
                STATE.parent.mkdir(parents=True, exist_ok=True)
                new = STATE.with_suffix(".new")
                new.write_text(json.dumps(self.verdicts, indent=1))
                new.replace(STATE)
