"""Pieces of rows made once and drawn many times: what makes half a million rows a matter of seconds.

Every pool holds ready text of several neighbouring columns in the form of `source.tsv`.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from source import pieces
from source import vocabulary as words
from source.journeys import Journey, journey
from source.tsv import line


@dataclass(frozen=True)
class Pools:
    """Lists to draw from. Names say which columns a piece covers, in the table's order."""

    senders: dict[int, str]
    """partner id -> sender_name .. sender_postcode"""
    parcels: list[str]
    """service_level .. currency"""
    receivers: list[str]
    """receiver_name .. remark"""
    postcodes: list[str]
    attributes: list[str]
    proofs: list[str]
    notes: list[str]
    cutoffs: list[str]
    drivers: list[str]
    """warehouse_id .. route_no"""
    scans: dict[int, list[str]]
    """state -> code .. photo_key"""
    journeys: list[Journey]
    micros: list[str]
    seconds_of_day: list[int]


def pools(r: Random) -> Pools:
    """All pools, drawn from `r`; about 0.2 seconds."""
    return Pools(
        senders={p: line(*pieces.sender(r)) for p in words.PARTNERS},
        parcels=[line(*pieces.parcel(r)) for _ in range(3000)],
        receivers=[line(*pieces.receiver(r)) for _ in range(5000)],
        postcodes=[line(pieces.maybe(r, words.postcode(r, r.choice(words.CITIES)[2]), 0.05)) for _ in range(1000)],
        attributes=[line(pieces.maybe(r, words.attributes(r), 0.15)) for _ in range(1500)],
        proofs=[line(pieces.proof(r)) for _ in range(300)],
        notes=[line(pieces.note(r)) for _ in range(200)],
        cutoffs=[line(pieces.cutoff(r)) for _ in range(100)],
        drivers=[line(*pieces.driver(r)) for _ in range(600)],
        scans={state: [line(*pieces.scan(r, state)) for _ in range(300)] for state in words.HAPPENED},
        journeys=[journey(r) for _ in range(3000)],
        micros=[pieces.micros(r) for _ in range(500)],
        seconds_of_day=[min(86_399, max(0, int(r.gauss(15 * 3600, 4 * 3600)))) for _ in range(4_000)],
    )
