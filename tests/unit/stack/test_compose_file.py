"""The compose file says by hand what the catalogue says for the native way: here they are held against each other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from stack import accounts
from stack.catalogue import (
    ALL,
    CONNECT,
    DEBEZIUM_VERSION,
    KAFKA,
    MONITORING,
    MYSQL,
    PROMETHEUS,
    REGISTRY,
    S3,
    SERVICES,
    WAREHOUSE,
    Service,
)
from stack.compose import BUILT_FROM, MONITORING_PROFILE, VARIABLES
from stack.services.mysql import account_statements
from stack.services.prometheus import TARGETS

ROOT = Path(__file__).resolve().parents[3]
FILE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


def environment(service: Service) -> dict[str, str]:
    return {name: str(value) for name, value in FILE[service.name]["environment"].items()}


def test_it_has_the_catalogues_services_in_its_order() -> None:
    assert list(FILE) == [each.name for each in ALL]


@pytest.mark.parametrize("service", [each for each in ALL if each is not CONNECT], ids=lambda each: each.name)
def test_images_are_pinned_as_in_the_catalogue(service: Service) -> None:
    assert FILE[service.name]["image"] == service.image


@pytest.mark.parametrize("service", SERVICES, ids=lambda each: each.name)
def test_every_service_is_reached_on_this_machine_only_and_reports_its_health(service: Service) -> None:
    described = FILE[service.name]
    (port,) = described["ports"]
    variable = VARIABLES[service.port.name]
    assert re.fullmatch(rf"127\.0\.0\.1:\$\{{{variable}:-\d+\}}:{service.port.container}", port)
    assert described["init"] is True
    assert described["healthcheck"]["retries"] * int(described["healthcheck"]["interval"].rstrip("s")) >= 60
    assert "mem_limit" in described
    assert sorted(described.get("depends_on", {})) == sorted(service.needs)


def test_the_ports_by_hand_are_all_different() -> None:
    defaults = [re.search(r":-(\d+)\}", FILE[each.name]["ports"][0]) for each in SERVICES]
    assert len({found.group(1) for found in defaults if found}) == len(SERVICES)


def test_mysql_has_the_catalogues_settings() -> None:
    given = dict(word.removeprefix("--").split("=", 1) for word in FILE["mysql"]["command"])
    assert given == dict(MYSQL.settings)


def test_mysql_makes_the_accounts_of_the_native_way_outside_the_binlog() -> None:
    script = (ROOT / "stack/containers/mysql-accounts.sql").read_text()
    statements = [line for line in script.splitlines() if line and not line.startswith("--")]
    assert statements[0] == "SET SESSION sql_log_bin = 0;"
    # The image itself sets root's password.
    assert statements[1:] == [text for text in account_statements() if not text.startswith("ALTER USER")]


def test_kafka_has_the_catalogues_settings() -> None:
    given = environment(KAFKA)
    for name, value in KAFKA.settings.items():
        assert given[f"KAFKA_{name.replace('.', '_').upper()}"] == value


def test_a_killed_broker_is_fenced_before_it_starts() -> None:
    (*shell, line) = FILE["kafka"]["command"]
    script, before = "/waybill/fence-killed-broker.sh", f"{KAFKA.data} {KAFKA.ports[1].container} "
    assert shell == ["bash", "-c"]
    assert f"bash {script} {before}" in line
    # What the image would do without a command of ours.
    assert line.endswith("&& exec /etc/kafka/docker/run")
    assert f"./stack/{Path(script).name}:{script}:ro" in FILE["kafka"]["volumes"]


def test_the_registry_has_the_catalogues_settings() -> None:
    assert REGISTRY.settings.items() <= environment(REGISTRY).items()


def test_connect_has_the_catalogues_settings() -> None:
    given = environment(CONNECT)
    for name, value in CONNECT.settings.items():
        upper = name.replace(".", "_").upper()
        assert given.get(f"CONNECT_{upper}", given.get(upper)) == value, name


def test_connect_is_told_where_things_are_as_it_sees_them() -> None:
    wanted = accounts.worker_environment(
        mysql_host="mysql", mysql_port=3306, registry_url="http://registry:8080", kafka_bootstrap="kafka:19092"
    )
    assert wanted.items() <= environment(CONNECT).items()


def test_s3_has_the_catalogues_settings() -> None:
    given = environment(S3)
    for name, value in S3.settings.items():
        assert given[name.replace(".", "_").upper()] == value


def test_the_warehouse_has_the_catalogues_settings_and_the_accounts() -> None:
    given = dict(word.removeprefix("-c").split("=", 1) for word in FILE["warehouse"]["command"][1:])
    assert given == dict(WAREHOUSE.settings)
    assert environment(WAREHOUSE) == {
        "POSTGRES_USER": accounts.WAREHOUSE_OWNER.user,
        "POSTGRES_PASSWORD": accounts.WAREHOUSE_OWNER.password,
        "POSTGRES_DB": accounts.WAREHOUSE_DATABASE,
    }


def test_data_live_in_named_volumes() -> None:
    for service in SERVICES:
        if service.data:
            assert f"{service.name}:{service.data}" in FILE[service.name]["volumes"]


def test_connect_is_built_from_the_images_that_are_asked_for_before() -> None:
    used = re.findall(r"^FROM (\S+)", (ROOT / "connect/Dockerfile").read_text(), re.MULTILINE)
    assert sorted(used) == sorted(BUILT_FROM)
    assert used[-1] == CONNECT.image


def test_the_plugin_is_built_against_the_versions_that_run() -> None:
    pom = (ROOT / "connect/converter/pom.xml").read_text()
    assert f"<debezium.version>{DEBEZIUM_VERSION}</debezium.version>" in pom
    assert f"<kafka.version>{CONNECT.version}</kafka.version>" in pom


@pytest.mark.parametrize("service", MONITORING, ids=lambda each: each.name)
def test_monitoring_is_started_on_request_only_and_listens_on_this_machine_only(service: Service) -> None:
    described = FILE[service.name]
    assert described["profiles"] == [MONITORING_PROFILE]
    # On the host's network a published port would say nothing: the address it listens on does.
    assert described["network_mode"] == "host" and "ports" not in described
    assert re.search(rf"127\.0\.0\.1:\$\{{{VARIABLES[service.port.name]}:-\d+\}}", yaml.safe_dump(described, width=999))
    assert described["init"] is True and "mem_limit" in described
    assert sorted(described.get("depends_on", {})) == sorted(service.needs)


def test_prometheus_has_the_catalogues_settings_and_finds_the_targets_where_its_file_says() -> None:
    words = FILE["prometheus"]["command"]
    assert [f"--{name}={value}" in words for name, value in PROMETHEUS.settings.items()] == [True]
    mounts = {each.split(":")[1]: each.split(":")[0] for each in FILE["prometheus"]["volumes"]}
    assert mounts[TARGETS.rstrip("/")] == "./.waybill/run/metrics"
    assert TARGETS in (ROOT / "stack/monitoring/prometheus/prometheus.yml").read_text()


def test_grafana_knows_the_prometheus_of_its_own_stack() -> None:
    source = (ROOT / "stack/monitoring/grafana/provisioning/datasources/prometheus.yaml").read_text()
    variable = VARIABLES["prometheus"]
    assert f"http://127.0.0.1:${{{variable}}}" in source
    assert FILE["grafana"]["environment"][variable] in " ".join(FILE["prometheus"]["command"])
