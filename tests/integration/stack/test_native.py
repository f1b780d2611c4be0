"""Native services start, survive a kill with their data, keep their ports, and leave nothing behind."""

from __future__ import annotations

import socket
import zipfile
from pathlib import Path

import psycopg2
import pymysql
import pytest

from stack import ports, processes, starter
from stack.install import converter, parts
from stack.layout import Layout
from stack.native import NativeWay
from stack.progress import Progress
from stack.services import NATIVES, warehouse
from waybill.errors import UnreachableError


def _at(way: NativeWay, name: str) -> dict[str, object]:
    with Progress() as progress:
        return dict(way.place(progress).addresses[name])


def _state(way: NativeWay, name: str) -> str:
    return next(each.state for each in way.status() if each.name == name)


def _query(at: dict[str, object], statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(
        host=at["host"], port=at["port"], user=at["user"], password=at["password"], dbname=at["database"]
    )
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
        found = cursor.fetchall() if cursor.description else []
    connection.close()
    return found


def test_a_killed_warehouse_starts_again_at_once_with_its_data_and_port(own_stack: NativeWay) -> None:
    own_stack.start("warehouse")
    at = _at(own_stack, "warehouse")
    _query(at, "CREATE TABLE kept AS SELECT 1 AS one")
    for _ in range(2):
        own_stack.kill("warehouse")
        assert _state(own_stack, "warehouse") == "dead"
        own_stack.start("warehouse")
        assert _at(own_stack, "warehouse") == at
        assert _query(at, "SELECT one FROM kept") == [(1,)]


def test_a_killed_mysql_keeps_what_was_committed_and_its_gtids(own_stack: NativeWay) -> None:
    own_stack.start("mysql")
    at = _at(own_stack, "mysql")

    def run(statement: str) -> object:
        with (
            pymysql.connect(
                host=str(at["host"]), port=int(str(at["port"])), user=str(at["user"]), password=str(at["password"])
            ) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
            connection.commit()
            return cursor.fetchone()

    run("CREATE DATABASE kept")
    run("CREATE TABLE kept.t AS SELECT 1 AS one")
    before = run("SELECT @@global.gtid_executed")
    own_stack.kill("mysql")
    own_stack.start("mysql")
    assert run("SELECT one FROM kept.t") == (1,)
    assert run("SELECT @@global.gtid_executed") == before


def test_starting_what_runs_is_a_no_op_and_down_leaves_nothing(own_stack: NativeWay) -> None:
    own_stack.start("warehouse")
    first = own_stack.starter.identity("warehouse")
    own_stack.start("warehouse")
    assert own_stack.starter.identity("warehouse") == first is not None
    data = warehouse.data_folder(own_stack.layout)
    own_stack.down(wipe=True)
    assert not processes.alive(first)
    assert processes.marked(str(own_stack.layout.root)) == []
    assert not data.exists()


def test_a_process_whose_record_was_lost_is_ended_by_down(own_stack: NativeWay) -> None:
    own_stack.start("warehouse")
    lost = own_stack.starter.identity("warehouse")
    assert lost is not None
    (own_stack.layout.records / "warehouse.json").unlink()
    own_stack.down(wipe=False)
    assert not processes.alive(lost)


def test_a_port_taken_while_the_stack_is_down_is_chosen_anew(own_stack: NativeWay) -> None:
    own_stack.start("warehouse")
    before = ports.read(own_stack.layout.ports_file)
    own_stack.stop("warehouse")
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(("127.0.0.1", before["warehouse"]))
        thief.listen()
        own_stack.start("warehouse")
        after = ports.read(own_stack.layout.ports_file)
        assert after["warehouse"] != before["warehouse"]
        assert {**after, "warehouse": 0} == {**before, "warehouse": 0}
        assert _query(_at(own_stack, "warehouse"), "SELECT 1") == [(1,)]


def test_a_service_that_cannot_start_is_named_with_the_end_of_its_log(own_stack: NativeWay) -> None:
    own_stack.start("warehouse")
    own_stack.stop("warehouse")
    (warehouse.data_folder(own_stack.layout) / "global/pg_control").write_bytes(b"damaged")
    with pytest.raises(UnreachableError) as caught:
        own_stack.start("warehouse")
    assert "warehouse) ended while it was starting" in caught.value.what
    assert "pg_control" in caught.value.what
    assert "waybill stack logs warehouse" in caught.value.todo


def test_a_service_that_never_gets_ready_is_given_up_in_time_and_left_to_look_at(
    own_stack: NativeWay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starter, "_listens", lambda port: False)
    native = NATIVES["warehouse"]
    hurried = type(native)(
        **{**vars(native), "service": type(native.service)(**{**vars(native.service), "ready_within": 1.0})}
    )
    with Progress() as progress:
        place = own_stack.place(progress)
        with pytest.raises(UnreachableError, match="was not ready after 1 s"):
            own_stack.starter.bring_up(hurried, hurried.launch(place), place, progress)
    assert _state(own_stack, "warehouse") == "running"


def test_the_plugin_path_has_our_jar_in_both_plugins_and_one_service_file(own_stack: NativeWay) -> None:
    layout: Layout = own_stack.layout
    with Progress() as progress:
        plugins = parts.install(layout, progress).plugins

    def names(folder: str) -> set[str]:
        jar: Path = plugins / folder / f"{converter.FOLDER}.jar"
        return set(zipfile.ZipFile(jar).namelist())

    # The service file names the plain Avro converter too, which comes in a jar of its own.
    ours = [name for name in converter.classes(layout.root) if name.startswith("waybill.")]
    assert ours
    assert {name.replace(".", "/") + ".class" for name in ours} <= names(converter.FOLDER)
    assert converter.SERVICES in names(converter.FOLDER)
    # Debezium's class loader cannot load the converter: it must not be offered there.
    assert converter.SERVICES not in names(converter.DEBEZIUM)
    assert not list((plugins / converter.FOLDER).glob("connect-json-*.jar"))
