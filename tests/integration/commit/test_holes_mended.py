"""A hole in a transaction ends when its letter is decided on or its row comes to raw, and with it its exception."""

from __future__ import annotations

from committer.commit import Committer
from tests.integration.commit.feed import A, Feed
from tests.integration.commit.holes import HERE, hole, open_holes, order
from warehouse.session import Session

_OTHERS = [
    ("orders_again", "t", 0, 70),
    ("orders_raw", "u", 0, 70),
    ("orders_raw", "t", 1, 70),
    ("orders_raw", "t", 0, 71),
]


def _decided(session: Session, *place: str | int, decision: str = "redriven") -> None:
    session.run(
        "INSERT INTO settlement_public.dead_letter_decisions (topic, topic_id, kafka_partition, kafka_offset, decision,"
        " table_name, row_key, to_reconcile, message_at, decided_by, reason)"
        " VALUES (%s, %s, %s, %s, %s, 'shop.orders', '', '', now(), 'me', 'why')",
        (*place, decision),
    )


def _mended(session: Session) -> list[tuple[str, ...]]:
    found = session.rows("SELECT topic, topic_id, kafka_partition, kafka_offset, why FROM settlement_ods.mended_holes")
    return sorted(tuple(map(str, row.values())) for row in found)


def test_a_decision_mends_the_hole_of_its_letter_and_no_other(
    begun: Feed, committer: Committer, session: Session
) -> None:
    """Known by topic, its id, partition and offset: each other hole differs in one of them, and stays open."""
    for place in (HERE, *_OTHERS):
        hole(session, *place)
    hole(session, "orders_raw", "t", 0, 99)
    _decided(session, *HERE)
    _decided(session, *HERE, decision="dropped")
    _decided(session, *HERE, decision="set aside")
    _decided(session, "orders_raw", "t", 0, 99, decision="set aside")
    committer.cycle()
    assert _mended(session) == [("orders_raw", "t", "0", "70", "its dead letter was dropped")]
    still = ["orders_again/0/70", "orders_raw/0/70", "orders_raw/0/71", "orders_raw/0/99", "orders_raw/1/70"]
    # The topic's id is not in the key, so that of the other topic's hole at this place is open.
    assert sorted(open_holes(session)) == still
    for place in _OTHERS:
        _decided(session, *place)
    committer.cycle()
    assert len(_mended(session)) == 5
    committer.cycle()
    assert len(_mended(session)) == 5, "each is mended once"
    assert open_holes(session) == ["orders_raw/0/99"]


def test_a_hole_that_is_mended_ends_its_exception_and_leaves_the_others_as_they_are(
    begun: Feed, committer: Committer, session: Session
) -> None:
    holes = [place for place in (HERE, *_OTHERS) if place[1] == "t"]
    for place in holes:
        hole(session, *place)
    committer.cycle()
    _decided(session, *HERE)
    committer.cycle()
    found = session.rows("SELECT row_key, resolved_at FROM settlement_ods.order_tracking_exceptions ORDER BY 1")
    assert len(found) == len(holes)
    assert [row["row_key"] for row in found if row["resolved_at"] is not None] == ["orders_raw/0/70"]


_AGAIN = ("orders_raw", "u", 0, 70)


def _said(session: Session) -> list[tuple[str, str, str | None]]:
    found = session.rows("SELECT row_key, notes, resolution_notes FROM settlement_ods.order_tracking_exceptions")
    return [(row["row_key"], row["notes"], row["resolution_notes"]) for row in found]


def test_holes_at_one_place_of_a_topic_and_of_the_one_made_again_are_one_exception(
    begun: Feed, committer: Committer, session: Session
) -> None:
    """The key has no topic id. At most one exception is open for a table, row and type."""
    hole(session, *_AGAIN, number=12)
    hole(session, *HERE, number=11)
    committer.cycle()
    note = f"a row of transaction {A}:11 is a dead letter; the cut went on without it"
    assert _said(session) == [("orders_raw/0/70", note, None)]
    committer.cycle()
    assert open_holes(session) == ["orders_raw/0/70"]


def test_an_exception_of_two_holes_ends_when_both_are_mended(
    begun: Feed, committer: Committer, session: Session
) -> None:
    hole(session, *HERE)
    hole(session, *_AGAIN)
    committer.cycle()
    _decided(session, *HERE, decision="dropped")
    committer.cycle()
    (said,) = _said(session)
    assert said[2] is None, "of the other hole it is open still, and the same"
    _decided(session, *_AGAIN)
    committer.cycle()
    (said,) = _said(session)
    assert said[2] == "its dead letter was redriven"
    assert open_holes(session) == []
    hole(session, "orders_raw", "v", 0, 70)
    committer.cycle()
    assert open_holes(session) == ["orders_raw/0/70"], "a third hole of that key is named anew"


def test_a_row_mends_the_hole_at_its_place_and_no_other(begun: Feed, committer: Committer, session: Session) -> None:
    begun.rows("shop.orders", [("u", 11, 1, order(1, 11))])
    begun.ends([(11, {"shop.orders": 1})])
    offset = begun.offsets["orders_raw"] - 1
    for place in (("u", 0, offset), ("t", 1, offset), ("t", 0, offset + 1), ("t", 0, offset)):
        hole(session, "orders_raw", *place)
    hole(session, "tracking_raw", "t", 0, offset, table="shop.tracking")
    for place in (("u", 0, offset), ("t", 1, offset), ("t", 0, offset + 1)):
        session.run("INSERT INTO settlement_ods.mended_holes VALUES ('other', %s, %s, %s, 'why', 1)", place)
    session.run(
        "INSERT INTO settlement_ods.mended_holes VALUES ('orders_raw', 'v', 0, %s, 'why', 1),"
        " ('orders_raw', 't', 7, %s, 'why', 1), ('orders_raw', 't', 0, 77, 'why', 1), ('other', 't', 0, %s, 'why', 1)",
        (offset, offset, offset),
    )
    committer.cycle()
    came = [one for one in _mended(session) if one[-1] != "why"]
    assert came == [("orders_raw", "t", "0", str(offset), "its row came to raw")]
    begun.reset("orders_raw", offset)
    begun.rows("shop.orders", [("u", 11, 1, order(1, 11))])
    committer.cycle()
    assert len([one for one in _mended(session) if one[-1] != "why"]) == 1, "it is mended once"


def test_a_holes_exception_is_its_own(begun: Feed, committer: Committer, session: Session) -> None:
    """By table, key and type: others' hide none and are resolved by none; what a person resolved stays as said."""
    key = "orders_raw/0/70"
    for n, (table, row_key, kind, notes) in enumerate(
        [
            ("shop.tracking", key, "INVALID_ROW", None),
            ("shop.orders", key, "ORDER_MISSING_SPATH", None),
            ("shop.orders", "orders_raw/0/7", "INVALID_ROW", None),
            ("shop.orders", key, "INVALID_ROW", "seen"),
        ],
        1,
    ):
        session.run(
            "INSERT INTO settlement_ods.order_tracking_exceptions VALUES (%s, %s, %s, NULL, %s, now(), 'n',"
            " CASE WHEN %s IS NOT NULL THEN now() END, %s)",
            (n, table, row_key, kind, notes, notes),
        )

    def said() -> list[tuple[int, str | None]]:
        found = session.rows("SELECT * FROM settlement_ods.order_tracking_exceptions ORDER BY exception_id")
        return [(row["exception_id"], row["resolution_notes"]) for row in found]

    hole(session, *HERE)
    hole(session, "orders_raw", "t", 0, 71)
    committer.cycle()
    assert said() == [(1, None), (2, None), (3, None), (4, "seen"), (5, None), (6, None)]
    _decided(session, *HERE)
    committer.cycle()
    assert said() == [
        (1, None), (2, None), (3, None), (4, "seen"), (5, "its dead letter was redriven"), (6, None),
    ]  # fmt: skip
