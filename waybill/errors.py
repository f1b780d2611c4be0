"""Every error waybill raises on purpose, by what the caller should do.

WaybillError                 the root; carries the process's exit code (spec section 16)
├── SettingsError      2     wrong use or wrong settings: mend them, nothing was started
├── UnreachableError   3     a part that waybill needs does not answer: wait and try again
│   ├── UnknownSchema        the registry answers, and has no such schema id: wait, then a person decides
│   ├── ConflictError        another transaction won: repeat the whole transaction
│   └── CommitUnknown        COMMIT was sent, its answer lost: ask the ledger, never guess
├── RefusedError       4     it would not be safe: a person decides
│   ├── StoppedTable         one table stops, the others go on
│   └── StaleOwner           somebody else owns this partition or cycle now
├── FoundDifference    1     a check ran and found something
└── BadMessage               one message cannot be decoded: the dead-letter topic's business
"""

from __future__ import annotations


class WaybillError(Exception):
    """What happened, to what; `kept` says what was not lost, `todo` what to type."""

    exit_code = 3

    def __init__(self, what: str, *, kept: str = "", todo: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.kept = kept
        self.todo = todo

    def __str__(self) -> str:
        lines = [self.what]
        if self.kept:
            lines.append(f"  not lost: {self.kept}")
        if self.todo:
            lines.append(f"  what to do: {self.todo}")
        return "\n".join(lines)


class SettingsError(WaybillError):
    """Wrong use or settings; raised before anything is started."""

    exit_code = 2


class UnreachableError(WaybillError):
    """A service did not answer. Nothing was decided; trying again later is right."""

    exit_code = 3


class UnknownSchema(UnreachableError):
    """The schema registry answered that it does not know an id: a lost schema or a damaged message, nobody can tell."""

    def __init__(self, what: str, schema_id: int, *, kept: str = "", todo: str = "") -> None:
        super().__init__(what, kept=kept, todo=todo)
        self.schema_id = schema_id


class ConflictError(UnreachableError):
    """The warehouse rolled this transaction back in favour of another; repeat all of it."""


class CommitUnknown(UnreachableError):
    """The connection broke between COMMIT and its answer; whether it took effect has to be read."""


class RefusedError(WaybillError):
    """It can be done but would not be safe; the message names the decision to take."""

    exit_code = 4


class StoppedTable(RefusedError):
    """One table cannot go on without a decision. `table` is `database.table`."""

    def __init__(self, table: str, what: str, *, kept: str = "", todo: str = "") -> None:
        super().__init__(f"{table} is stopped: {what}", kept=kept, todo=todo)
        self.table = table


class StaleOwner(RefusedError):
    """The epoch or lease held here is no longer the newest: another process took over."""


class FoundDifference(WaybillError):
    """A check ran to its end and found something."""

    exit_code = 1


class BadMessage(WaybillError):
    """One Kafka message that fastavro refuses or that contradicts itself. Its bytes are kept by the caller."""

    exit_code = 4
