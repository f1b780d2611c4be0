"""GTIDs and sets of them, as MySQL writes them: `uuid[:tag]:first-last[:first-last...]`.

Source: MySQL Reference Manual, "GTID Format and Storage". A *line* here is a source UUID with its tag, the
thing within which numbers count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

Line = tuple[str, str]
Span = tuple[int, int]


@dataclass(frozen=True, slots=True, order=True)
class Gtid:
    """One transaction: source UUID, tag ('' if none), number from 1."""

    uuid: str
    tag: str
    number: int

    @classmethod
    def parse(cls, text: str) -> Gtid:
        """Raises ValueError for anything but one GTID."""
        parts = text.strip().lower().split(":")
        if len(parts) == 2:
            uuid, tag, number = parts[0], "", parts[1]
        elif len(parts) == 3:
            uuid, tag, number = parts
        else:
            raise ValueError(f"not a GTID: {text!r}")
        if len(uuid) != 36 or not number.isdigit() or int(number) < 1:
            raise ValueError(f"not a GTID: {text!r}")
        return cls(uuid, tag, int(number))

    @property
    def line(self) -> Line:
        return (self.uuid, self.tag)

    def __str__(self) -> str:
        return ":".join(p for p in (self.uuid, self.tag, str(self.number)) if p)


def _merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)


@dataclass(frozen=True)
class GtidSet:
    """An immutable set of GTIDs. Both ends of a span belong to it."""

    spans: dict[Line, tuple[Span, ...]] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str | None) -> GtidSet:
        """Empty text is the empty set; white space is ignored. Raises ValueError."""
        found: dict[Line, list[Span]] = {}
        for part in "".join((text or "").split()).lower().split(","):
            if not part:
                continue
            uuid, *rest = part.split(":")
            if len(uuid) != 36 or not rest:
                raise ValueError(f"not a GTID set: {part!r}")
            tag = ""
            for item in rest:
                if not item[:1].isdigit():
                    tag = item
                    continue
                first, _, last = item.partition("-")
                if not first.isdigit() or (last and not last.isdigit()):
                    raise ValueError(f"not a GTID set: {part!r}")
                found.setdefault((uuid, tag), []).append((int(first), int(last or first)))
        return cls({line: _merge(spans) for line, spans in found.items()})

    @classmethod
    def of(cls, gtids: Iterable[Gtid]) -> GtidSet:
        """The set of these transactions."""
        found: dict[Line, list[Span]] = {}
        for gtid in gtids:
            found.setdefault(gtid.line, []).append((gtid.number, gtid.number))
        return cls({line: _merge(spans) for line, spans in found.items()})

    def __str__(self) -> str:
        def text(span: Span) -> str:
            return str(span[0]) if span[0] == span[1] else f"{span[0]}-{span[1]}"

        return ",".join(
            ":".join([uuid, *([tag] if tag else []), *map(text, self.spans[uuid, tag])])
            for uuid, tag in sorted(self.spans)
        )

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __contains__(self, gtid: Gtid) -> bool:
        return any(first <= gtid.number <= last for first, last in self.spans.get(gtid.line, ()))

    def __or__(self, other: GtidSet) -> GtidSet:
        lines = self.spans.keys() | other.spans.keys()
        return GtidSet({x: _merge((*self.spans.get(x, ()), *other.spans.get(x, ()))) for x in lines})

    def __sub__(self, other: GtidSet) -> GtidSet:
        result: dict[Line, tuple[Span, ...]] = {}
        for line, spans in self.spans.items():
            left = list(spans)
            for first, last in other.spans.get(line, ()):
                cut: list[Span] = []
                for a, b in left:
                    if b < first or a > last:
                        cut.append((a, b))
                        continue
                    if a < first:
                        cut.append((a, first - 1))
                    if b > last:
                        cut.append((last + 1, b))
                left = cut
            if left:
                result[line] = tuple(left)
        return GtidSet(result)

    def __le__(self, other: GtidSet) -> bool:
        return not (self - other)

    def last(self, line: Line) -> int:
        """The greatest number of a line, 0 when it has none."""
        spans = self.spans.get(line, ())
        return spans[-1][1] if spans else 0

    def count(self) -> int:
        """How many transactions it holds."""
        return sum(last - first + 1 for spans in self.spans.values() for first, last in spans)

    def lines(self) -> Iterator[tuple[Line, tuple[Span, ...]]]:
        """Its lines with their spans, in order of UUID and tag."""
        for line in sorted(self.spans):
            yield line, self.spans[line]

    def filled(self, line: Line, last: int) -> GtidSet:
        """With every number of `line` from its lowest known (else 1) up to `last`: a number that never came
        (DDL, GRANT) counts as in the set, spec section 6."""
        if last < 1:
            return self
        return self | GtidSet({line: ((1, last),)})
