"""The script that fences a killed broker, with a Kafka that only says what the real one logs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from stack.catalogue import KAFKA

SCRIPT = Path(__file__).resolve().parents[3] / "stack/fence-killed-broker.sh"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The log folder of a broker that was killed."""
    (tmp_path / "__cluster_metadata-0").mkdir()
    return tmp_path


def fence(data: Path, *logged: str, then: str = "exec sleep 60") -> subprocess.CompletedProcess[str]:
    """Run the script over a Kafka that logs these lines; the properties it was given are kept in `properties`."""
    kafka = f'cp "$1" "{data}/properties"; ' + "; ".join([*(f"echo '{line}'" for line in logged), then])
    return subprocess.run(
        [SCRIPT, data, "9093", "bash", "-c", kafka, "kafka"], capture_output=True, text=True, timeout=30, check=False
    )


def test_a_new_broker_is_left_alone(tmp_path: Path) -> None:
    done = fence(tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert not (tmp_path / "properties").exists()


def test_a_broker_that_ended_by_itself_is_left_alone(data: Path) -> None:
    (data / ".kafka_cleanshutdown").touch()
    done = fence(data)
    assert (done.returncode, done.stdout) == (0, "")
    assert not (data / "properties").exists()


def test_a_killed_broker_is_fenced_by_a_controller_alone(data: Path) -> None:
    done = fence(data, "Becoming the active controller at epoch 3", "Fencing broker 1 at epoch 12")
    assert (done.returncode, done.stdout) == (0, "the broker had been killed: fenced it\n")
    given = dict(line.split("=", 1) for line in (data / "properties").read_text().splitlines())
    assert given["process.roles"] == "controller"
    assert given["node.id"] == KAFKA.settings["node.id"]
    assert given["log.dirs"] == str(data)
    assert given["listeners"] == "CONTROLLER://localhost:9093"


def test_one_that_was_fenced_when_it_died_needs_nothing(data: Path) -> None:
    done = fence(data, "Becoming the active controller at epoch 3")
    assert (done.returncode, done.stdout) == (0, "the broker had been killed: it was fenced\n")


def test_a_controller_that_fails_is_told(data: Path) -> None:
    done = fence(data, "the log is torn", then="exit 1")
    assert done.returncode == 1
    assert "the log is torn" in done.stdout
