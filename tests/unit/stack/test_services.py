"""The catalogue is consistent, and what it says reaches each service's command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stack import accounts, choose
from stack.catalogue import ALL, CONNECT, KAFKA, MYSQL, SERVICES, service
from stack.install.parts import Parts
from stack.layout import Layout, cache_folder
from stack.log import tail
from stack.native import ends_first
from stack.progress import Progress
from stack.services import MONITORING_NATIVES, NATIVES
from stack.services.launch import Launch, Place, properties

PORTS = {port.name: 20000 + number for number, port in enumerate(port for each in ALL for port in each.ports)}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    layout = Layout(tmp_path / "my checkout", tmp_path / "cache")
    folder = tmp_path / "parts"
    (folder / "mysql/usr/lib/x86_64-linux-gnu").mkdir(parents=True)
    (folder / "mysql/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2").touch()
    parts = Parts(folder, folder / "mysql", folder / "plugins", ("a.B",), folder / "java", folder / "java", folder)
    return Place(layout, parts, PORTS, accounts.addresses(PORTS))


def test_a_service_stands_after_those_it_needs() -> None:
    seen: set[str] = set()
    for each in SERVICES:
        assert set(each.needs) <= seen, each.name
        seen.add(each.name)
    assert set(NATIVES) == seen


def test_an_unknown_service_is_answered_with_those_there_are() -> None:
    with pytest.raises(KeyError, match="mysql, kafka"):
        service("oracle")


def test_users_of_a_service_end_before_it() -> None:
    assert ends_first()[0] == ["connect"]
    assert sorted(name for group in ends_first() for name in group) == sorted(each.name for each in SERVICES)


def test_every_service_listens_on_this_machine_only(place: Place) -> None:
    for name in ("mysql", "kafka", "connect", "s3", "registry"):
        launch = NATIVES[name].launch(place)
        told = " ".join([*launch.argv, *launch.environment.values(), *launch.files.values()])
        assert "127.0.0.1" in told, name
        assert "0.0.0.0" not in told, name


def test_prometheus_listens_on_this_machine_only_and_reads_the_targets_of_its_checkout(place: Place) -> None:
    launch = MONITORING_NATIVES["prometheus"].launch(place)
    assert f"--web.listen-address=127.0.0.1:{PORTS['prometheus']}" in launch.argv
    assert f"{place.layout.root}/.waybill/run/metrics/*.json" in launch.files[place.config("prometheus.yml")]
    assert "alert: WaybillTableStopped" in launch.files[place.config("rules.yml")]


def test_the_settings_of_the_catalogue_reach_the_services(place: Place) -> None:
    mysqld = NATIVES["mysql"].launch(place).argv
    assert all(f"--{name}={value}" in mysqld for name, value in MYSQL.settings.items())
    for each in (KAFKA, CONNECT):
        written = "".join(NATIVES[each.name].launch(place).files.values()).splitlines()
        assert all(f"{name}={value}" in written for name, value in each.settings.items()), each.name


def test_the_worker_gets_addresses_and_secrets_by_its_environment_only(place: Place) -> None:
    launch = NATIVES["connect"].launch(place)
    assert launch.environment["CONNECT_SOURCE_REGISTRY_URL"].endswith("/apis/registry/v2")
    assert launch.environment["CONNECT_SOURCE_MYSQL_PORT"] == str(PORTS["mysql"])
    written = "".join(launch.files.values()) + " ".join(launch.argv)
    assert accounts.MYSQL_DEBEZIUM.password not in written


def test_a_launch_with_another_setting_has_another_fingerprint() -> None:
    one = Launch(("a", "b"), {"X": "1"}, {Path("f"): "text"})
    assert one.fingerprint() == Launch(("a", "b"), {"X": "1"}, {Path("f"): "text"}).fingerprint()
    others = [Launch(("a b",), {"X": "1"}, {Path("f"): "text"}), Launch(("a", "b"), {"X": "2"}, {Path("f"): "text"})]
    assert all(other.fingerprint() != one.fingerprint() for other in others)


def test_properties_hold_spaces_backslashes_and_any_letter() -> None:
    assert properties({"log.dirs": "/my checkout/ü\\😀"}) == "log.dirs=/my checkout/\\u00fc\\\\\\ud83d\\ude00\n"


def test_the_cache_follows_the_environment() -> None:
    assert cache_folder({"WAYBILL_CACHE": "/a b"}) == Path("/a b")
    assert cache_folder({"XDG_CACHE_HOME": "/x"}) == Path("/x/waybill")
    assert cache_folder({}).parts[-2:] == (".cache", "waybill")


def test_services_are_brought_only_when_all_are_named(tmp_path: Path) -> None:
    layout = Layout(tmp_path, tmp_path)
    env = dict.fromkeys(choose.REQUIRED, "elsewhere")
    assert choose.brought(layout, env)
    assert not choose.brought(layout, {name: env[name] for name in choose.REQUIRED[1:]})
    (tmp_path / ".env").write_text(f"{choose.REQUIRED[0]}=elsewhere\r\n")
    assert choose.brought(layout, {name: env[name] for name in choose.REQUIRED[1:]})


def test_the_addresses_of_our_own_stack_in_the_environment_are_not_brought(tmp_path: Path) -> None:
    layout = Layout(tmp_path, tmp_path)
    own = accounts.addresses(PORTS)
    layout.state.mkdir(parents=True)
    layout.addresses_file.write_text(json.dumps(own))
    env = {
        f"WAYBILL_{name.upper()}_{key.upper()}": str(value)
        for name, found in own.items()
        for key, value in found.items()
    }
    assert not choose.brought(layout, env)
    assert choose.brought(layout, {**env, "WAYBILL_KAFKA_BOOTSTRAP": "elsewhere:9092"})


def test_the_end_of_a_log_is_read_whatever_its_length(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    assert tail(log, 5) == ""
    log.write_text("".join(f"line {number} {'x' * 100}\n" for number in range(5000)))
    assert tail(log, 2).splitlines()[0].startswith("line 4998 ")
    assert len(tail(log, 2000).splitlines()) == 2000
    assert tail(log, 0) == ""


def test_progress_says_what_is_left() -> None:
    said: list[str] = []
    with Progress(said.append) as progress:
        progress.expect("kafka", "connect")
        with progress.part("kafka", "starting"):
            pass
    assert "kafka: starting" in said[0]
    assert said[1].endswith("; left: connect")
