"""What was done so far, kept in a file: rounds add up over many calls."""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.chaos.rounds import Outcome

HEADER = "| what was done | rounds | differences | s until raw had caught up, median | most |\n|---|---|---|---|---|"


class Record:
    """`path` holds one object: the seed to go on with, and every round. It is whole at any moment."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"seed": None, "rounds": []}

    @property
    def seed(self) -> int | None:
        """The seed of the latest call."""
        found: int | None = self._kept["seed"]
        return found

    def next_number(self, seed: int) -> int:
        """The first round of that seed that was not done yet; from 1."""
        return max((each["round"] for each in self._kept["rounds"] if each["seed"] == seed), default=0) + 1

    def begin(self, seed: int) -> None:
        """Later calls go on with this seed."""
        self._kept["seed"] = seed
        self._write()

    def add(self, outcome: Outcome, commit: str, way: str) -> None:
        """Keep a round."""
        self._kept["rounds"].append(
            {
                "seed": outcome.drawn.seed, "round": outcome.drawn.number, "kinds": _kinds(outcome),
                "drawn": str(outcome.drawn), "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "commit": commit, "way": way, "seconds": outcome.seconds, "caught_up": outcome.caught_up,
                "events": outcome.events, "transactions": outcome.transactions,
                "differences": list(outcome.differences),
            }
        )  # fmt: skip
        self._write()

    def report(self) -> str:
        """All rounds so far by kind, as a table in Markdown, and in one sentence."""
        rounds = self._kept["rounds"]
        if not rounds:
            return "no round was done yet"
        by_kind: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for each in rounds:
            by_kind[each["kinds"][0] if len(each["kinds"]) == 1 else "two at once"].append(each)
        lines = [HEADER]
        for kind in sorted(by_kind):
            found = by_kind[kind]
            spent = [each["caught_up"] for each in found]
            failed = sum(bool(each["differences"]) for each in found)
            lines.append(f"| {kind} | {len(found)} | {failed} | {statistics.median(spent):.1f} | {max(spent):.1f} |")
        failed = sum(bool(each["differences"]) for each in rounds)
        commits = list(dict.fromkeys(each["commit"] for each in rounds))
        lines.append(
            f"\n{len(rounds)} rounds, {failed} with differences; {sum(e['events'] for e in rounds):,} row events in"
            f" {sum(e['transactions'] for e in rounds):,} transactions compared; seeds"
            f" {', '.join(map(str, sorted({e['seed'] for e in rounds})))}; {rounds[0]['at'][:16]} to"
            f" {rounds[-1]['at'][:16]}Z; commits {', '.join(commits)}"
        )
        return "\n".join(lines)

    def _write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps(self._kept, indent=1) + "\n")
        part.replace(self._path)


def commit_of(root: Path) -> str:
    """The checkout's commit, with a + when it was changed."""

    def git(*words: str) -> str:
        done = subprocess.run(("git", *words), cwd=root, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    return f"{git('rev-parse', '--short', 'HEAD')}{'+' if git('status', '--porcelain', '-uno') else ''}"


def _kinds(outcome: Outcome) -> list[str]:
    return [fault.kind for fault in outcome.drawn.faults]
