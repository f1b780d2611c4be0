"""Ports belong to a checkout and survive a stop."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from stack import ports
from waybill.errors import UnreachableError

NAMES = ["mysql", "kafka", "s3"]


def test_every_service_gets_a_port_of_its_own_below_the_ephemeral_range() -> None:
    chosen = ports.choose(NAMES, {}, (), seed="/a", free=lambda port: True, highest=32768)
    assert len(set(chosen.values())) == len(NAMES)
    assert all(ports.LOWEST <= port < 32768 for port in chosen.values())


def test_kept_ports_stay_when_they_are_free() -> None:
    kept = {"mysql": 20101, "kafka": 20102, "s3": 20103}
    assert ports.choose(NAMES, kept, (), seed="/a", free=lambda port: True) == kept


def test_a_port_taken_by_somebody_else_is_chosen_anew_and_the_others_stay() -> None:
    kept = {"mysql": 20101, "kafka": 20102, "s3": 20103}
    chosen = ports.choose(NAMES, kept, (), seed="/a", free=lambda port: port != 20102, highest=32768)
    assert chosen["mysql"] == 20101
    assert chosen["s3"] == 20103
    assert chosen["kafka"] not in kept.values()


def test_a_port_is_kept_while_our_own_service_listens_on_it() -> None:
    kept = {"mysql": 20101, "kafka": 20102, "s3": 20103}
    chosen = ports.choose(NAMES, kept, {"kafka"}, seed="/a", free=lambda port: port != 20102)
    assert chosen == kept


def test_two_checkouts_begin_their_search_in_different_places() -> None:
    first = next(iter(ports.candidates("/home/a/waybill", 32768)))
    second = next(iter(ports.candidates("/home/b/waybill", 32768)))
    assert first != second


def test_the_search_ends_with_a_message_when_nothing_is_free() -> None:
    with pytest.raises(UnreachableError, match="no free port is left for mysql"):
        ports.choose(NAMES, {}, (), seed="/a", free=lambda port: False, highest=ports.LOWEST + 100)


def test_a_port_somebody_listens_on_is_not_free() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert not ports.is_free(port)
    assert ports.is_free(port)


def test_ports_are_read_back_as_written_and_a_torn_file_counts_as_none(tmp_path: Path) -> None:
    path = tmp_path / "a b" / "ports.json"
    ports.write(path, {"mysql": 20101})
    assert ports.read(path) == {"mysql": 20101}
    path.write_text('{"mysql": 20')
    assert ports.read(path) == {}
    assert ports.read(tmp_path / "none.json") == {}
