"""Rows as MySQL's LOAD DATA reads them: tab-separated, backslash escapes, `\\N` for NULL, UTF-8."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

NULL = "\\N"
ZERO_DATE = "0000-00-00 00:00:00"
DAY = 86_400

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0"})


def field(value: object) -> str:
    """One value: None is NULL, an empty string is an empty string, a float is its shortest exact text."""
    if value is None:
        return NULL
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    return repr(value) if isinstance(value, float) else str(value)


def line(*values: object) -> str:
    """Values joined by tabs, without an end of line."""
    return "\t".join(field(value) for value in values)


class Moments:
    """Epoch seconds as `YYYY-MM-DD HH:MM:SS` in UTC, from tables made once: about 0.2 microseconds each."""

    def __init__(self, first: int, last: int) -> None:
        """Every day from epoch second `first` to `last`."""
        start = datetime(1970, 1, 1, tzinfo=UTC)
        self.days = {
            day: (start + timedelta(days=day)).strftime("%Y-%m-%d ") for day in range(first // DAY - 1, last // DAY + 2)
        }
        self.seconds = [f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in range(DAY)]

    def text(self, moment: int) -> str:
        """Whole seconds."""
        return self.days[moment // DAY] + self.seconds[moment % DAY]

    def date(self, moment: int) -> str:
        """The day alone."""
        return self.days[moment // DAY][:10]
