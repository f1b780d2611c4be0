"""What a new configuration would change, key by key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_SECRET = re.compile(r"password|secret|token|credential|jaas|\.key$|passphrase", re.IGNORECASE)
_REFERENCE = re.compile(r"^\$\{[a-z]+:[^}]+\}$")
MASK = "********"


@dataclass(frozen=True)
class Change:
    """One key. `before` is None for a new key, `after` None for one that goes. Secrets are masked already."""

    key: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        if self.before is None:
            return f"+ {self.key} = {self.after}"
        if self.after is None:
            return f"- {self.key} = {self.before}"
        return f"~ {self.key} = {self.before} -> {self.after}"


def masked(key: str, value: str | None) -> str | None:
    """The value, hidden when the key names a secret and the value is not merely a reference to one."""
    if value is None or not _SECRET.search(key) or _REFERENCE.match(value):
        return value
    return MASK


def changes(before: Mapping[str, str] | None, after: Mapping[str, str]) -> list[Change]:
    """The differing keys in alphabetical order. `name`, which Connect adds by itself, is left out."""
    old = dict(before or {})
    keys = sorted((old.keys() | after.keys()) - {"name"})
    return [
        Change(key, masked(key, old.get(key)), masked(key, after.get(key)))
        for key in keys
        if old.get(key) != after.get(key)
    ]
