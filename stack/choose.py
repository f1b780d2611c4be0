"""Which way the stack is started: brought along by the user, containers, or native."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

from dotenv import dotenv_values

from stack.layout import Layout
from stack.way import Way
from waybill.errors import RefusedError, UnreachableError

NATIVE, COMPOSE = "native", "compose"

REQUIRED = (
    "WAYBILL_MYSQL_HOST",
    "WAYBILL_KAFKA_BOOTSTRAP",
    "WAYBILL_REGISTRY_URL",
    "WAYBILL_CONNECT_URL",
    "WAYBILL_S3_BUCKET",
    "WAYBILL_WAREHOUSE_HOST",
)
"""Whoever sets all of these brings services of their own."""


@dataclass(frozen=True)
class Choice:
    """The way that was taken, and the reason in a sentence for a person."""

    name: str
    way: Way
    why: str


def brought(layout: Layout, environ: Mapping[str, str] | None = None) -> bool:
    """Whether environment and `.env` name every service, and these are not this checkout's own stack's.

    `eval "$(waybill stack env)"` sets the same names: then the stack is still ours to start and stop.
    """
    env: dict[str, str | None] = dict(dotenv_values(layout.root / ".env"))
    env.update(os.environ if environ is None else environ)
    if not all(env.get(name) for name in REQUIRED):
        return False
    if not layout.addresses_file.is_file():
        return True
    own = json.loads(layout.addresses_file.read_text())
    return any(
        env.get(f"WAYBILL_{service}_{key}") != str(own[service.lower()][key.lower()])
        for service, key in (name.removeprefix("WAYBILL_").split("_", 1) for name in REQUIRED)
    )


def way(name: str, layout: Layout) -> Way:
    """The way of that name; only its own code is loaded."""
    if name == COMPOSE:
        from stack.compose import ComposeWay

        return ComposeWay(layout)
    from stack.native import NativeWay

    return NativeWay(layout)


def taken(layout: Layout) -> str | None:
    """The way of the stack that runs or has data here; None when there is none."""
    try:
        name = layout.way_file.read_text().strip()
    except FileNotFoundError:
        return None
    return name if name in (NATIVE, COMPOSE) else None


def remember(layout: Layout, name: str | None) -> None:
    """Keep which way was taken; None forgets it."""
    if name is None:
        layout.way_file.unlink(missing_ok=True)
        return
    layout.way_file.parent.mkdir(parents=True, exist_ok=True)
    layout.way_file.write_text(name + "\n")


def choose(layout: Layout, wanted: str | None = None) -> Choice:
    """The way to start the stack: the one asked for, else the one taken before, else containers if they can be
    had, else native.

    Raises RefusedError when the other way's stack runs, UnreachableError when the way asked for cannot be taken.
    """
    before = taken(layout)
    if wanted and before and wanted != before:
        if _runs(way(before, layout)):
            raise RefusedError(
                f"the stack of this checkout runs the {before} way",
                kept="it goes on running",
                todo=f"waybill stack down, then waybill stack up --{wanted}; each way has data of its own",
            )
    elif before and not wanted and way(before, layout).available() is None:
        return Choice(before, way(before, layout), "as last time")
    if wanted:
        chosen = way(wanted, layout)
        reason = chosen.available()
        if reason is not None:
            raise UnreachableError(f"the {wanted} way cannot be taken: {reason}", todo="waybill stack up")
        return Choice(wanted, chosen, "as asked for")
    containers = way(COMPOSE, layout)
    reason = containers.available()
    if reason is None:
        return Choice(COMPOSE, containers, "a container engine answers")
    native = way(NATIVE, layout)
    obstacle = native.available()
    if obstacle is not None:
        raise UnreachableError(
            f"the stack can be started neither in containers ({reason}) nor natively ({obstacle})",
            todo="start a container engine, or set the addresses of services of your own: waybill config env",
        )
    return Choice(NATIVE, native, reason)


def _runs(chosen: Way) -> bool:
    return any(each.state == "running" for each in chosen.status())
