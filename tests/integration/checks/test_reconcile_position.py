"""What may stand for the cut: a MySQL that is there, or ahead of it by transactions of other tables only."""

from __future__ import annotations

import threading

import pymysql
import pytest

from checks import binlog
from checks.mysql import MysqlSession
from checks.position import ends
from checks.reconcile import Options, Proof, prove
from tests.integration.checks.pairing import Pairing
from warehouse.session import Session
from waybill.clock import SystemClock
from waybill.errors import RefusedError, UnreachableError
from waybill.gtid import Gtid, GtidSet


def compare(pairing: Pairing) -> Proof:
    options = Options(wait_seconds=0.2)
    return prove(pairing.mysql, pairing.warehouse, [pairing.subject("by_text")], options, SystemClock(), print)


@pytest.fixture(autouse=True)
def at_the_cut(pairing: Pairing) -> None:
    pairing.cut_here()


def beat(pairing: Pairing) -> None:
    """A transaction of a table that is not compared."""
    pairing.write("CREATE TABLE IF NOT EXISTS beat (id int PRIMARY KEY, n int)")
    pairing.cut_here()
    pairing.write("INSERT INTO beat VALUES (1, 1) ON DUPLICATE KEY UPDATE n = n + 1")


def test_heartbeats_beyond_the_cut_do_not_count_by_the_binlog(pairing: Pairing) -> None:
    beat(pairing)
    proof = compare(pairing)
    assert proof.equal
    assert "transactions beyond the cut" in proof.note


def test_a_write_to_a_compared_table_beyond_the_cut_refuses(pairing: Pairing) -> None:
    pairing.write("INSERT INTO by_text (code, day) VALUES ('new', '2026-11-22')")
    with pytest.raises(RefusedError, match=r"not at the cut.*has since changed.*by_text") as refused:
        compare(pairing)
    assert refused.value.exit_code == 4
    pairing.write("DELETE FROM by_text WHERE code = 'new'")


def test_a_statement_that_names_a_compared_table_refuses(pairing: Pairing) -> None:
    pairing.write("ALTER TABLE by_text COMMENT = 'altered'")
    with pytest.raises(RefusedError, match="has since changed"):
        compare(pairing)


def test_end_records_tell_what_a_transaction_touched(pairing: Pairing) -> None:
    uuid, table = "3e11fa47-71ca-11e1-9e33-c80aa9429562", f"{pairing.database}.by_text"
    for number, touched in ((7, "waybill.heartbeat"), (8, "waybill.heartbeat"), (8, table), (70, table)):
        pairing.damage("INSERT INTO settlement_public.transaction_raw VALUES (%s, %s, 1)", f"{uuid}:{number}", touched)
    with Session(pairing.warehouse, "test") as session:
        found = ends(session, [table])(GtidSet.parse(f"{uuid}:7-9"))
    assert found == {Gtid(uuid, "", 7): frozenset(), Gtid(uuid, "", 8): frozenset({table})}


def test_a_server_behind_the_marts_refuses(pairing: Pairing) -> None:
    uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
    pairing.damage("UPDATE settlement_ods.as_of SET gtid_set = gtid_set || %s", f",{uuid}:1-5")
    with pytest.raises(RefusedError, match="lacks 5 transactions"):
        compare(pairing)


def test_before_the_first_cycle_there_is_nothing_to_compare(pairing: Pairing) -> None:
    pairing.damage("UPDATE settlement_ods.as_of SET gtid_set = ''")
    with pytest.raises(RefusedError, match="no commit cycle"):
        compare(pairing)


def test_a_snapshot_holds_exactly_the_set_it_says_while_others_write(pairing: Pairing) -> None:
    pairing.write("CREATE TABLE ticks (id bigint AUTO_INCREMENT PRIMARY KEY, n int)")
    before, ticks = GtidSet.parse(pairing.executed()), f"{pairing.database}.ticks"
    stop = threading.Event()

    def write() -> None:
        connection = pymysql.connect(
            host=pairing.mysql.host, port=pairing.mysql.port, user=pairing.mysql.user,
            password=pairing.mysql.password.get_secret_value(), database=pairing.database, autocommit=True,
        )  # fmt: skip
        with connection, connection.cursor() as cursor:
            while not stop.wait(0.005):
                cursor.execute("INSERT INTO ticks (n) VALUES (1)")

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    try:
        seen = set()
        for _ in range(10):
            with MysqlSession(pairing.mysql) as session:
                held = session.snapshot(SystemClock())
                rows = session.value(f"SELECT COUNT(*) FROM `{pairing.database}`.ticks")
                touched = binlog.touched(session, held - before, {ticks})
            assert rows == sum(1 for names in touched.values() if names)
            seen.add(rows)
        assert len(seen) == 10
    finally:
        stop.set()
        for writer in writers:
            writer.join()


def test_a_source_that_says_nothing_is_not_reachable_and_nobody_hangs(pairing: Pairing) -> None:
    with MysqlSession(pairing.mysql, read_seconds=1) as session, pytest.raises(UnreachableError, match="waiting"):
        session.rows("SELECT sleep(20)", doing="waiting")
