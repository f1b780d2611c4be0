"""A moment as a person types it."""

from __future__ import annotations

from datetime import UTC, datetime

from waybill.errors import SettingsError


def parse_moment(text: str, now: int) -> int:
    """Epoch seconds of `text`: ISO 8601 (UTC unless it names a zone), epoch seconds, or `now`.

    Raises `SettingsError` for anything else, and for a moment before 2000 or after 2037: the event times are
    32-bit epoch seconds, and the timestamps in the tables end in 2038.
    """
    if text == "now":
        return now
    try:
        if text.lstrip("-").isdigit() and len(text) != 8:
            at = int(text)
        else:
            parsed = datetime.fromisoformat(text)
            at = int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp())
    except ValueError as error:
        raise SettingsError(
            f"{text!r} is no time", todo="write it like 2026-03-31, 2026-03-31T08:00:00Z or 1774944000"
        ) from error
    if not 946_684_800 <= at < 2_114_380_800:
        raise SettingsError(f"{text} lies outside the years 2000 to 2036", todo="name a moment between them")
    return at
