"""A Kafka Connect in memory, as far as `connect.rest` speaks to it, and a clock that only moves when told to."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx

from connect.rest import ConnectRest


class ManualClock:
    """Time moves by `sleep` alone."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class FakeConnect:
    """One connector. `states` are answered one after the other, the last for ever: (connector, task, trace)."""

    def __init__(self, config: dict[str, str] | None = None, states: list[tuple[str, str, str]] | None = None) -> None:
        self.config = config
        self.states = states or [("RUNNING", "RUNNING", "")]
        self.offsets: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str]] = []
        self.refuses: httpx.Response | None = None
        self.conflicts = 0

    def rest(self, clock: ManualClock) -> ConnectRest:
        return ConnectRest("http://connect.test", clock, httpx.MockTransport(self._answer))

    def asked(self, method: str) -> list[str]:
        """Paths of all requests of that method."""
        return [path for what, path in self.requests if what == method]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode()
        self.requests.append((request.method, path))
        if self.conflicts:
            self.conflicts -= 1
            return httpx.Response(409, json={"error_code": 409, "message": "rebalance"})
        if request.method == "PUT" and path.endswith("/config"):
            if self.refuses is not None:
                return self.refuses
            self.config = json.loads(request.content)
            return httpx.Response(201, json={})
        if self.config is None:
            return httpx.Response(404, json={"error_code": 404, "message": "not found"})
        routes: dict[str, Callable[[], Any]] = {
            "/config": lambda: self.config,
            "/status": self._status,
            "/offsets": lambda: {"offsets": self.offsets},
        }
        for end, value in routes.items():
            if path.endswith(end) and request.method == "GET":
                return httpx.Response(200, json=value())
        return httpx.Response(204)

    def _status(self) -> dict[str, Any]:
        state, task, trace = self.states[0] if len(self.states) == 1 else self.states.pop(0)
        return {
            "name": "w",
            "connector": {"state": state},
            "tasks": [{"id": 0, "state": task, "trace": trace}] if task else [],
        }
