"""Every step file broken by rule, one place at a time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from committer import steps
from tests.mutants.sql import Group, Part, split, statements
from warehouse.statements import text_of

_CLAUSES = {
    "SELECT", "FROM", "WHERE", "ON", "HAVING", "GROUP", "ORDER", "LIMIT", "UNION", "JOIN", "LEFT", "USING", "SET",
    "WHEN", "THEN", "ELSE", "AS", "BY", "OVER", "PARTITION", ",", "DISTINCT", "ALL", "INTO", "INSERT", "UPDATE",
    "DELETE",
}  # fmt: skip
_CONDITIONS = {"WHERE", "ON", "HAVING"}
_COMPARED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "<>": "="}
_SWAPPED = {"MIN": "max", "MAX": "min", "DESC": "ASC"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """A step file whose text was changed. `name` says what was done, and is the same as long as the place is."""

    name: str
    file: str
    text: str

    @property
    def step(self) -> str:
        return self.file.split(".")[0]


@dataclass(frozen=True, slots=True)
class _Edit:
    what: str
    start: int
    end: int
    put: str


def mutants() -> list[Mutant]:
    """All of them, in the order of the files."""
    made: list[Mutant] = []
    for step in steps.ALL:
        text = text_of(f"sql/commit/{step.file}")
        made += [Mutant(f"{step.name}: skipped", step.file, _skipped(step.file, text))]
        seen: Counter[str] = Counter()
        for edit in _edits(text):
            name = f"{step.name}: {edit.what} `{_shown(text, edit)}`"
            seen[name] += 1
            nth = f" #{seen[name]}" if seen[name] > 1 else ""
            made.append(Mutant(name + nth, step.file, text[: edit.start] + edit.put + text[edit.end :]))
    return made


def _shown(text: str, edit: _Edit) -> str:
    """What is changed, on one line; of one word the rest of its line too."""
    until = edit.end if edit.end - edit.start > 8 else max(text.find("\n", edit.end), edit.end)
    begin = edit.start if edit.end - edit.start > 8 else text.rfind("\n", 0, edit.start) + 1
    shown = text[begin : edit.start] + "»" + text[edit.start : edit.end] + "«" + text[edit.end : until]
    line = re.sub(r"\s+", " ", (shown if until > edit.end or begin < edit.start else shown[1:-1])).strip()
    return line if len(line) <= 160 else f"{line[:100]} ... {line[-50:]}"


def _skipped(file: str, text: str) -> str:
    if ".query." not in file:
        return ""
    (query,) = statements(text)
    return f"SELECT * FROM (\n{text[query.start : query.end]}\n) skipped WHERE false;\n"


def _edits(text: str) -> Iterator[_Edit]:
    found = statements(text)
    for statement in found:
        first = statement.parts[0].word
        if len(found) > 1 and first in ("INSERT", "DELETE", "UPDATE"):
            yield _Edit("statement left out", statement.start, statement.end, "SELECT 1 WHERE false")
        reads = any(part.word == "SELECT" for one in statement.within() for part in one.parts)
        if first == "ANALYZE" or (first == "CREATE" and not reads):
            continue
        for one in statement.within():
            yield from _of_group(one)


def _of_group(one: Group) -> Iterator[_Edit]:
    yield from _of_words(one)
    if one.is_case:
        yield from _of_case(one)
    for keyword, parts in _chunks(one):
        if keyword in _CONDITIONS:
            yield from _terms(parts, alone=True)
        elif keyword == "BY":
            yield from _order(one, parts)
        elif any(part.word in ("AND", "OR") for part in parts):
            yield from _terms(parts, alone=False)
    yield from _unions(one)


def _chunks(one: Group) -> Iterator[tuple[str, tuple[Part, ...]]]:
    """What stands behind each keyword of this level, up to the next."""
    keyword, own = "", list[Part]()
    for part, after in zip(one.parts, (*one.parts[1:], None), strict=False):
        # LEFT JOIN, not left(text, length).
        if part.word in _CLAUSES and not (part.word == "LEFT" and isinstance(after, Group)):
            if own:
                yield keyword, tuple(own)
            keyword, own = ("BY" if part.word == "," and keyword == "BY" else part.word), []
        else:
            own.append(part)
    if own:
        yield keyword, tuple(own)


def _terms(parts: tuple[Part, ...], alone: bool) -> Iterator[_Edit]:
    """Each term of AND and OR left out. `alone`: also one that stands alone."""
    any_of = split(parts, "OR")
    if len(any_of) > 1:
        for branch in any_of:
            yield _Edit("without OR", branch[0].start, branch[-1].end, "false")
            yield from _terms(branch, False)
        return
    all_of = split(parts, "AND")
    if len(all_of) > 1:
        for term in all_of:
            yield _Edit("without AND", term[0].start, term[-1].end, "true")
        return
    if alone:
        yield _Edit("without", parts[0].start, parts[-1].end, "true")


def _of_words(one: Group) -> Iterator[_Edit]:
    parts = one.parts
    for number, part in enumerate(parts):
        after = parts[number + 1] if number + 1 < len(parts) else None
        if isinstance(part, Group):
            continue
        if part.word in _COMPARED:
            yield _Edit(f"{_COMPARED[part.word]} for", part.start, part.end, _COMPARED[part.word])
        elif part.word in _SWAPPED and (part.word == "DESC" or isinstance(after, Group)):
            yield _Edit(f"{_SWAPPED[part.word]} for", part.start, part.end, _SWAPPED[part.word])
        elif part.word == "DISTINCT":
            yield _Edit("without", part.start, part.end, "")
        elif part.word == "NOT":
            yield _Edit("negation left out of", part.start, part.end, "")
        elif part.word == "LEFT" and after is not None and after.word == "JOIN":
            yield _Edit("inner for", part.start, part.end, "")
        elif part.word == "COALESCE" and isinstance(after, Group):
            first = split(after.parts, ",")[0]
            yield _Edit("only the first of", after.parts[len(first)].start, after.parts[-1].end, "")


def _of_case(one: Group) -> Iterator[_Edit]:
    """Each WHEN that never holds, and the ELSE left out."""
    at = [n for n, part in enumerate(one.parts) if part.word in ("WHEN", "THEN", "ELSE")]
    for n, place in enumerate(at):
        word = one.parts[place].word
        ends = one.parts[at[n + 1] - 1] if n + 1 < len(at) else one.parts[-1]
        if word == "WHEN":
            yield _Edit("never", one.parts[place + 1].start, ends.end, "false")
        elif word == "ELSE":
            yield _Edit("no ELSE", one.parts[place + 1].start, ends.end, "NULL")


def _order(one: Group, parts: tuple[Part, ...]) -> Iterator[_Edit]:
    """A term of ORDER BY, PARTITION BY or GROUP BY: turned round, or of no weight."""
    kind = _kind_of_by(one, parts[0])
    if kind == "GROUP":
        return
    if kind == "ORDER" and parts[-1].word != "DESC":
        yield _Edit("descending", parts[-1].end, parts[-1].end, " DESC")
    bare = parts[:-1] if parts[-1].word in ("DESC", "ASC") else parts
    yield _Edit(f"not by, in {kind},", bare[0].start, bare[-1].end, "(SELECT NULL)")


def _kind_of_by(one: Group, first: Part) -> str:
    kind = ""
    for part in one.parts:
        if part is first:
            break
        if part.word in ("ORDER", "PARTITION", "GROUP"):
            kind = part.word
    return kind


def _unions(one: Group) -> Iterator[_Edit]:
    at = [n for n, part in enumerate(one.parts) if part.word == "UNION"]
    if not at:
        return
    branches = split(one.parts, "UNION")
    for n, branch in enumerate(branches):
        start = branch[0].start if n == 0 else one.parts[at[n - 1]].start
        if n == 0:
            follower = branches[1][1] if branches[1][0].word == "ALL" else branches[1][0]
            yield _Edit("no branch", start, follower.start, "")
        else:
            yield _Edit("no branch", start, branch[-1].end, "")
    for n in at:
        union = one.parts[n]
        if one.parts[n + 1].word != "ALL":
            yield _Edit("repeats kept by", union.start, union.end, "UNION ALL")
