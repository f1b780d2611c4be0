"""Orders, holes in their transactions, and the exceptions that name them."""

from __future__ import annotations

from tests.integration.commit.feed import A
from warehouse.session import Session

HERE = ("orders_raw", "t", 0, 70)


def order(number: int, status: int) -> dict[str, int]:
    return {"order_id": number, "status": status, "add_time": 1}


def hole(session: Session, *place: str | int, number: int = 11, table: str = "shop.orders") -> None:
    session.run("INSERT INTO settlement_ods.holes VALUES (%s, %s, %s, %s, %s, %s, 1)", (f"{A}:{number}", table, *place))


def open_holes(session: Session) -> list[str]:
    found = session.rows(
        "SELECT row_key FROM settlement_ods.order_tracking_exceptions"
        " WHERE exception_type = 'INVALID_ROW' AND resolved_at IS NULL"
    )
    return [row["row_key"] for row in found]
