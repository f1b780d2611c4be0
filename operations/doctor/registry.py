"""The schema registry: the interface that consumers read and the one that the converter writes."""

from __future__ import annotations

from collections.abc import Iterable

import httpx

from operations.doctor.examination import Check, Wrong
from waybill.errors import UnreachableError

_READ = "/apis/ccompat/v7/subjects"
_WRITE = "/apis/registry/v2/system/info"


def checks(url: str) -> Iterable[Check]:
    """`url` is the base, without a path."""
    base = url.rstrip("/")
    subjects = _get(base, _READ)
    yield "reachable", lambda: base
    yield "Confluent-compatible interface", lambda: f"{len(_json(subjects, _READ))} subjects"
    yield "interface of the converter", lambda: f"version {_json(_get(base, _WRITE), _WRITE)['version']}"


def _get(base: str, path: str) -> httpx.Response:
    try:
        return httpx.get(base + path, timeout=8)
    except httpx.HTTPError as error:
        raise UnreachableError(
            f"the schema registry at {base} does not answer: {str(error) or type(error).__name__}",
            todo="waybill stack up; waybill stack logs registry",
        ) from error


def _json(answer: httpx.Response, path: str) -> dict[str, str]:
    if answer.status_code != httpx.codes.OK:
        raise Wrong(
            f"{path} answers {answer.status_code}: not a registry that serves this interface",
            todo="WAYBILL_REGISTRY_URL is the base URL, without a path; Apicurio 3.x serves both",
        )
    found: dict[str, str] = answer.json()
    return found
