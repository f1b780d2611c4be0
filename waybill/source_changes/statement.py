"""What a DDL statement says beyond the columns before and after it: renames, constant defaults, lost partitions.

The columns themselves come from Debezium's own parser (`tableChanges`); this reads only what that does not tell.
Source: MySQL Reference Manual, "ALTER TABLE Statement", "RENAME TABLE Statement".
"""

from __future__ import annotations

from dataclasses import dataclass, field

from waybill.source_changes.words import Kind, Word, clauses_of, words_of

_NOT_COLUMNS = (
    "INDEX", "KEY", "FULLTEXT", "SPATIAL", "CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "PARTITION",
)  # fmt: skip
_LOSSY = ("DROP", "TRUNCATE", "EXCHANGE", "DISCARD", "IMPORT")


@dataclass
class Statement:
    """One statement, or several of one table read as one. Names of columns in lower case."""

    table: str = ""  # of an ALTER TABLE, database.table
    renamed_columns: dict[str, str] = field(default_factory=dict)  # old -> new
    added: set[str] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)
    constants: dict[str, str | None] = field(default_factory=dict)  # of added columns: DEFAULT, a constant
    computed: set[str] = field(default_factory=set)  # of added columns: DEFAULT or value is an expression
    renamed_tables: list[tuple[str, str]] = field(default_factory=list)  # (from, to), database.table
    lost_partitions: str = ""  # e.g. TRUNCATE PARTITION

    def and_then(self, other: Statement) -> Statement:
        """Both, one after the other, of one table."""
        renames = {old: other.renamed_columns.get(new, new) for old, new in self.renamed_columns.items()}
        renames |= {old: new for old, new in other.renamed_columns.items() if old not in self.renamed_columns.values()}
        return Statement(
            other.table or self.table,
            renames,
            (self.added - other.dropped) | other.added,
            self.dropped | (other.dropped - self.added),
            {**self.constants, **other.constants},
            (self.computed - other.dropped) | other.computed,
            self.renamed_tables + other.renamed_tables,
            other.lost_partitions or self.lost_partitions,
        )


def read(ddl: str, database: str) -> Statement:
    """What a statement says; nothing of one that is neither ALTER nor RENAME. `database`: of names without one."""
    words = words_of(ddl)
    found = Statement()
    if len(words) > 2 and words[0].says("RENAME") and words[1].says("TABLE", "TABLES"):
        for clause in clauses_of(words[2:]):
            old, rest = _table(clause, database)
            if rest and rest[0].says("TO"):
                found.renamed_tables.append((old, _table(rest[1:], database)[0]))
    if len(words) > 2 and words[0].says("ALTER") and any(word.says("TABLE") for word in words[1:4]):
        at = next(i for i, word in enumerate(words) if word.says("TABLE"))
        found.table, rest = _table(words[at + 1 :], database)
        for clause in clauses_of(rest):
            _alter(found, clause, database)
    return found


def _table(words: list[Word], database: str) -> tuple[str, list[Word]]:
    """(database.table, what follows it)."""
    if len(words) > 2 and words[1].says("."):
        return f"{words[0].text}.{words[2].text}", words[3:]
    return (f"{database}.{words[0].text}", words[1:]) if words else ("", [])


def _alter(found: Statement, clause: list[Word], database: str) -> None:
    first, rest = clause[0], clause[1:]
    if first.says(*_LOSSY) and rest and rest[0].says("PARTITION", "TABLESPACE"):
        found.lost_partitions = f"{first.text.upper()} {rest[0].text.upper()}"
    elif first.says("RENAME"):
        _rename(found, rest, database)
    elif first.says("ADD"):
        _add(found, _without(rest, "COLUMN"))
    elif first.says("DROP"):
        rest = _without(rest, "COLUMN")
        if rest and not rest[0].says(*_NOT_COLUMNS):
            found.dropped.add(rest[0].text.lower())
    elif first.says("CHANGE"):
        rest = _without(rest, "COLUMN")
        if len(rest) > 1 and rest[0].text.lower() != rest[1].text.lower():
            found.renamed_columns[rest[0].text.lower()] = rest[1].text.lower()


def _rename(found: Statement, rest: list[Word], database: str) -> None:
    if rest and rest[0].says("COLUMN"):
        if len(rest) > 3 and rest[2].says("TO"):
            found.renamed_columns[rest[1].text.lower()] = rest[3].text.lower()
    elif rest and not rest[0].says("INDEX", "KEY"):
        rest = rest[1:] if rest[0].says("TO", "AS", "=") else rest
        found.renamed_tables.append((found.table, _table(rest, database)[0]))


def _add(found: Statement, rest: list[Word]) -> None:
    if not rest or rest[0].says(*_NOT_COLUMNS):
        return
    if rest[0].says("("):
        for inner in clauses_of(rest[1:-1]):
            _add(found, inner)
        return
    name = rest[0].text.lower()
    found.added.add(name)
    depth = 0
    for at, word in enumerate(rest):
        depth += word.says("(") - word.says(")")
        if depth == 0 and word.says("DEFAULT"):
            _default(found, name, rest[at + 1 :])
        # GENERATED ALWAYS AS (...), or AS (...) alone; an AUTO_INCREMENT numbers the rows there are
        if depth == 0 and (word.says("AUTO_INCREMENT") or [w.says("AS", "(") for w in rest[at : at + 2]] == [True] * 2):
            found.computed.add(name)


def _default(found: Statement, name: str, rest: list[Word]) -> None:
    sign = ""
    if rest and rest[0].says("-", "+"):
        sign, rest = rest[0].text, rest[1:]
    if rest and rest[0].says("NULL"):
        found.constants[name] = None
    elif rest and rest[0].kind in (Kind.TEXT, Kind.NUMBER):
        found.constants[name] = sign.replace("+", "") + rest[0].text
    elif rest and rest[0].says("TRUE", "FALSE"):
        found.constants[name] = "1" if rest[0].says("TRUE") else "0"
    elif len(rest) > 1 and rest[1].kind is Kind.TEXT and rest[0].says("B", "X"):
        found.constants[name] = str(int(rest[1].text or "0", 2 if rest[0].says("B") else 16))
    elif len(rest) > 1 and rest[1].kind is Kind.TEXT and rest[0].says("DATE", "TIME", "TIMESTAMP"):
        found.constants[name] = rest[1].text
    elif len(rest) > 1 and rest[1].kind is Kind.TEXT and rest[0].text.startswith("_"):
        found.constants[name] = rest[1].text  # a character set before the text
    else:
        found.computed.add(name)


def _without(words: list[Word], keyword: str) -> list[Word]:
    return words[1:] if words and words[0].says(keyword) else words
