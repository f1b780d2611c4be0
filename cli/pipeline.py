"""The pipeline file: every room's settings in one YAML file, checked before anything starts."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ByteSize, ConfigDict, Field, ValidationError, field_validator, model_validator

from committer.settings import Commit, History, Mart, cron
from connect.settings import Source
from consumers.settings import Batching, Consume, Storage
from waybill.errors import SettingsError
from waybill.tables import Table

DEFAULT_FILE = Path("pipeline.yml")


class Entry(Table):
    """One table of the pipeline: how it is carried, batched, and which mart is built of it."""

    batch: Batching = Batching()
    memory: ByteSize = Field(ByteSize(256 * 2**20), ge=2**20, description="most bytes of messages held at a time")
    mart: Mart | None = Field(None, description="left out: the table goes to raw only")
    raw_keep_hours: float | None = Field(
        None, ge=0, description="of a table without a mart: how long raw rows stay after their load; left out: for ever"
    )


class Sync(BaseModel):
    """When consumers read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schedule: str = Field("continuous", description="'continuous', or a cron expression: catch up at every tick")
    query_seconds: float = Field(600, gt=0, description="time limit of one warehouse statement of a load")

    @field_validator("schedule")
    @classmethod
    def _continuous_or_cron(cls, value: str) -> str:
        return value if value == "continuous" else cron(value)


class Pipeline(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True, title="waybill pipeline")

    version: Literal[1] = 1
    source: Source = Source()
    storage: Storage = Storage()
    consume: Consume = Consume()
    sync: Sync = Sync()
    commit: Commit = Commit()
    history: History = History()
    tables: list[Entry] = Field(min_length=1)

    @model_validator(mode="after")
    def _distinct(self) -> Pipeline:
        for what, names in (
            ("source", [t.source for t in self.tables]),
            ("raw", [t.raw for t in self.tables]),
            ("mart.name", [t.mart.name for t in self.tables if t.mart]),
        ):
            twice = sorted({n for n in names if names.count(n) > 1})
            if twice:
                raise ValueError(f"{what} {twice[0]!r} is declared twice")
        for entry in self.tables:
            if entry.mart and not entry.event_time:
                raise ValueError(f"{entry.source} has a mart, so it needs an event_time")
            if entry.mart and entry.raw_keep_hours is not None:
                raise ValueError(f"{entry.source} has a mart, so commit.raw_keep_hours holds for its raw rows")
        self._check_leaders()
        return self

    def _check_leaders(self) -> None:
        """A mart follows one of the same key that is applied before it and follows none itself."""
        before: dict[str, Entry] = {}
        for entry in self.marts:
            assert entry.mart is not None
            place = f"tables[{self.tables.index(entry)}]"
            name, leader = entry.mart.name, before.get(entry.mart.follows or "")
            if entry.mart.follows is not None:
                if leader is None:
                    known = ", ".join(before) or "none"
                    raise ValueError(
                        f"{place}.mart.follows: {name} follows {entry.mart.follows!r}, which is no mart that is applied"
                        f" before it ({known})"
                    )
                if [k.lower() for k in leader.key] != [k.lower() for k in entry.key]:
                    raise ValueError(
                        f"{place}.key: {name} follows {entry.mart.follows}, so it needs the same key {leader.key},"
                        f" found {entry.key}"
                    )
            before[name] = entry

    @property
    def marts(self) -> list[Entry]:
        """The tables that have a mart, in the order they are applied."""
        return sorted((t for t in self.tables if t.mart), key=lambda t: t.mart.order if t.mart else 0)

    def table(self, name: str) -> Entry:
        """By source, table or raw name. Raises `SettingsError` naming those there are."""
        for entry in self.tables:
            if name in (entry.source, entry.name, entry.raw):
                return entry
        raise SettingsError(
            f"no table {name!r} in the pipeline file; it has {', '.join(t.source for t in self.tables)}"
        )


def load(path: Path = DEFAULT_FILE) -> Pipeline:
    """Read and check the file. Raises `SettingsError` with the place in the file, what was found, what is allowed."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"the pipeline file {path} cannot be read: {error.strerror}") from error
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SettingsError(f"{path} is not YAML: {error}") from error
    try:
        return Pipeline.model_validate(data)
    except ValidationError as error:
        raise SettingsError(_explain(path, error), todo="waybill config schema prints all that is allowed") from error


def _explain(path: Path, error: ValidationError) -> str:
    lines = [f"{path} is refused, nothing was started:"]
    for problem in error.errors():
        place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in problem["loc"]).lstrip(".")
        whole = not problem["loc"] or problem["type"] in ("missing", "extra_forbidden")
        found = "" if whole else f", found {problem['input']!r}"
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            message = f"unknown key{_near(problem['loc'])}"
        lines.append(f"  {place or 'the file'}: {message}{found}")
    return "\n".join(lines)


def _near(place: tuple[Any, ...]) -> str:
    """The allowed keys at a place, the nearest first."""
    model: Any = Pipeline
    for part in place[:-1]:
        if isinstance(part, int) or not hasattr(model, "model_fields"):
            continue
        annotation = model.model_fields[part].annotation
        inner = [a for a in (annotation, *getattr(annotation, "__args__", ())) if hasattr(a, "model_fields")]
        model = inner[0] if inner else None
    allowed = sorted(getattr(model, "model_fields", {}))
    close = difflib.get_close_matches(str(place[-1]), allowed, 1)
    return f"; did you mean {close[0]!r}?" if close else f"; allowed: {', '.join(allowed)}"
