"""One text for a double in both databases: the shortest digits that read back as the same bits.

Both know those digits, and differ in how and when they write an exponent. The warehouse's way is followed:
plain digits from 1e-4 to 1e15, else `d.ddde[-]N`. MySQL writes at most 22 characters and drops digits to get
there: so the sign is written apart, and what is below 1e-90 is told as a multiple of 2^-800, which is exact. A
spelling that is missed here is settled row by row (`same`).
"""

from __future__ import annotations

import struct

from psycopg2.sql import SQL, Composable, Literal

_TINY = "2^-800*"
_SCALE = 2.0**-800


def of_mysql(value: str) -> str:
    """SQL for the text of a FLOAT, DOUBLE or REAL column `value`, FLOAT widened to its exact double."""
    size = f"CAST(ABS({value}) AS DOUBLE)"
    text = f"CAST({size} AS CHAR)"
    fraction = f"SUBSTRING_INDEX({text}, '.', -1)"
    digits = f"TRIM(LEADING '0' FROM {fraction})"
    exponent = (
        f"CONCAT(LEFT({digits}, 1), IF(LENGTH({digits}) > 1, CONCAT('.', SUBSTRING({digits}, 2)), ''),"
        f" 'e-', LENGTH({fraction}) - LENGTH({digits}) + 1)"
    )
    mantissa = f"REPLACE(SUBSTRING_INDEX({text}, 'e', 1), '.', '')"
    plain = f"CONCAT('0.', REPEAT('0', SUBSTRING_INDEX({text}, 'e-', -1) - 1), {mantissa})"
    return (
        f"IF({value} IS NULL OR {value} = 0, CAST(CAST({value} AS DOUBLE) AS CHAR), CONCAT(IF({value} < 0, '-', ''),"
        f" CASE WHEN {size} >= 1 THEN {text}"
        f" WHEN {size} >= 1e-4 THEN IF(LOCATE('e', {text}) > 0, {plain}, {text})"
        f" WHEN {size} >= 1e-90 THEN IF(LOCATE('e', {text}) > 0, {text}, {exponent})"
        f" ELSE CONCAT('{_TINY}', CAST({size} * POW(2, 800) AS CHAR)) END))"
    )


def of_warehouse(value: Composable) -> Composable:
    """The same for a real or double precision column of the warehouse."""
    form = "replace(replace(({})::text, 'e+', 'e'), 'e-0', 'e-')"
    return SQL(
        "CASE WHEN {0} <> 0 AND abs({0}::double precision) < '1e-90'::double precision"
        " THEN CASE WHEN {0} < 0 THEN '-' ELSE '' END || {1} || "
        + form.format("abs({0}::double precision) * power(2::double precision, 800)")
        + " ELSE "
        + form.format("{0}::double precision")
        + " END"
    ).format(value, Literal(_TINY))


def same(left: str, right: str) -> bool:
    """Whether two texts are the same double, to the last bit; minus zero is not zero."""
    try:
        return struct.pack(">d", _number(left)) == struct.pack(">d", _number(right))
    except ValueError:
        return False


def _number(text: str) -> float:
    """Raises ValueError."""
    sign, tiny, digits = text.partition(_TINY)
    return float(sign + digits) * _SCALE if tiny else float(text)
