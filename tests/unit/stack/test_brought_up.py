"""`docker compose up --wait` gives up on containers that will be well a moment later: when it is asked again."""

from __future__ import annotations

from typing import Any

import pytest

from stack import compose
from stack.containers.engine import Container


class Said:
    """A project whose `up` fails as often as there are looks at its containers to come."""

    def __init__(self, *looks: list[tuple[str, str]]) -> None:
        self.looks = list(looks)
        self.asked = 0

    def show(self, *words: str) -> int:
        self.asked += 1
        return int(bool(self.looks))

    def containers(self) -> list[Container]:
        return [Container(f"service-{i}", str(i), str(i), *each, "") for i, each in enumerate(self.looks.pop(0))]


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose.time, "sleep", lambda seconds: None)


WELL, ILL, ENDED = ("running", "healthy"), ("running", "unhealthy"), ("exited", "")


@pytest.mark.parametrize(
    ("looks", "came", "asked"),
    [
        ([], True, 1),
        ([[WELL, ILL]], True, 2),
        ([[WELL, ILL]] * 40, True, 41),
        ([[WELL, WELL]], True, 2),
        ([[WELL, WELL]] * 9, False, 4),
        ([[WELL, ENDED], []], False, 1),
        ([[], []], False, 1),
    ],
    ids=["up", "ill", "long ill", "well by then", "well and never up", "ended", "none"],
)
def test_it_is_asked_again_while_all_run(looks: list[list[tuple[str, str]]], came: bool, asked: int) -> None:
    said: Any = Said(*looks)
    assert compose._brought_up(said, "up") is came
    assert said.asked == asked
