"""Asking Prometheus. Source: Prometheus documentation, "HTTP API"."""

from __future__ import annotations

from typing import Any, NamedTuple

import httpx

from waybill.errors import UnreachableError, WaybillError

_SECONDS = 20.0


class Series(NamedTuple):
    """One line: its labels, and (seconds since 1970, value) pairs."""

    labels: dict[str, str]
    points: list[tuple[float, float]]


class Prometheus:
    """Raises `UnreachableError` when it does not answer, `WaybillError` for a query it refuses."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=_SECONDS)

    def now(self, promql: str) -> list[Series]:
        """Each series' value now."""
        found = self._ask("/api/v1/query", {"query": promql})
        return [Series(one["metric"], [_point(one["value"])]) for one in found]

    def span(self, promql: str, start: float, end: float, step: float) -> list[Series]:
        """Each series from `start` to `end` (seconds since 1970), a value every `step` seconds."""
        found = self._ask("/api/v1/query_range", {"query": promql, "start": start, "end": end, "step": step})
        return [Series(one["metric"], [_point(each) for each in one["values"]]) for one in found]

    def _ask(self, path: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        try:
            answer = self._http.get(path, params=parameters)
            told = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise UnreachableError(
                f"Prometheus does not answer on {self._http.base_url}: {error}", todo="waybill stack up --monitoring"
            ) from error
        if told.get("status") != "success":
            raise WaybillError(f"Prometheus refuses {parameters['query']!r}: {told.get('error')}")
        found: list[dict[str, Any]] = told["data"]["result"]
        return found


def _point(pair: list[Any]) -> tuple[float, float]:
    return float(pair[0]), float(pair[1])
