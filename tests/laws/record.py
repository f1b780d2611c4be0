"""What all long runs of the laws came to: `make laws` goes on behind the last history and adds up."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class Record:
    """`portions` of a seed each have been run, counted from `seed`; `seen` counts what happened in all of them."""

    seed: int
    portions: int = 0
    seconds: float = 0.0
    seen: dict[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, seed: int) -> Record:
        """What is kept; a fresh one where nothing is, or where another seed is asked for by a number other than 0."""
        if path.exists():
            found = cls(**json.loads(path.read_text()))
            if seed in (0, found.seed):
                return found
        return cls(seed)

    def add(self, seen: Counter[str], seconds: float) -> None:
        """One more portion."""
        self.portions += 1
        self.seconds += seconds
        self.seen = dict(Counter(self.seen) + seen)

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1))
