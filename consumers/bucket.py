"""Putting Parquet objects into the bucket: written once, never overwritten."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from consumers.ports import Outcome
from waybill.errors import SettingsError, UnreachableError
from waybill.objects import epoch_of

_EXISTS = {"PreconditionFailed", "412", "ConditionalRequestConflict", "409"}
_WRONG = {"NoSuchBucket", "404", "InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "403"}


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """S3's errors as waybill's, the cause kept."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise UnreachableError(f"{doing}: {error}", kept="nothing was loaded of it; it is tried again") from error


class S3Bucket:
    """`client` is boto3's S3 client. Safe to call again after any error."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def check(self) -> None:
        try:
            with translated(f"looking for the bucket {self._name}"):
                self._client.head_bucket(Bucket=self._name)
        except UnreachableError as error:
            code = _code(error.__cause__)
            if code in _WRONG:
                raise SettingsError(
                    f"the bucket {self._name} cannot be used: {error.__cause__}",
                    todo="create it, or set WAYBILL_S3_BUCKET and the keys (waybill config env)",
                ) from error
            raise

    def put(self, key: str, body: bytes, sha256: str) -> Outcome:
        try:
            with translated(f"putting {key}"):
                self._client.put_object(
                    Bucket=self._name, Key=key, Body=body, IfNoneMatch="*", Metadata={"sha256": sha256}
                )
        except UnreachableError as error:
            if _code(error.__cause__) not in _EXISTS:
                raise
            return self._compare(key, len(body), sha256)
        return Outcome.STORED

    def _compare(self, key: str, size: int, sha256: str) -> Outcome:
        with translated(f"comparing {key}, which exists"):
            found = self._client.get_object(Bucket=self._name, Key=key)
            if found["ContentLength"] != size:
                return Outcome.DIFFERENT
            digest = hashlib.sha256(found["Body"].read()).hexdigest()
        return Outcome.SAME if digest == sha256 else Outcome.DIFFERENT

    def greatest_epoch(self, prefix: str) -> int:
        greatest = 0
        with translated(f"listing {prefix}"):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._name, Prefix=prefix):
                for found in page.get("Contents", ()):
                    greatest = max(greatest, epoch_of(found["Key"]) or 0)
        return greatest

    def keys_behind(self, prefix: str, key: str) -> list[str]:
        """The keys that begin with `prefix` and sort behind `key`, in order."""
        with translated(f"listing {prefix}"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._name, Prefix=prefix, StartAfter=key
            )
            return [found["Key"] for page in pages for found in page.get("Contents", ())]


def _code(error: BaseException | None) -> str:
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""
