"""Calendar half-years in UTC: what a history table holds (spec section 7)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

_FORM = re.compile(r"^(\d{4})_?[hH]([12])$")


@dataclass(frozen=True, slots=True, order=True)
class HalfYear:
    """`half` 1 is [1 January, 1 July), 2 is [1 July, 1 January)."""

    year: int
    half: int

    @classmethod
    def parse(cls, text: str) -> HalfYear:
        """`2025h1` or `2025_h1`. Raises ValueError."""
        found = _FORM.match(text)
        if not found:
            raise ValueError("not a half-year; e.g. 2025h1")
        return cls(int(found.group(1)), int(found.group(2)))

    @classmethod
    def of(cls, moment: datetime) -> HalfYear:
        """The half-year that holds a moment; one without a zone is UTC."""
        return cls(moment.year, 1 if moment.month < 7 else 2)

    def __str__(self) -> str:
        return f"{self.year:04d}_h{self.half}"

    @property
    def next(self) -> HalfYear:
        return HalfYear(self.year, 2) if self.half == 1 else HalfYear(self.year + 1, 1)

    @property
    def first_second(self) -> int:
        """Seconds since 1970, included."""
        return int(datetime(self.year, 1 if self.half == 1 else 7, 1, tzinfo=UTC).timestamp())

    def through(self, last: HalfYear) -> Iterator[HalfYear]:
        """This one and those after it up to `last`, which is included."""
        current = self
        while current <= last:
            yield current
            current = current.next
