"""The object store: may we put, read back and remove, and does it refuse a second put of one key?"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from operations.doctor.examination import Check, Wrong
from waybill.errors import UnreachableError

_BODY = b"waybill doctor"


def checks(client: Any, bucket: str, prefix: str) -> Iterable[Check]:
    """Works on one object of its own under `prefix`, which it removes."""
    key = "/".join(part for part in (prefix.strip("/"), "_doctor", uuid.uuid4().hex) if part)
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as error:
        code = str(error.response["Error"]["Code"])
        raise Wrong(
            f"bucket {bucket}: {code} {error.response['Error'].get('Message', '')}".strip(),
            todo="make the bucket, or correct WAYBILL_S3_BUCKET"
            if code in ("404", "NoSuchBucket")
            else "check WAYBILL_S3_ACCESS_KEY and WAYBILL_S3_SECRET_KEY and the key's rights",
        ) from error
    except BotoCoreError as error:
        raise UnreachableError(
            f"the object store does not answer: {error}", todo="waybill stack up; check WAYBILL_S3_URL and the keys"
        ) from error
    yield "reachable", lambda: f"bucket {bucket}"
    yield "put", lambda: _put(client, bucket, key)
    yield "get", lambda: _get(client, bucket, key)
    yield "a second put is refused", lambda: _second_put(client, bucket, key)
    yield "delete", lambda: _delete(client, bucket, key)


def _put(client: Any, bucket: str, key: str) -> str:
    _allowed("put", lambda: client.put_object(Bucket=bucket, Key=key, Body=_BODY, IfNoneMatch="*"))
    return "allowed"


def _get(client: Any, bucket: str, key: str) -> str:
    found = _allowed("get", lambda: client.get_object(Bucket=bucket, Key=key)["Body"].read())
    if found != _BODY:
        raise Wrong("what was put is not what is read back", todo="do not use this object store")
    return "what was put is read back"


def _second_put(client: Any, bucket: str, key: str) -> str:
    try:
        client.put_object(Bucket=bucket, Key=key, Body=b"another", IfNoneMatch="*")
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status in (409, 412):
            return "If-None-Match is honoured"
        raise Wrong(
            f"a conditional put answers {status}", todo="use an object store that knows If-None-Match"
        ) from error
    raise Wrong(
        "If-None-Match is ignored: two owners could overwrite each other's objects",
        todo="use an object store that knows conditional puts",
    )


def _delete(client: Any, bucket: str, key: str) -> str:
    _allowed("delete", lambda: client.delete_object(Bucket=bucket, Key=key))
    return "allowed"


def _allowed(doing: str, action: Any) -> Any:
    try:
        return action()
    except ClientError as error:
        raise Wrong(
            f"{doing} is refused: {error.response['Error'].get('Code', '?')}",
            todo=f"allow the key to {doing} objects in the bucket",
        ) from error
