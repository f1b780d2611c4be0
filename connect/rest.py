"""Kafka Connect's REST interface, as far as one connector needs it.

Source: Kafka documentation, "Kafka Connect: REST API".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx

from waybill.clock import Clock, SystemClock
from waybill.errors import SettingsError, UnreachableError, WaybillError

REQUEST_SECONDS = 90.0
# Connect refuses writes with 409 while its workers share out their work anew.
REBALANCE_SECONDS = 60.0
PAUSE = 0.5


@dataclass(frozen=True)
class Task:
    """One task. `trace` is the Java stack trace of a failed one, else ''."""

    number: int
    state: str
    trace: str = ""


@dataclass(frozen=True)
class Status:
    """State of a connector and its tasks: RUNNING, PAUSED, STOPPED, FAILED, UNASSIGNED, RESTARTING."""

    state: str
    tasks: tuple[Task, ...] = ()
    trace: str = ""

    @property
    def runs(self) -> bool:
        return self.state == "RUNNING" and bool(self.tasks) and all(task.state == "RUNNING" for task in self.tasks)

    @property
    def failure(self) -> str | None:
        """The stack trace of what failed, None when nothing did."""
        if self.state == "FAILED":
            return self.trace
        return next((task.trace for task in self.tasks if task.state == "FAILED"), None)


class ConnectRest:
    """A client of one Connect cluster. A context manager.

    Raises UnreachableError when Connect does not answer or is not ready, SettingsError when it refuses a
    configuration, WaybillError for any other refusal.
    """

    def __init__(
        self, url: str, clock: Clock | None = None, transport: httpx.BaseTransport | None = None,
        seconds: float = REQUEST_SECONDS,
    ) -> None:  # fmt: skip
        self._url = url.rstrip("/")
        self._clock = clock or SystemClock()
        self._http = httpx.Client(base_url=self._url, timeout=seconds, transport=transport)

    def __enter__(self) -> ConnectRest:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._http.close()

    def connectors(self) -> list[str]:
        """Names of all connectors."""
        return sorted(self._ask("GET", "/connectors") or [])

    def config(self, name: str) -> dict[str, str] | None:
        """The stored configuration, None when there is no such connector."""
        found = self._ask("GET", f"/connectors/{quote(name, safe='')}/config")
        return None if found is None else {key: str(value) for key, value in found.items()}

    def put_config(self, name: str, config: Mapping[str, str]) -> None:
        """Create the connector or replace its configuration; its tasks restart."""
        try:
            self._ask("PUT", f"/connectors/{quote(name, safe='')}/config", dict(config))
        except UnreachableError:
            # Connect 4.3 loses Debezium's objections to a NullPointerException: ask for them, they may explain it.
            objections = self.objections(name, config)
            if objections:
                raise SettingsError(f"Kafka Connect refuses the settings: {'; '.join(objections)}") from None
            raise

    def objections(self, name: str, config: Mapping[str, str]) -> list[str]:
        """What the connector's own validation says against a configuration, `key: message` each; stores nothing."""
        kind = config["connector.class"]
        found = self._ask("PUT", f"/connector-plugins/{quote(kind, safe='')}/config/validate", {**config, "name": name})
        values = [each["value"] for each in found["configs"] if each.get("value")]
        return [f"{value['name']}: {message}" for value in values for message in value["errors"]]

    def status(self, name: str) -> Status | None:
        """None when there is no such connector, or when it is so new that it has no status yet."""
        found = self._ask("GET", f"/connectors/{quote(name, safe='')}/status")
        if found is None:
            return None
        return Status(
            state=found["connector"]["state"],
            trace=found["connector"].get("trace", ""),
            tasks=tuple(Task(task["id"], task["state"], task.get("trace", "")) for task in found.get("tasks", [])),
        )

    def restart(self, name: str, *, only_failed: bool = False) -> None:
        """Restart the connector and its tasks, or only what of them has failed. Nothing is lost by it."""
        self._ask(
            "POST",
            f"/connectors/{quote(name, safe='')}/restart?includeTasks=true&onlyFailed={str(only_failed).lower()}",
        )

    def pause(self, name: str) -> None:
        self._ask("PUT", f"/connectors/{quote(name, safe='')}/pause")

    def resume(self, name: str) -> None:
        """Undo pause and stop."""
        self._ask("PUT", f"/connectors/{quote(name, safe='')}/resume")

    def stop(self, name: str) -> None:
        """Like pause, but the task ends: needed before offsets are altered."""
        self._ask("PUT", f"/connectors/{quote(name, safe='')}/stop")

    def delete(self, name: str) -> bool:
        """Remove the connector; its offsets stay. False when there was none."""
        if self.config(name) is None:
            return False
        self._ask("DELETE", f"/connectors/{quote(name, safe='')}")
        return True

    def offsets(self, name: str) -> list[dict[str, Any]]:
        """The stored source offsets: `{"partition": {...}, "offset": {...}}` each; none for an unknown connector."""
        found = self._ask("GET", f"/connectors/{quote(name, safe='')}/offsets")
        return list(found["offsets"]) if found else []

    def forget_offsets(self, name: str, within: float = 60.0) -> None:
        """Stop the connector and forget its stored offsets: it takes a first snapshot when it runs again.

        Raises UnreachableError when it does not stop within that many seconds.
        """
        self.stop(name)
        deadline = self._clock.monotonic() + within
        while (found := self.status(name)) is None or found.state != "STOPPED" or found.tasks:
            if self._clock.monotonic() >= deadline:
                raise UnreachableError(
                    f"{name} did not stop within {within:g} s, its offsets are as they were", todo="try again"
                )
            self._clock.sleep(PAUSE)
        self._ask("DELETE", f"/connectors/{quote(name, safe='')}/offsets")

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON, None for 404 and for an empty answer."""
        deadline = self._clock.monotonic() + REBALANCE_SECONDS
        while True:
            try:
                answer = self._http.request(method, path, json=body)
            except httpx.HTTPError as error:
                raise UnreachableError(
                    f"Kafka Connect does not answer at {self._url}: {str(error) or type(error).__name__}",
                    kept="offsets and settings are in Kafka; the connector goes on where it was",
                    todo="waybill stack status; waybill stack logs connect",
                ) from error
            if answer.status_code != httpx.codes.CONFLICT or self._clock.monotonic() >= deadline:
                return self._understood(method, path, answer)
            self._clock.sleep(PAUSE)

    def _understood(self, method: str, path: str, answer: httpx.Response) -> Any:
        code = answer.status_code
        if code == httpx.codes.NOT_FOUND and method != "PUT":
            return None
        if code < httpx.codes.BAD_REQUEST:
            return answer.json() if answer.content else None
        message = _message(answer)
        if code == httpx.codes.CONFLICT:
            raise UnreachableError(
                f"Kafka Connect is busy sharing out its work: {message}", todo="try again in a minute"
            )
        if code == httpx.codes.BAD_REQUEST:
            raise SettingsError(f"Kafka Connect refuses the settings: {message}")
        if code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise UnreachableError(
                f"Kafka Connect cannot do {method} {path} now: {message}", todo="waybill stack logs connect"
            )
        raise WaybillError(f"Kafka Connect refuses {method} {path}: {code} {message}")


def _message(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["message"]).strip()
    except (ValueError, KeyError, TypeError):
        return answer.text.strip()[:500]
