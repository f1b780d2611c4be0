"""A process is known by more than its id, and only that process is ever ended."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stack import processes
from waybill.errors import UnreachableError


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[processes.Identity]:
    pid = processes.start(
        ["sleep", "60"], env=dict(os.environ), cwd=tmp_path, log=tmp_path / "sleep.log", mark=str(tmp_path)
    )
    identity = processes.identify(pid)
    assert identity is not None
    yield identity
    processes.end(identity, signal.SIGKILL, 5)


def test_a_running_process_is_alive_and_an_ended_one_is_not(sleeper: processes.Identity) -> None:
    assert processes.alive(sleeper)
    assert processes.end(sleeper, signal.SIGTERM, 5)
    assert not processes.alive(sleeper)
    assert processes.identify(sleeper.pid) is None


def test_a_recycled_id_is_never_signalled(sleeper: processes.Identity) -> None:
    for stranger in (replace(sleeper, started=sleeper.started - 1), replace(sleeper, boot="another")):
        assert not processes.alive(stranger)
        assert not processes.send(stranger, signal.SIGKILL)
        assert processes.end(stranger, signal.SIGKILL, 1)
    assert processes.alive(sleeper)


def test_a_process_that_ignores_sigterm_is_killed_after_its_time(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    script = f'trap "" TERM; : >"{ready}"; while :; do sleep 0.1; done'
    pid = processes.start(["sh", "-c", script], env=dict(os.environ), cwd=tmp_path, log=tmp_path / "l", mark="m")
    identity = processes.identify(pid)
    assert identity is not None
    _until(ready.exists)
    assert not processes.end(identity, signal.SIGTERM, 0.3)
    assert not processes.alive(identity)


def test_a_started_process_is_in_a_session_of_its_own(sleeper: processes.Identity) -> None:
    assert os.getsid(sleeper.pid) == sleeper.pid != os.getsid(0)


def test_a_lost_process_is_found_by_its_mark(sleeper: processes.Identity, tmp_path: Path) -> None:
    _until(lambda: processes.marked(str(tmp_path)) == [sleeper])
    assert processes.marked(str(tmp_path / "other")) == []


def test_a_process_is_found_by_the_folder_it_works_in(sleeper: processes.Identity, tmp_path: Path) -> None:
    assert processes.working_in(tmp_path) == [sleeper.pid]


def test_a_record_is_read_back_and_a_torn_one_counts_as_none(tmp_path: Path) -> None:
    record = processes.Record(processes.Identity(1, 2, "boot"), "print", 3.5, ready=True)
    path = tmp_path / "records" / "mysql.json"
    processes.save(path, record)
    assert processes.load(path) == record
    path.write_text(path.read_text()[:-9])
    assert processes.load(path) is None
    assert processes.load(tmp_path / "none") is None


def test_the_log_of_the_start_before_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    for word in ("one", "two"):
        pid = processes.start(["echo", word], env=dict(os.environ), cwd=tmp_path, log=log, mark="m")
        _until(lambda pid=pid: processes.identify(pid) is None)
    assert log.read_text() == "two\n"
    assert log.with_name("x.log.1").read_text() == "one\n"


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match="could not execute /no/such/program"):
        processes.start(["/no/such/program"], env={}, cwd=tmp_path, log=tmp_path / "l", mark="m")


def _until(condition: object, limit: float = 5.0) -> None:
    assert callable(condition)
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
