"""Rows that break pipelines. Each is an ordinary seeded order with a few columns overwritten.

They are part of every seed, whatever its number, spread over the whole key range.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

CONTROL = "".join(chr(c) for c in range(1, 32)) + "\x7f\x80\x9f"
QUOTES = (
    "tab\there, newline\nhere, return\rhere, back\\slash, \\N, \\\\, 'single', \"double\", `back`, ;--, %s, ${x}, {y}"
)
RIGHT_TO_LEFT = "שלום עולם ‏(123)‏ — مرحبا بالعالم ٠١٢٣ \u202eabc\u202c"
EMOJI = "👩🏽‍🚀👨‍👩‍👧‍👦🏳️‍🌈🇨🇦 e\u0301 \ufeff\u200b\u2028\u2029 𝔘𝔫𝔦 𠜎𠜱"
LONG = ("Ünïcödé 文字 😀 текст\t\n\\ " * 2_000).encode()[: 60 * 1024].decode(errors="ignore")
"""60 KB of mixed scripts."""
LONGEST = "é" * 32_767 + "x"
"""65,535 bytes: all that TEXT and Redshift's VARCHAR hold."""

NESTED = '{"a":' * 30 + "1" + "}" * 30
Values = Mapping[str, object]


@dataclass(frozen=True)
class Edge:
    """What to overwrite in the order, in its tracking row, and in its first path event."""

    name: str
    order: Values = field(default_factory=dict)
    tracking: Values = field(default_factory=dict)
    path: Values = field(default_factory=dict)
    order_id: int | None = None


def _order(name: str, **values: object) -> Edge:
    return Edge(name, order=values)


EDGES: tuple[Edge, ...] = (
    Edge(
        "NULL in every nullable column with a DEFAULT",
        {"warehouse_id": None, "zone": None, "weight": None, "receiver_address2": None, "need_signature": None,
         "cutoff_time": None},
        {"warehouse_id": None, "driver_name": None},
        {"pathAddr": None, "warehouse_id": None, "weight": None},
    ),
    Edge(
        "the default itself, written out",
        {"warehouse_id": 7, "zone": "Z00", "weight": "1.000", "receiver_address2": "", "need_signature": 0,
         "cutoff_time": "17:30:00"},
        {"warehouse_id": 7, "driver_name": "-"},
        {"pathAddr": "UNKNOWN", "warehouse_id": 7, "weight": "0.000"},
    ),
    Edge(
        "empty text where NULL is allowed",
        {"partner_ref": "", "tracking_no": "", "zone": "", "sender_name": "", "remark": "", "receiver_phone": ""},
        {"tracking_no": "", "driver_name": "", "postcode": "", "note": "", "route_no": ""},
        {"pathInfo": "", "pathAddr": "", "photo_key": ""},
    ),
    Edge(
        "NULL wherever it is allowed",
        dict.fromkeys(("partner_ref", "tracking_no", "volume_weight", "adjustment", "barcode", "sender_name",
                       "sender_address", "sender_postcode", "receiver_province", "receiver_postcode",
                       "receiver_phone", "remark", "attributes", "promised_date", "last_request")),
        dict.fromkeys(("tracking_no", "driver_id", "route_no", "scan_weight", "postcode", "note", "proof",
                       "delivered_at", "last_scan_at", "synced_at", "last_request")),
        dict.fromkeys(("tracking_no", "pathInfo", "operator_id", "lat", "lng", "photo_key", "scanned_at")),
    ),
    _order("unsigned bigint at 2^63", barcode=2**63),
    _order("unsigned bigint at its greatest", barcode=2**64 - 1),
    _order("unsigned bigint above 2^53, odd", barcode=2**53 + 1),
    _order("unsigned bigint zero", barcode=0),
    _order("trailing zeros", weight="12.500", volume_weight="100.000000", declared_value="1000000.00",
           adjustment="10.1000"),
    _order("negative decimals", adjustment="-0.0100", declared_value="-12.30", weight="-0.500"),
    _order("decimals at their ends", adjustment="-9999999999999999.9999", declared_value="999999999999.99",
           volume_weight="0.000001", weight="9999999.999"),
    Edge("zero dates", {"pickup_at": "0000-00-00 00:00:00", "promised_date": "0000-00-00"},
         {"delivered_at": "0000-00-00 00:00:00", "last_scan_at": "0000-00-00 00:00:00.000000",
          "synced_at": "0000-00-00 00:00:00"}, {"scanned_at": "0000-00-00 00:00:00.000000"}),
    Edge("before 1970", {"pickup_at": "1969-12-31 23:59:59", "promised_date": "1900-01-01"},
         {"delivered_at": "1901-02-03 04:05:06", "last_scan_at": "1969-12-31 23:59:59.999999"},
         {"scanned_at": "1950-06-15 12:00:00.000001"}),
    Edge("far in the future", {"pickup_at": "9999-12-31 23:59:59", "promised_date": "9999-12-31"},
         {"last_scan_at": "9999-12-31 23:59:59.999999", "synced_at": "2038-01-19 03:14:07"}),
    Edge("1970 itself", {"pickup_at": "1970-01-01 00:00:00", "promised_date": "1970-01-01"},
         {"delivered_at": "1970-01-01 00:00:00", "last_scan_at": "1970-01-01 00:00:00.000000",
          "synced_at": "1970-01-01 00:00:01"}, {"scanned_at": "1970-01-01 00:00:00.000001"}),
    Edge("microseconds with zeros at the end", {}, {"last_scan_at": "2025-02-28 23:59:59.100000"},
         {"scanned_at": "2024-02-29 00:00:00.000010"}),
    _order("negative time", cutoff_time="-12:34:56"),
    _order("time over a day", cutoff_time="27:15:00"),
    _order("time at its ends", cutoff_time="838:59:59"),
    _order("time at its other end", cutoff_time="-838:59:59"),
    _order("time zero", cutoff_time="00:00:00"),
    Edge("emoji", {"receiver_name": EMOJI, "remark": EMOJI}, {"note": EMOJI}, {"pathInfo": EMOJI}),
    Edge("right to left", {"receiver_name": RIGHT_TO_LEFT, "receiver_address": RIGHT_TO_LEFT},
         {"note": RIGHT_TO_LEFT}, {"pathInfo": RIGHT_TO_LEFT}),
    Edge("quotes, tabs, newlines", {"receiver_address": QUOTES, "remark": QUOTES}, {"note": QUOTES},
         {"pathInfo": QUOTES}),
    Edge("control characters", {"receiver_name": CONTROL, "remark": CONTROL}, {"note": CONTROL},
         {"pathInfo": CONTROL}),
    Edge("60 KB of text", {"remark": LONG}, {"note": LONG}),
    Edge("65,535 bytes of text", {"remark": LONGEST}, {"note": "x" * 65_535}),
    Edge("text that looks like something else", {"partner_ref": "NULL", "remark": "\\N"},
         {"note": "null", "postcode": "00000"},
         {"pathInfo": "N/A"}),
    _order("blanks at both ends", receiver_name="  two blanks  ", partner_ref=" ", remark="\n"),
    _order("JSON null", attributes="null"),
    _order("JSON scalar", attributes="1.0"),
    _order("JSON text", attributes='"\\u00e9\\ud83d\\ude00\\n\\\\ \\""'),
    _order("JSON empty", attributes="{}"),
    _order("JSON list", attributes='[1, 1.0, 1e30, -0.5, 1.10, 100, 1e-7, true, null, "", [], {}]'),
    _order("JSON integers at their ends",
           attributes='{"min": -9223372036854775808, "max": 18446744073709551615, "x": 9007199254740993}'),
    _order("JSON key order", attributes='{"zz": 1, "b": 2, "aaa": 3, "é": 4, "": 5, "B": 6, "a\\tb": 7, "b": 8}'),
    _order("JSON nested", attributes=NESTED),
    _order("tinyint(1) that is no boolean", need_signature=2),
    _order("tinyint(1) at its ends", need_signature=-128),
    _order("enum outside ASCII", service_level="次日達"),
    Edge("doubles", path={"lat": 0.1, "lng": -1.7976931348623157e308}),
    Edge("small doubles", path={"lat": 2.2250738585072014e-308, "lng": 1e-7}),
    Edge("event times NULL", {"add_time": None}, {"update_time": None}, {"pathTime": None}),
    Edge("event times negative", {"add_time": -1}, {"update_time": -86_400}, {"pathTime": -2_147_483_648}),
    Edge("event times zero", {"add_time": 0}, {"update_time": 0}, {"pathTime": 0}),
    Edge("event times far ahead", {"add_time": 2_147_483_647}, {"update_time": 2_147_483_647},
         {"pathTime": 2_147_483_647}),
    Edge("a negative key", order_id=-42),
    Edge("a key that a double cannot hold", order_id=2**53 + 1),
    Edge("its neighbour", order_id=2**53),
)  # fmt: skip


def places(orders: int) -> dict[int, Edge]:
    """Which of `orders` rows (counted from 0) is which edge; with fewer rows than edges the last edges are left out."""
    count = min(orders, len(EDGES))
    return {(k + 1) * orders // (count + 1) if orders > 2 * count else k: EDGES[k] for k in range(count)}
