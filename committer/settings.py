"""Settings of the commit cycle and the declaration of a mart: declared here, read from `pipeline.yml`."""

from __future__ import annotations

import re
from typing import Literal

from cronsim import CronSim, CronSimError
from pydantic import BaseModel, ConfigDict, Field, field_validator

from waybill.clock import utc_now
from waybill.half_years import HalfYear

_NAME = re.compile(r"^[a-z_][a-z0-9_]*$")


def cron(value: str) -> str:
    """A valid cron expression of five fields. Raises ValueError."""
    try:
        CronSim(value, utc_now())
    except CronSimError as error:
        raise ValueError(f"not a cron expression ({error}); e.g. '*/15 * * * *'") from error
    return value


class Commit(BaseModel):
    """When cycles run and how long they may take."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schedule: str = Field("*/15 * * * *", description="cron expression, UTC")
    step_seconds: float = Field(600, gt=0, description="time limit of one step")
    cycle_seconds: float = Field(1800, gt=0, description="time limit of a whole cycle")
    lease_seconds: float = Field(60, ge=2, description="a holder that does not renew this long is replaced")
    retries: int = Field(2, ge=0, le=10, description="repeats of a cycle after an error that may pass")
    retry_seconds: float = Field(5, ge=0, description="pause before the first repeat; doubles")
    raw_keep_hours: float = Field(
        24,
        ge=0,
        description="raw rows that are in the marts stay this long after their load; END records an hour at least",
    )
    drift_seconds: float = Field(60, gt=0, description="how far MySQL's, the warehouse's and this clock may differ")

    _cron = field_validator("schedule")(cron)


class History(BaseModel):
    """Where rows go that leave a mart: one table a half-year, from the first on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first_half_year: str = Field(
        "2015h1", description="older rows have no table and stay; may be lowered, never raised", examples=["2025h1"]
    )
    readers: list[str] = Field([], description="roles that may read marts, history tables and all-time views")

    @field_validator("first_half_year")
    @classmethod
    def _half_year(cls, value: str) -> str:
        HalfYear.parse(value)
        return value

    @field_validator("readers")
    @classmethod
    def _role_names(cls, value: list[str]) -> list[str]:
        if any(not name for name in value):
            raise ValueError("a role has no name")
        return value

    @property
    def first(self) -> HalfYear:
        return HalfYear.parse(self.first_half_year)


class Mart(BaseModel):
    """One mart over a raw table: the latest version of every row of the active window, by key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="table in settlement_ods", examples=["mart_ecs_order_info"])
    on_delete: Literal["mark", "remove", "ignore"] = Field(
        "mark", description="a delete at the source marks the row, removes it, or only notes that it is gone there"
    )
    retention_days: int = Field(180, ge=1, le=36_500, description="rows older than this before the newest leave")
    follows: str | None = Field(
        None, description="mart of the same key whose rows' life these follow: in the mart while that row is"
    )
    gap_exception: str = Field(
        "ARCHIVE_ROUTING_GAP", max_length=64, description="exception type of a row that has no half-year to go to"
    )
    sort: list[str] = Field([], description="sort key on Redshift; an engine with indexes has one on the event time")
    order: int = Field(0, description="marts are applied in this order, equal ones as the file lists them")

    @field_validator("name")
    @classmethod
    def _plain_name(cls, value: str) -> str:
        if not _NAME.match(value) or len(value) > 48:
            raise ValueError("must be lower case letters, digits and _, at most 48 characters")
        return value

    @property
    def subject(self) -> str:
        """The name without `mart_`: what its history tables and its view are named by."""
        return self.name.removeprefix("mart_")

    @property
    def retention_seconds(self) -> int:
        return self.retention_days * 86_400
