"""Where the services are, and the secrets to reach them.

Read from the environment, else from `.env`, else from the local stack of this checkout
(`.waybill/stack/addresses.json`, written by `waybill stack up`). Whoever names another host, bootstrap or url for a
service brings all of that service's values: the local stack's secrets are not sent elsewhere. Nothing here connects.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from waybill.errors import SettingsError

STACK_FILE = Path(".waybill/stack/addresses.json")


class Service(BaseModel):
    """Base of the address models; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Mysql(Service):
    """The source. `database` is the schema with the three tables."""

    host: str
    port: int = 3306
    user: str
    password: SecretStr = SecretStr("")
    database: str = "kuaisong"


class Kafka(Service):
    """`bootstrap` is a comma-separated list of host:port."""

    bootstrap: str


class Registry(Service):
    """Base URL of the schema registry, without a path."""

    url: str


class Connect(Service):
    """URL of Kafka Connect's REST interface."""

    url: str


class S3(Service):
    """An S3 endpoint; an empty `url` means the vendor's own."""

    url: str = ""
    access_key: str = ""
    secret_key: SecretStr = SecretStr("")
    bucket: str = "waybill"
    region: str = "us-east-1"


class Warehouse(Service):
    """PostgreSQL here, Redshift in production."""

    host: str
    port: int = 5432
    user: str
    password: SecretStr = SecretStr("")
    database: str = "waybill"


SERVICES: dict[str, type[Service]] = {
    "mysql": Mysql,
    "kafka": Kafka,
    "registry": Registry,
    "connect": Connect,
    "s3": S3,
    "warehouse": Warehouse,
}


def variable(service: str, key: str) -> str:
    """Name of the environment variable for one value, e.g. `WAYBILL_MYSQL_HOST`."""
    return f"WAYBILL_{service.upper()}_{key.upper()}"


class Addresses:
    """Addresses of all services; each is checked when it is first asked for.

    Raises `SettingsError` naming the missing variable. `root` is the checkout's folder.
    """

    def __init__(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        self._values = values

    @classmethod
    def load(cls, root: Path | None = None, environ: Mapping[str, str] | None = None) -> Addresses:
        """Environment before `.env` before the running stack, value by value."""
        root = root or Path.cwd()
        env = dict(os.environ if environ is None else environ)
        dotenv = {k: v for k, v in dotenv_values(root / ".env").items() if v is not None}
        stack: dict[str, dict[str, Any]] = {}
        if (root / STACK_FILE).is_file():
            stack = json.loads((root / STACK_FILE).read_text())
        values: dict[str, dict[str, Any]] = {}
        for service, model in SERVICES.items():
            own = {}
            for key in model.model_fields:
                name = variable(service, key)
                if name in env:
                    own[key] = env[name]
                elif name in dotenv:
                    own[key] = dotenv[name]
            # Another server named: the local stack's password is not for it.
            elsewhere = any(key in own for key in ("host", "bootstrap", "url"))
            found = own if elsewhere else {**stack.get(service, {}), **own}
            values[service] = found
        return cls(values)

    def _service(self, name: str) -> Any:
        try:
            return SERVICES[name].model_validate(dict(self._values.get(name, {})))
        except ValidationError as error:
            first = error.errors()[0]
            key = str(first["loc"][0]) if first["loc"] else "?"
            raise SettingsError(
                f"the address of {name} is incomplete: {key}: {first['msg']}",
                todo=f"start the local stack (waybill stack up), or set {variable(name, key)}",
            ) from error

    @cached_property
    def mysql(self) -> Mysql:
        result: Mysql = self._service("mysql")
        return result

    @cached_property
    def kafka(self) -> Kafka:
        result: Kafka = self._service("kafka")
        return result

    @cached_property
    def registry(self) -> Registry:
        result: Registry = self._service("registry")
        return result

    @cached_property
    def connect(self) -> Connect:
        result: Connect = self._service("connect")
        return result

    @cached_property
    def s3(self) -> S3:
        result: S3 = self._service("s3")
        return result

    @cached_property
    def warehouse(self) -> Warehouse:
        result: Warehouse = self._service("warehouse")
        return result

    def plain(self) -> dict[str, dict[str, Any]]:
        """All values as plain data, secrets readable: for `stack env` and child processes."""
        return {name: dict(self._values.get(name, {})) for name in SERVICES}

    def environment(self) -> dict[str, str]:
        """The same as environment variables."""
        return {
            variable(service, key): str(value)
            for service, found in self.plain().items()
            for key, value in found.items()
        }
