"""Step files broken by hand: what the older design did, and what a tired engineer would."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from committer import placing, steps
from warehouse.statements import text_of


@dataclass(frozen=True)
class Broken:
    """Like a mechanical mutant; `patch` changes the committer's own process before the tests."""

    name: str
    file: str
    text: str
    patch: Callable[[], None] | None = None

    @property
    def step(self) -> str:
        return self.file.split(".")[0]


def _t_is_of_what_stands() -> None:
    """T by the newest standing row, so that it falls when that row goes."""
    placing.rules.later = lambda *times: times[-1]


# (what was done, the step, what is replaced, by what). A replaced text stands exactly once in its file.
_CHANGES = (
    ("only the newest history table is looked up", steps.STANDING_HISTORY,
     "WHERE {c_first_key} >=",
     "WHERE %(place)s = (SELECT max(t.place) FROM settlement_ods.mart_places t WHERE t.mart = %(mart_name)s)"
     "\n  AND {c_first_key} >="),
    ("a leader is looked for in the newest history table only", steps.LEADERS_HISTORY,
     "WHERE {c_first_key} >=",
     "WHERE %(place)s = (SELECT max(t.place) FROM settlement_ods.mart_places t)\n  AND {c_first_key} >="),
    ("history is put in only if absent", steps.REPLACE, "WHERE {p_is_n}", "WHERE %(place)s = '' AND {p_is_n}"),
    ("rows that move are put in only if the order is absent", steps.INSERT,
     "WHERE g._target = %(place)s",
     "WHERE g._target = %(place)s AND NOT EXISTS (SELECT 1 FROM {place} p WHERE p.order_id = g.order_id)"),
    ("what is deleted is limited to a recent window", steps.DELETE,
     "WHERE {p_is_v}",
     "WHERE (%(place)s <> '' OR p.{event_time} > (SELECT max(q.{event_time}) FROM {place} q) - 7200) AND {p_is_v}"),
    ("what is deleted is found by key alone", steps.DELETE,
     "\n  AND p._era = v._s_era AND p._number = v._s_number AND p._order = v._s_order AND p._batch_id = v._s_batch_id",
     ""),
    ("what is deleted is found by order alone", steps.DELETE, "WHERE {p_is_v}", "WHERE p.order_id = v.order_id"),
    ("an order without a tracking row is archived at once", steps.VERDICT,
     "WHEN d._where = 'history' THEN true",
     "WHEN d._where = 'history' OR (%(follows)s AND d._where IS NULL) THEN true"),
    ("an order leaves by its own time", steps.VERDICT, "CASE WHEN d._where = 'mart' THEN false\n", "CASE\n"),
    ("an order whose half-year is unknown is trimmed", steps.VERDICT,
     "ELSE coalesce(y._half_year, '') END AS _target", "ELSE coalesce(y._half_year, 'nowhere') END AS _target"),
    ("an unknown half-year is the newest", steps.VERDICT,
     "ELSE coalesce(y._half_year, '') END AS _target",
     "ELSE coalesce(y._half_year, (SELECT max(place) FROM settlement_ods.mart_places)) END AS _target"),
    ("the bound is in the row's favour by a second", steps.VERDICT,
     "w._event_time < %(due_before)s", "w._event_time < %(due_before)s - 1"),
    ("an older event takes a removed key off the list", steps.VERDICT,
     "(l._era IS NOT NULL AND (s._era IS NULL", "(l._era IS NOT NULL AND (s._era IS NULL OR s._place = 'removed'"),
    ("the last written wins", steps.VERDICT,
     "(l._era IS NOT NULL AND (s._era IS NULL", "(l._era IS NOT NULL AND (true OR s._era IS NULL"),
    ("of two versions the later event time wins", steps.PLACED,
     "ORDER BY x.era DESC, x.number DESC", "ORDER BY x._event_time DESC, x.era DESC, x.number DESC"),
    ("of two versions the later commit time wins", steps.PLACED,
     "ORDER BY x.era DESC, x.number DESC, x.tx_order DESC", "ORDER BY x._committed_at DESC"),
    ("of two versions the later Kafka offset wins", steps.PLACED,
     "ORDER BY x.era DESC, x.number DESC, x.tx_order DESC, x._batch_id DESC, ", "ORDER BY x.era DESC, "),
    ("a deleted row is marked with now", steps.LATEST,
     "CASE WHEN w._op = 'd' THEN w._committed_at END AS _gone_at",
     "CASE WHEN w._op = 'd' THEN localtimestamp END AS _gone_at"),
    ("T is the newest event of any age", steps.EVENT_TIMES,
     "\n  AND p._event_time <= extract(epoch FROM p._committed_at) + 3600", ""),
    ("T is measured by now", steps.EVENT_TIMES,
     "extract(epoch FROM p._committed_at)", "extract(epoch FROM clock_timestamp())"),
    ("T is of winners alone", steps.EVENT_TIMES, "WHERE p.era IS NOT NULL", "WHERE p.newest = 1 AND p.era IS NOT NULL"),
    ("NOT IN for NOT EXISTS over keys", steps.EXCEPTIONS,
     "AND NOT EXISTS (\n      SELECT 1 FROM settlement_ods.order_tracking_exceptions x\n"
     "      WHERE x.table_name = %(source)s AND x.row_key = {v_row_key} AND",
     "AND {v_row_key} NOT IN (\n      SELECT CASE WHEN x.order_id IS NOT NULL THEN x.row_key END"
     " FROM settlement_ods.order_tracking_exceptions x\n      WHERE x.table_name = %(source)s AND"),
    ("rows without a key are not left out", steps.LATEST, " AND NOT ({w_key_is_null})", ""),
    ("aged rows are those of the order's first path event", steps.CANDIDATES,
     "WHERE NOT %(follows)s AND m.{event_time} < %(due_before)s",
     "WHERE NOT %(follows)s AND NOT EXISTS (SELECT 1 FROM {mart} n WHERE n.order_id = m.order_id"
     " AND n.{event_time} < m.{event_time}) AND m.{event_time} < %(due_before)s"),
    ("a follower does not come back by itself", steps.FOLLOWERS,
     "SELECT {w_key} FROM {leader_moved} w", "SELECT {w_key} FROM {leader_moved} w JOIN {candidates} c ON {c_is_w}"),
    ("a marked row does not age", steps.CANDIDATES,
     "WHERE NOT %(follows)s AND m.{event_time} < %(due_before)s",
     "WHERE NOT %(follows)s AND m._deleted_at IS NULL AND m.{event_time} < %(due_before)s"),
    ("a marked leader does not count as standing", steps.LEADERS_MART,
     "JOIN {leader_mart} m ON {m_is_c}", "JOIN {leader_mart} m ON {m_is_c} AND m._deleted_at IS NULL"),
    ("a row that moves loses its mark", steps.MOVING_PLACE, "p._committed_at, v._gone_at,", "p._committed_at, NULL,"),
    ("a row that comes back is put in anew and stays", steps.DELETE,
     "AND v._target <> v._stands", "AND v._target = v._stands"),
    ("a snapshot's row beats the events behind it", steps.PLACED,
     "WHEN e.source_uuid = '' THEN 0 ELSE r._gtid_number", "WHEN e.source_uuid = '' THEN 99 ELSE r._gtid_number"),
    ("a re-read row stands before its last transaction", steps.PLACED,
     "CASE WHEN r._snapshot = 'incremental' THEN 9223372036854775807", "CASE WHEN r._snapshot = 'incremental' THEN 0"),
    ("a transaction has arrived when one table has", steps.CUT,
     "OR coalesce(a.arrived, 0) + coalesce(h.letters, 0) < c.collection_count",
     "OR (coalesce(a.arrived, 0) + coalesce(h.letters, 0) < c.collection_count AND NOT EXISTS (\n"
     "    SELECT 1 FROM arrivals o WHERE o.tx_id = c.tx_id AND o.arrived > 0))"),
    ("rows are counted, not orders", steps.ARRIVALS, "count(DISTINCT r._tx_order)", "count(*)"),
    ("more rows than expected are enough", steps.CUT, "coalesce(a.arrived, 0) > c.collection_count\n   OR", "false OR"),
    ("a batch is done when its first row is", steps.APPLIED,
     "coalesce(min(o._offset) - 1, p.last_offset)", "p.last_offset"),
    ("the last END of an id counts", steps.ENDS,
     "min(x.place) AS place, min(x.ended_at)", "max(x.place) AS place, min(x.ended_at)"),
)  # fmt: skip


def broken() -> list[Broken]:
    """All of them. Raises `ValueError` when a step has changed so that one of them does not fit any more."""
    made = []
    for what, step, old, new in _CHANGES:
        text = text_of(f"sql/commit/{step.file}")
        if text.count(old) != 1:
            raise ValueError(
                f"tests/mutants/by_hand.py: {what!r}: {old!r} stands {text.count(old)} times in {step.file}"
            )
        made.append(Broken(f"by hand: {what}", step.file, text.replace(old, new)))
    text = text_of(f"sql/commit/{steps.EVENT_TIMES.file}")
    made.append(Broken("by hand: T falls", steps.EVENT_TIMES.file, text, _t_is_of_what_stands))
    made.append(
        Broken(
            "by hand: T by the newest standing row", steps.EVENT_TIMES.file,
            "SELECT max(m.{event_time}) AS newest FROM {mart} m;\n", _t_is_of_what_stands,
        )
    )  # fmt: skip
    return made
