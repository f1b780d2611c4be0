"""One change applied to a table's history: its next version, and what has to be done to the warehouse's tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from waybill.source_changes.compare import Difference, What
from waybill.source_changes.history import Entry, History, Moment, Version
from waybill.types import Kind, SourceColumn


@dataclass(frozen=True)
class Add:
    """Add the column `name`; standing rows read the constant `default`."""

    name: str
    column: SourceColumn
    default: str | None


@dataclass(frozen=True)
class Rename:
    """Call a column otherwise."""

    before: str
    after: str


@dataclass(frozen=True)
class Widen:
    """Make a column hold all that `column` holds; one that does already stays."""

    name: str
    column: SourceColumn


Step = Add | Rename | Widen


def next_version(
    history: History,
    differences: Sequence[Difference],
    after: Sequence[SourceColumn],
    defaults: Mapping[str, str | None],
    began: Moment,
    follow_renames: bool = True,
) -> tuple[History, list[Step]]:
    """The history with one version more. `defaults` are by lower-case name of the columns that came.

    A renamed column keeps its values under the new name, unless `follow_renames` is False: then it is dropped, and
    the new one begins empty.
    """  # fmt: skip
    made = _Making(history, {column.name.lower(): place for place, column in enumerate(after)})
    for one in differences:
        before, now = one.before, one.after
        match one.what:
            case What.PERHAPS_RENAMED:
                continue  # both are among the dropped and the added
            case What.RENAMED if before and now:
                made.rename(before, now, follow_renames)
            case What.RETYPED | What.MADE_ANEW if before and now:
                made.end(before)
                made.add(now, defaults.get(now.name.lower()))
            case What.WIDENED | What.DESCRIBED | What.NARROWED if before and now:
                made.change(before, now)
            case What.ADDED if now:
                made.add(now, defaults.get(now.name.lower()))
            case What.DROPPED if before:
                made.end(before)
    versions = (*history.versions, Version(made.version, began))
    return replace(made.history, versions=versions), made.steps


class _Making:
    """A history while it gets its next version."""

    def __init__(self, history: History, places: Mapping[str, int]) -> None:
        self.history, self.places = history, places
        self.version = history.newest + 1
        self.steps: list[Step] = []

    def end(self, column: SourceColumn) -> Entry | None:
        """The column's entry ends with this version; the entry as it was, None when there is none."""
        found = next((e for e in self.history.current if e.column.name.lower() == column.name.lower()), None)
        entries = tuple(replace(e, dropped=self.version) if e is found else e for e in self.history.entries)
        self.history = replace(self.history, entries=entries)
        return found

    def add(self, column: SourceColumn, default: str | None) -> None:
        self._give_way(column.warehouse_name)
        self.steps.append(Add(column.warehouse_name, column, default))
        self._begin(column, column.warehouse_name, default)

    def change(self, before: SourceColumn, now: SourceColumn) -> None:
        entry = self.end(before)
        if entry is None:
            self.add(now, None)
            return
        self._begin(now, entry.warehouse_name, entry.default)
        self.steps.append(Widen(entry.warehouse_name, now))

    def rename(self, before: SourceColumn, now: SourceColumn, follow: bool) -> None:
        entry = self.end(before)
        if entry is None or not follow or before.kind is not now.kind:
            self.add(now, None)
            return
        after = now.warehouse_name
        if entry.warehouse_name != after:
            self._give_way(after)
            self.steps.append(Rename(entry.warehouse_name, after))
            self.history = self.history.renamed(entry.warehouse_name, after)
        self._begin(now, after, entry.default)
        self.steps.append(Widen(after, now))

    def _begin(self, column: SourceColumn, warehouse_name: str, default: str | None) -> None:
        place = self.places.get(column.name.lower(), len(self.places))
        entry = Entry(column, warehouse_name, place, default, self.version)
        self.history = replace(self.history, entries=(*self.history.entries, entry))

    def _give_way(self, name: str) -> None:
        """An earlier column of this name keeps its values under `<name>__dropped_N`."""
        taken = {entry.warehouse_name for entry in self.history.entries}
        if name not in taken:
            return
        number = next(n for n in range(1, 10_000) if f"{name}__dropped_{n}" not in taken)
        self.steps.append(Rename(name, f"{name}__dropped_{number}"))
        self.history = self.history.renamed(name, f"{name}__dropped_{number}")


def why_read_again(differences: Sequence[Difference], computed: set[str]) -> list[str]:
    """Why MySQL may have changed rows without row events. `computed`: added columns whose value is an expression."""
    found = [
        f"rows older than the column {one.after.name!r} have a value in it that no event tells"
        for one in differences
        if one.what in (What.ADDED, What.MADE_ANEW) and one.after and one.after.name.lower() in computed
    ]
    lossy = (What.NARROWED, What.RETYPED, What.PERHAPS_RENAMED)
    found += [f"{one}, and rows may have changed with it" for one in differences if one.what in lossy]
    found += [
        f"{one}, and its rows were converted"
        for one in differences
        if one.what is What.RENAMED and one.before and one.after and one.before.kind is not one.after.kind
    ]
    return found


def zoned(column: SourceColumn, default: str | None) -> bool:
    """A TIMESTAMP's constant is in the time zone of the session that added it, which nobody tells."""
    return default is not None and column.kind is Kind.TIMESTAMP
