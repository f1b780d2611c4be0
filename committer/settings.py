"""Settings of the commit cycle and the declaration of a mart: declared here, read from `pipeline.yml`."""

from __future__ import annotations

import re
from typing import Literal

from cronsim import CronSim, CronSimError
from pydantic import BaseModel, ConfigDict, Field, field_validator

from waybill.clock import utc_now

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
    drift_seconds: float = Field(60, gt=0, description="how far MySQL's, the warehouse's and this clock may differ")

    _cron = field_validator("schedule")(cron)


class Mart(BaseModel):
    """One mart over a raw table: the latest version of every row, by key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="table in settlement_ods", examples=["mart_ecs_order_info"])
    on_delete: Literal["mark"] = Field("mark", description="what a delete at the source does to the row")
    order: int = Field(0, description="marts are applied in this order, equal ones as the file lists them")

    @field_validator("name")
    @classmethod
    def _plain_name(cls, value: str) -> str:
        if not _NAME.match(value) or len(value) > 50:
            raise ValueError("must be lower case letters, digits and _, at most 50 characters")
        return value
