"""Every damage planted in a mart is named with its key and column; nothing else is."""

from __future__ import annotations

from checks import report
from checks.compare import DIFFERS, EXTRA, MISSING, TWICE
from checks.reconcile import Options, prove
from tests.integration.checks.pairing import Pairing
from waybill.clock import SystemClock

ECS, UTI, UTS, ALL, TEXT = "ecs_order_info", "uni_tracking_info", "uni_tracking_spath", "every_type", "by_text"
Planted = set[tuple[str, str, tuple[str, ...], str]]


class Planter:
    """Changes one row at a time in the warehouse, each another row, and remembers what must be found."""

    def __init__(self, pairing: Pairing) -> None:
        self.pairing = pairing
        self.planted: Planted = set()
        self.used: dict[str, list[str]] = {}

    def update(self, table: str, key: list[str], column: str, value: str, where: str = "true") -> None:
        """The first untouched row for which `where` holds and `value` is another value."""
        names = ", ".join(k.lower() for k in key)
        mart, quoted = f"settlement_ods.mart_{table}", f'"{column.lower()}"'
        used = self.used.setdefault(table, ["(0,0)"])
        with self.pairing.mart.cursor() as cursor:
            cursor.execute(
                f"UPDATE {mart} SET {quoted} = {value} WHERE ctid = (SELECT ctid FROM {mart} WHERE ({where})"
                f" AND {quoted}::text IS DISTINCT FROM ({value})::text AND NOT ctid::text = ANY(%s)"
                f" ORDER BY {names} LIMIT 1)"
                f" RETURNING ctid::text, {names}",
                (used,),
            )
            found = cursor.fetchone()
            assert found, f"no row for {table}.{column}: {where}"
            used.append(found[0])
        self.planted.add((table, DIFFERS, tuple(map(str, found[1:])), column))

    def swap(self, table: str, column: str, first: int, second: int) -> None:
        """Two rows exchange one value: counts and sums over the column stay as they were."""
        self.pairing.damage(
            f"UPDATE settlement_ods.mart_{table} AS a SET {column} = b.{column} FROM settlement_ods.mart_{table} AS b"
            " WHERE (a.order_id, b.order_id) IN ((%s, %s), (%s, %s))",
            first, second, second, first,
        )  # fmt: skip
        self.planted |= {(table, DIFFERS, (str(n),), column) for n in (first, second)}


_FUNCTIONS = """
CREATE FUNCTION swapcase(t text) RETURNS text LANGUAGE sql AS
$$ SELECT translate(t, 'abcXYZ', 'ABCxyz') $$;
-- The neighbouring double: the smallest step that changes it.
CREATE FUNCTION float8_next(x double precision) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE step double precision;
BEGIN
    step := 5e-324;
    WHILE x + step = x LOOP step := step * 2; END LOOP;
    RETURN x + step;
END $$;
"""


def test_each_planted_damage_is_named_with_its_key_and_column(pairing: Pairing) -> None:
    plant = Planter(pairing)
    with pairing.mart.cursor() as cursor:
        cursor.execute(_FUNCTIONS)
    every = ["id", "code"]
    plant.update(ECS, ["order_id"], "remark", "''", "remark IS NULL")
    plant.update(ECS, ["order_id"], "partner_ref", "NULL", "partner_ref = ''")
    plant.update(ECS, ["order_id"], "weight", "weight + 0.001", "weight IS NOT NULL")
    plant.update(ECS, ["order_id"], "barcode", "barcode - 1", "barcode = 18446744073709551615")
    plant.update(ECS, ["order_id"], "promised_date", "promised_date + 1", "promised_date = '2024-02-29'")
    plant.update(ECS, ["order_id"], "receiver_name", "swapcase(receiver_name)", "receiver_name ~ '[abcXYZ]'")
    plant.update(ECS, ["order_id"], "receiver_city", "receiver_city || ' '")
    plant.update(ECS, ["order_id"], "attributes", '\'{"a": 1, "bb": 2}\'', "attributes IS NOT NULL")
    plant.update(
        ECS, ["order_id"], "receiver_address", "replace(receiver_address, '😀', '😁')", "receiver_address ~ '😀'"
    )
    plant.update(ECS, ["order_id"], "cutoff_time", "-cutoff_time", "cutoff_time <> 0")
    plant.update(ECS, ["order_id"], "pickup_at", "'1970-01-01'", "pickup_at IS NULL")
    plant.update(
        UTI, ["order_id"], "last_scan_at", "last_scan_at + interval '1 microsecond'", "last_scan_at IS NOT NULL"
    )
    plant.update(UTI, ["order_id"], "is_returned", "is_returned + 1", "is_returned < 100")
    plant.update(UTS, ["order_id", "traceSeq"], "lat", "float8_next(lat)", "abs(lat) BETWEEN 1 AND 180")
    plant.update(UTS, ["order_id", "traceSeq"], "lng", "0", "lng::text = '-0'")
    plant.update(ALL, every, "dbl", "float8_next(dbl)", "abs(dbl) BETWEEN 1e-9 AND 1e-5")
    plant.update(ALL, every, "bit1", "NOT bit1", "bit1 IS NOT NULL")
    plant.update(ALL, every, "bit64", "bit64 - 1", "bit64 > 0")
    plant.update(ALL, every, "lb", "lb || '\\x00'::bytea", "lb IS NOT NULL")
    plant.update(ALL, every, "js", "'not JSON'", "js IS NOT NULL")
    plant.update(ALL, every, "js", "'1e21'", "js = '1e+20'")
    plant.update(ALL, every, "js", "NULL", "js = 'null'")
    plant.update(ALL, every, "dt6", "'infinity'", "dt6 IS NULL")
    plant.update(ALL, every, "d38", "d38 + 0.0000000001", "d38 IS NOT NULL")
    plant.update(ALL, every, "en", "''", "en IS NULL")
    plant.update(TEXT, ["code", "day"], "note", "note || chr(8203)", "note IS NOT NULL")
    plant.swap(UTI, "id", 1500, 1777)
    pairing.damage("DELETE FROM settlement_ods.mart_ecs_order_info WHERE order_id = 1899")
    pairing.damage("UPDATE settlement_ods.mart_ecs_order_info SET _deleted_at = now() WHERE order_id = 1898")
    pairing.damage(
        "INSERT INTO settlement_ods.mart_ecs_order_info"
        " SELECT (json_populate_record(m, '{\"order_id\": 5}')).* FROM settlement_ods.mart_ecs_order_info m"
        " WHERE order_id = 1500"
    )
    pairing.damage(
        "INSERT INTO settlement_ods.mart_uni_tracking_spath SELECT * FROM settlement_ods.mart_uni_tracking_spath"
        " WHERE order_id = 1250 AND traceseq = 3"
    )
    pairing.damage("UPDATE settlement_ods.mart_by_text SET code = 'É' WHERE code = 'é' AND day = '2026-01-09'")
    plant.planted |= {
        (ECS, MISSING, ("1899",), ""),
        (ECS, MISSING, ("1898",), ""),
        (ECS, EXTRA, ("5",), ""),
        (UTS, TWICE, ("1250", "3"), ""),
        (TEXT, MISSING, ("é", "2026-01-09"), ""),
        (TEXT, EXTRA, ("É", "2026-01-09"), ""),
    }

    proof = prove(pairing.mysql, pairing.warehouse, pairing.subjects, Options(limit=100), SystemClock(), print)

    found = [d for t in proof.tables for d in t.shown]
    print(*map(report.lines, found), sep="\n")
    named = {(d.table.partition(".")[2], d.kind, tuple(map(str, d.key.values())), d.column) for d in found}
    assert named == plant.planted
    assert len(found) == len(named) == proof.differences
    assert not proof.equal


def test_differences_beyond_the_limit_are_counted_not_shown(pairing: Pairing) -> None:
    pairing.damage("UPDATE settlement_ods.mart_every_type SET empty_text = 'damaged'")
    proof = prove(pairing.mysql, pairing.warehouse, [pairing.subject(ALL)], Options(limit=3), SystemClock(), print)
    assert len(proof.tables[0].shown) == 3
    assert proof.differences >= 1200


def test_a_column_that_the_mart_lacks_is_a_finding(pairing: Pairing) -> None:
    with pairing.mart.cursor() as cursor:
        cursor.execute("ALTER TABLE settlement_ods.mart_by_text RENAME note TO other")
    proof = prove(pairing.mysql, pairing.warehouse, [pairing.subject(TEXT)], Options(), SystemClock(), print)
    assert proof.tables[0].absent == ("note",)
    assert not proof.equal
