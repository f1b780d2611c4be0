"""What is loaded is what was stored: each object is read back and compared with what its writer said of it."""

from __future__ import annotations

import hashlib
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import BotoCoreError, ClientError

from loaders.ports import Objects
from waybill.errors import UnreachableError, WaybillError
from waybill.objects import StoredBatch

_ABSENT = {"NoSuchKey", "404"}


class S3Objects:
    """`client` is boto3's S3 client."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def read(self, key: str) -> bytes:
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=key)
            return bytes(found["Body"].read())
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _ABSENT:
                raise WaybillError(
                    f"the object {key} is not in the bucket {self._bucket}",
                    kept="nothing of it was loaded; its events are in Kafka",
                    todo="restart the consumer (it reads them again), and see who deletes objects",
                ) from error
            raise UnreachableError(f"reading {key}: {error}") from error
        except (BotoCoreError, OSError) as error:
            raise UnreachableError(f"reading {key}: {error}") from error


def read_back(objects: Objects, batch: StoredBatch) -> pa.Table:
    """The rows of a stored batch. Raises `WaybillError` when size, checksum or count differ from what was written."""
    body = objects.read(batch.key)
    if len(body) != batch.size or hashlib.sha256(body).hexdigest() != batch.sha256:
        raise WaybillError(
            f"the object {batch.key} is not what was written: {len(body)} bytes of {batch.size}, or another checksum",
            kept="nothing of it was loaded; its events are in Kafka",
            todo="restart the consumer (it reads them again under a new epoch), and see who writes to the bucket",
        )
    table = pq.read_table(pa.BufferReader(body))
    if table.num_rows != batch.rows:
        raise WaybillError(f"the object {batch.key} has {table.num_rows} rows, its writer said {batch.rows}")
    return table
