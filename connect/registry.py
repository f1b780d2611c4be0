"""Whether the schema registry answers: a connector that waits for it looks as if it ran."""

from __future__ import annotations

import httpx

ANSWER_SECONDS = 5.0


def registry_answers(url: str) -> bool:
    """One small question over the interface that consumers use; `url` is the base without a path."""
    try:
        return httpx.get(f"{url.rstrip('/')}/apis/ccompat/v7/subjects", timeout=ANSWER_SECONDS).is_success
    except httpx.HTTPError:
        return False
