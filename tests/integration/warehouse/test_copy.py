"""Both ways of COPY, binary and CSV, bring equal rows for every type, and each is chosen where it may be."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Context, Decimal
from typing import Any, cast

import pyarrow as pa
import pytest

from loaders import copy_binary, copy_text
from loaders.pieces import Pieces
from loaders.postgres import Postgres
from warehouse.session import Session
from warehouse.statements import table
from waybill.addresses import Warehouse
from waybill.errors import WaybillError

_DAY = 86_400_000_000
_YEAR_ZERO, _YEAR_ONE, _YEAR_9999 = -719_528, -719_162, 2_932_896  # days since 1970


def decimals(precision: int, scale: int) -> list[Decimal | None]:
    """The greatest, the least, the smallest, and many of any length with zeros anywhere."""
    chance, exact = random.Random(precision * 100 + scale), Context(prec=80)
    most = 10**precision - 1
    numbers = [0, most, -most, 1, -1, 10 ** (precision - 1)]
    for _ in range(500):
        digits = [chance.choice("0000123456789") for _ in range(chance.randint(1, precision))]
        numbers.append(int("".join(digits)) * chance.choice((1, -1)))
    return [None, *(Decimal(number).scaleb(-scale, exact) for number in numbers)]


def moments(unit: int) -> list[int | None]:
    chance = random.Random(unit)
    least, most = _YEAR_ZERO * unit, (_YEAR_9999 + 1) * unit - 1
    edges = [0, -1, 1, _YEAR_ONE * unit, _YEAR_ONE * unit - 1, 10_957 * unit, 10_957 * unit - 1, least, most]
    return [None, *edges, *(chance.randint(least, most) for _ in range(500))]


TEXTS = ["", None, "\\N", "\\.", "NULL", 'a,"b"\n\t\r\n', "😀 王 שלום", "x" * 70_000, "a\0b", " "]
CASES: dict[str, tuple[pa.DataType, list[Any]]] = {
    **{
        f"decimal({precision},{scale})": (pa.decimal128(precision, scale), decimals(precision, scale))
        for precision, scale in [(20, 0), (10, 3), (10, 2), (1, 0), (5, 5), (9, 4), (38, 0), (38, 10), (38, 38)]
    },
    "date": (pa.date32(), moments(1)),
    "timestamp": (pa.timestamp("us"), moments(_DAY)),
    "boolean": (pa.bool_(), [True, False, None]),
    "smallint": (pa.int16(), [0, None, -(2**15), 2**15 - 1]),
    "integer": (pa.int32(), [0, None, -(2**31), 2**31 - 1]),
    "bigint": (pa.int64(), [0, None, -(2**63), 2**63 - 1]),
    "real": (pa.float32(), [0.1, None, -0.0, float("inf"), float("nan"), 3.4e38, 1e-45]),
    "double precision": (pa.float64(), [0.1, None, -0.0, float("-inf"), float("nan"), 1.7e308, 5e-324]),
    "text": (pa.string(), TEXTS),
    "varchar(70000)": (pa.string(), TEXTS),
    "bytea": (pa.binary(), [b"", None, b"\x00\xff\\x", bytes(range(256))]),
}


@pytest.fixture
def session(warehouse: Warehouse) -> Iterator[Session]:
    with Session(warehouse, "test") as opened:
        yield opened


def copied(session: Session, kind: str, objects: list[pa.Table]) -> list[str | None]:
    """The values as PostgreSQL shows them, after the product's own COPY into a fresh table of one column."""
    session.run("DROP TABLE IF EXISTS public.copied")
    session.run(f"CREATE TABLE public.copied (n bigserial, v {kind})")
    assert Postgres().copy(session, table("public", "copied"), objects, "test") == sum(o.num_rows for o in objects)
    return [row["v"] for row in session.rows("SELECT v::text AS v FROM public.copied ORDER BY n")]


def objects(kind: pa.DataType, values: list[Any]) -> list[pa.Table]:
    """Two objects, as a load has them."""
    middle = len(values) // 2
    return [pa.table({"v": pa.array(part, kind)}) for part in (values[:middle], values[middle:])]


def test_both_ways_store_equal_rows_for_every_type_and_binary_is_the_one_taken(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: dict[str, list[str | None]] = {}
    with monkeypatch.context() as no_csv:
        no_csv.delattr(copy_text, "chunks")
        for kind, (arrow, values) in CASES.items():
            sent[kind] = copied(session, kind, objects(arrow, values))
    monkeypatch.setattr(copy_binary, "wanted", lambda *_: None)
    for kind, (arrow, values) in CASES.items():
        assert sent[kind] == copied(session, kind, objects(arrow, values)), kind
    for kind in (k for k in CASES if k.startswith("decimal")):
        assert [None if v is None else Decimal(v) for v in sent[kind]] == CASES[kind][1]
    assert sent["text"] == [None if t is None else t.replace("\0", "␀") for t in TEXTS]


def test_whole_numbers_are_widened_and_another_type_goes_by_csv(session: Session) -> None:
    numbers = objects(pa.int16(), [1, None, -(2**15)])
    assert copied(session, "bigint", numbers) == ["1", None, "-32768"]
    assert copied(session, "numeric(9,1)", numbers) == ["1.0", None, "-32768.0"]
    # A double made of the float's bits would be 0.10000000149011612.
    assert copied(session, "double precision", objects(pa.float32(), [0.1, None])) == ["0.1", None]
    assert copied(session, "smallint", objects(pa.int64(), [1, 2])) == ["1", "2"]
    mixed = [pa.table({"v": pa.array([1], pa.int16())}), pa.table({"v": pa.array([2**40], pa.int64())})]
    assert copied(session, "bigint", mixed) == ["1", str(2**40)]


def test_a_value_that_the_column_cannot_take_is_refused_and_so_is_one_that_cannot_be_written(session: Session) -> None:
    with pytest.raises(WaybillError, match="too long"):
        copied(session, "varchar(3)", objects(pa.string(), ["four", "4"]))

    def broken() -> Iterator[bytes]:
        yield b"1\n"
        raise ValueError("no such thing")

    pieces = Pieces(broken())
    session.run("CREATE TABLE public.broken (v bigint)")
    with pytest.raises(WaybillError):
        session.copy_in("COPY public.broken FROM STDIN", cast(Any, pieces))
    assert isinstance(pieces.failed, ValueError)
