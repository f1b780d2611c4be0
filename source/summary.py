"""What a generator did, in numbers that add up over writers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from source.session import Outcome


@dataclass
class Summary:
    """Running totals. `changes` counts row changes that were committed, by (table, operation)."""

    seed: int = 0
    writers: int = 1
    rate: float = 0.0
    seconds: float = 0.0
    committed: int = 0
    rolled_back: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    changes: Counter[tuple[str, str]] = field(default_factory=Counter)
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    retried: int = 0
    reconnects: int = 0

    @property
    def row_changes(self) -> int:
        """Rows inserted, updated and deleted by committed transactions."""
        return sum(self.changes.values())

    def add(self, other: Summary) -> None:
        """Take another writer's totals in."""
        self.committed += other.committed
        self.rolled_back += other.rolled_back
        self.kinds += other.kinds
        self.changes += other.changes
        self.outcomes += other.outcomes
        self.retried += other.retried
        self.reconnects += other.reconnects

    def plain(self) -> dict[str, object]:
        """For JSON."""
        tables: dict[str, dict[str, int]] = {}
        for (table, what), count in sorted(self.changes.items()):
            tables.setdefault(table, {})[what] = count
        return {
            "seed": self.seed,
            "writers": self.writers,
            "rate": self.rate,
            "seconds": round(self.seconds, 3),
            "row_changes": self.row_changes,
            "row_changes_per_second": round(self.row_changes / self.seconds, 1) if self.seconds else 0.0,
            "transactions": {"committed": self.committed, "rolled_back": self.rolled_back, "retried": self.retried},
            "tables": tables,
            "kinds": dict(sorted(self.kinds.items())),
            "reconnects": self.reconnects,
            "commits_whose_answer_was_lost": {
                outcome.value: self.outcomes[outcome] for outcome in Outcome if outcome is not Outcome.COMMITTED
            },
        }
