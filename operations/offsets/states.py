"""One word for how a partition's consumption goes, after Burrow's evaluator; its rules are in docs/offsets.md."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

PATIENCE_SECONDS = 30.0
"""How long a message may wait beyond the seconds its micro-batch may stay open."""


class State(Enum):
    """From the worst to the best; NONE is for a topic that Kafka does not have."""

    ERR = "ERR"
    REWIND = "REWIND"
    STOP = "STOP"
    STALL = "STALL"
    WARN = "WARN"
    OK = "OK"
    NONE = "-"


@dataclass(frozen=True, slots=True)
class Look:
    """One partition at one moment.

    `position` None: never read. `age`: seconds since the next message not yet loaded was written, None when none
    waits. `idle`: seconds since the position last moved. `member`: who has it in the consumer group. `stopped`: why
    its table is stopped. `reads_again_to`: where a reset began, None when the position has passed that.
    """

    low: int
    stable: int
    position: int | None
    generation: int
    same_topic: bool
    age: float | None
    idle: float
    member: str
    stopped: str
    reads_again_to: int | None

    @property
    def lag(self) -> int:
        return max(0, self.stable - (self.position or 0))


def judge(first: Look, second: Look, allowed: float) -> tuple[State, str]:
    """The state and why, from two looks; the same one twice when there is only one.

    `allowed`: seconds a message may wait.
    """
    position = second.position
    if second.stopped:
        return State.ERR, second.stopped
    if position is not None and not second.same_topic:
        return State.ERR, "the topic was deleted and made again"
    if (position or 0) < second.low:
        return State.ERR, f"Kafka has dropped offsets {position or 0} to {second.low - 1}, not loaded"
    if position is not None and position > second.stable:
        return State.REWIND, f"Kafka ends at {second.stable}, before the position"
    if position is not None and (position < (first.position or 0) or second.generation > first.generation > 0):
        return State.REWIND, f"set from offset {first.position} to {position} between two looks"
    if _waits_not(first, allowed) or _waits_not(second, allowed):
        return State.OK, ""
    waits = f"a message waits for {second.age or 0:.0f} s"
    if not second.member:
        return State.STOP, f"no consumer has it; {waits}"
    if position == first.position and second.idle > allowed:
        return State.STALL, f"{second.member} has it, but it has not moved for {second.idle:.0f} s"
    if second.reads_again_to is not None:
        return State.REWIND, f"reads again up to offset {second.reads_again_to}"
    if second.lag > first.lag:
        return State.WARN, f"moves, but the lag grew by {second.lag - first.lag} between two looks; {waits}"
    return State.OK, "catches up"


def _waits_not(look: Look, allowed: float) -> bool:
    return look.age is None or look.age <= allowed


def needs_second(look: Look, allowed: float) -> bool:
    """Can one look not tell? A second then tells a consumer that moves from one that stands."""
    return judge(look, look, allowed)[0] in (State.STALL, State.OK) and not _waits_not(look, allowed)
