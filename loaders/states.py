"""What the loads of a table are doing, as `waybill status` reads it: written under the lock of all states."""

from __future__ import annotations

from warehouse.session import Session


def write(session: Session, name: str, row: tuple[str, str, str, str], by: str) -> None:
    """State, reason, what is kept, what to do. One that stands already keeps its time."""
    found = session.row(
        "SELECT state, reason, kept, todo FROM settlement_public.table_states WHERE table_name = %s",
        (name,),
        doing="reading the tables' states",
    )
    if found is not None and tuple(found.values()) == row:
        return
    session.run(
        "DELETE FROM settlement_public.table_states WHERE table_name = %s", (name,), doing="recording a table's state"
    )
    session.run(
        "INSERT INTO settlement_public.table_states (table_name, state, reason, kept, todo, changed_by)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (name, *row, by),
        doing="recording a table's state",
    )
