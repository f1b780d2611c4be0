"""Kafka Connect: its plugins, exactly-once, and the connector."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import httpx

from connect.changes import changes
from connect.failures import explain
from connect.rest import ConnectRest
from operations.doctor.examination import Check, Wrong
from waybill.errors import UnreachableError

_CONNECTOR = "io.debezium.connector.mysql.MySqlConnector"
_TIMEOUT = 60.0


def checks(url: str, name: str, config: Mapping[str, str]) -> Iterable[Check]:
    """`config` are the settings that connector `name` should have."""
    base = url.rstrip("/")
    plugins = {p["class"]: p for p in _ask("GET", base, "/connector-plugins?connectorsOnly=false")}
    yield "reachable", lambda: f"{base}, Kafka Connect {_ask('GET', base, '/')['version']}"
    yield "Debezium's plugin", lambda: _plugin(plugins, _CONNECTOR)
    yield "converter plugin", lambda: _plugin(plugins, config["value.converter"])
    yield "settings accepted", lambda: _validated(base, {"name": name, **config})
    yield "connector", lambda: _connector(base, name)
    yield "connector's settings", lambda: _same_settings(base, name, config)


def _ask(method: str, base: str, path: str, body: Any = None) -> Any:
    try:
        answer = httpx.request(method, base + path, json=body, timeout=_TIMEOUT)
        answer.raise_for_status()
        return answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise UnreachableError(
            f"Kafka Connect at {base} does not answer: {str(error) or type(error).__name__}",
            todo="waybill stack up; waybill stack logs connect",
        ) from error


def _plugin(plugins: Mapping[str, Mapping[str, str]], wanted: str) -> str:
    if wanted not in plugins:
        raise Wrong(
            f"the worker has no {wanted}",
            todo="put it into the worker's plugin.path and restart it; the local stack does: waybill stack down, up",
        )
    return f"{wanted} {plugins[wanted].get('version', '')}".strip()


def _validated(base: str, config: Mapping[str, str]) -> str:
    """The worker checks every setting, asks MySQL, and knows whether exactly-once is on."""
    found = _ask("PUT", base, f"/connector-plugins/{_CONNECTOR}/config/validate", dict(config))
    values = [c["value"] for c in found["configs"] if c.get("value")]
    errors = {value["name"]: value["errors"] for value in values if value.get("errors")}
    if "exactly.once.support" in errors:
        raise Wrong(
            f"the worker does not write exactly once: {errors['exactly.once.support'][0]}",
            todo="start the Connect worker with exactly.once.source.support=enabled",
        )
    if errors:
        key, texts = next(iter(errors.items()))
        raise Wrong(f"{key}: {texts[0]}", todo="mend it in connect/mysql-source.json, then waybill connect apply")
    return "also exactly-once, and MySQL by the worker"


def _connector(base: str, name: str) -> str:
    with ConnectRest(base) as rest:
        status = rest.status(name)
    if status is None:
        raise Wrong(f"there is no connector {name}", todo="waybill connect apply")
    if status.failure is not None:
        why = explain(status.failure)
        raise Wrong(f"{name} has failed: {why.sentence}", todo=why.todo)
    if not status.runs:
        todo = "waybill connect resume" if status.state in ("PAUSED", "STOPPED") else "waybill connect restart"
        raise Wrong(f"{name} is {status.state.lower()}", todo=todo)
    return f"{name} runs"


def _same_settings(base: str, name: str, config: Mapping[str, str]) -> str:
    with ConnectRest(base) as rest:
        stored = rest.config(name)
    differing = changes(stored, config) if stored is not None else []
    if differing:
        raise Wrong(
            f"{len(differing)} differ from the pipeline file: {', '.join(c.key for c in differing[:3])}",
            todo="waybill connect apply --dry-run shows them, waybill connect apply sets them",
        )
    return "as in the pipeline file" if stored is not None else "none yet"
