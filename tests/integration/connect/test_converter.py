"""What the converter plugin is for, seen on the real services."""

from __future__ import annotations

from connect.config import connector_config
from tests.integration.connect.conftest import Captured

PLAIN = "io.apicurio.registry.utils.converter.AvroConverter"
TABLE = """
CREATE TABLE {db}.parcels (
  id INT PRIMARY KEY, hub INT NULL DEFAULT 7, zone VARCHAR(8) NULL DEFAULT 'Z00', weight DECIMAL(10,3) NULL DEFAULT 1.5,
  tried TINYINT NOT NULL DEFAULT 3, note TEXT NULL)
"""
NULLS = "INSERT INTO {db}.parcels (id, hub, zone, weight) VALUES (%d, NULL, NULL, NULL)"
ROWS = 4


def _capture_nulls(captured: Captured, config: dict[str, str]) -> list[dict[str, object]]:
    """Rows of nothing but NULL, half of them from the first snapshot and half from the binlog."""
    captured.execute(TABLE, NULLS % 1, NULLS % 2)
    captured.start(config)
    captured.events(f"{captured.database}.parcels", 2)
    captured.execute(NULLS % 3, NULLS % 4)
    rows = captured.after("parcels", ROWS)
    return [{key: row[key] for key in ("hub", "zone", "weight", "tried", "note")} for _, row in sorted(rows.items())]


def test_without_our_converter_a_null_becomes_the_columns_default(captured: Captured) -> None:
    """The corruption that the plugin cures. If this fails, the wrapped converter got better."""
    rows = _capture_nulls(captured, captured.config("parcels", key__converter=PLAIN, value__converter=PLAIN))
    assert rows == [{"hub": 7, "zone": "Z00", "weight": "1.500", "tried": 3, "note": None}] * ROWS


def test_with_our_converter_a_null_stays_a_null(captured: Captured) -> None:
    rows = _capture_nulls(captured, captured.config("parcels"))
    assert rows == [{"hub": None, "zone": None, "weight": None, "tried": 3, "note": None}] * ROWS


def test_every_record_is_encoded_like_the_first_that_the_wrapped_converter_encoded(captured: Captured) -> None:
    """The first record of a schema goes through the wrapped converter, the others do not: same row, same values."""
    captured.execute(
        "CREATE TABLE {db}.types (id INT PRIMARY KEY, a TINYINT, b SMALLINT UNSIGNED, c MEDIUMINT, d INT UNSIGNED,"
        " e BIGINT UNSIGNED, f DECIMAL(30,10), g FLOAT, h DOUBLE, i BIT(1), j BIT(12), k CHAR(3), l VARCHAR(40),"
        " m LONGTEXT, n VARBINARY(9), o LONGBLOB, p DATE, q TIME(6), r DATETIME, s DATETIME(6),"
        " t TIMESTAMP NULL, u YEAR, v JSON, w ENUM('a','b'), x SET('a','b'))",
        *(
            f"INSERT INTO {{db}}.types VALUES ({number}, -128, 65535, -8388608, 4294967295, 18446744073709551615,"
            " -12345678901234567890.0123456789, 1.5, -2.25, b'1', b'101010101010', 'xyz', '王小明 😀',"
            " REPEAT('long', 20000), 0x00ff10, 0x0102, '1969-07-20', '-838:59:58.999999', '1000-01-01 00:00:00',"
            " '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07', 1901, '{\"b\": [1, null]}', 'b', 'a,b')"
            for number in range(1, 6)
        ),
    )
    captured.start(captured.config("types"))
    rows = captured.after("types", 5)
    first = rows[1]
    assert (first["e"], first["f"], first["l"]) == (-1, "-12345678901234567890.0123456789", "王小明 😀")
    assert len(first["m"]) == 80_000
    for number, row in rows.items():
        assert row == {**first, "id": number}


def test_the_types_of_the_source_travel_with_the_schema(captured: Captured) -> None:
    captured.execute(TABLE, NULLS % 1)
    captured.start(captured.config("parcels"))
    captured.after("parcels", 1)
    envelope = next(s for s in captured.schemas.values() if s["name"].endswith(".parcels.Envelope"))
    value = next(t for t in next(f for f in envelope["fields"] if f["name"] == "before")["type"] if t != "null")
    weight = next(f for f in value["fields"] if f["name"] == "weight")
    assert weight["type"][0] == "null"
    parameters = weight["type"][1]["connect.parameters"]
    assert parameters["__debezium.source.column.type"] == "DECIMAL"
    assert parameters["__debezium.source.column.length"] == "10"
    assert parameters["__debezium.source.column.scale"] == "3"


def test_an_altered_table_gets_a_schema_of_its_own(captured: Captured) -> None:
    captured.execute(TABLE, NULLS % 1)
    captured.start(captured.config("parcels"))
    captured.after("parcels", 1)
    captured.execute("ALTER TABLE {db}.parcels ADD COLUMN colour VARCHAR(9) NULL DEFAULT 'red'", NULLS % 2)
    captured.execute("INSERT INTO {db}.parcels (id, colour) VALUES (3, NULL)")
    rows = captured.after("parcels", 3)
    assert "colour" not in rows[1]
    assert [rows[2]["colour"], rows[3]["colour"]] == ["red", None]


def test_the_settings_of_the_product_name_our_converter() -> None:
    config = connector_config(
        name="w", prefix="w", tables=["a.b"], heartbeat="c.d", signal="c.e", server_id=1, partitions=1
    )
    ours = "waybill.connect.NullKeepingAvroConverter"
    assert (config["key.converter"], config["value.converter"]) == (ours, ours)
