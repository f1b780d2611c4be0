"""The bucket in memory: each key once. Its answers may be lost, other bytes may stand under a name, objects may go."""

from __future__ import annotations

import hashlib
from collections import Counter

from consumers.ports import Outcome
from tests.simulation.tasks import Switch
from waybill.errors import UnreachableError, WaybillError
from waybill.objects import epoch_of


class Bucket:
    """For consumers (put) and loaders (read)."""

    def __init__(self, switch: Switch, seen: Counter[str]) -> None:
        self._switch, self._seen = switch, seen
        self.objects: dict[str, bytes] = {}

    def check(self) -> None:
        return

    def put(self, key: str, body: bytes, sha256: str) -> Outcome:
        outcome = self._switch.point("put")
        if outcome in ("fail", "unknown"):
            self._seen["S3 put failed"] += 1
            raise UnreachableError("the bucket does not answer")
        assert hashlib.sha256(body).hexdigest() == sha256
        if outcome == "odd" and key not in self.objects:
            self.objects[key] = b"of another"
        if key in self.objects:
            same = self.objects[key] == body
            self._seen["object stood already" if same else "name taken"] += 1
            return Outcome.SAME if same else Outcome.DIFFERENT
        self.objects[key] = body
        if outcome == "lost":
            self._seen["S3 put, answer lost"] += 1
            raise UnreachableError("the bucket's answer was lost")
        return Outcome.STORED

    def greatest_epoch(self, prefix: str) -> int:
        if self._switch.point("list") != "ok":
            raise UnreachableError("the bucket does not answer")
        return max((epoch_of(key) or 0 for key in self.objects if key.startswith(prefix)), default=0)

    def read(self, key: str) -> bytes:
        outcome = self._switch.point("read")
        if outcome in ("fail", "lost", "unknown"):
            self._seen["S3 read failed"] += 1
            raise UnreachableError("the bucket does not answer")
        if outcome == "odd":
            self._seen["object spoiled"] += 1
            self.objects[key] = self.objects[key][:-1]
        if key not in self.objects:
            raise WaybillError(f"the object {key} is not in the bucket")
        return self.objects[key]
