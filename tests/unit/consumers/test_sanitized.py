"""The native decoder's memory: built with AddressSanitizer and UBSan it runs over damaged messages without a fault."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "consumers/avro/decode.c"
COMPILER = os.environ.get("CC", "gcc")


def built(source: Path, target: Path) -> Path:
    flags = ["-g", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-shared", "-fPIC"]
    sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    subprocess.run([COMPILER, *flags, *sanitizers, "-o", target, source], check=True, timeout=120)
    return target


def ran(library: Path, seed: int, schemas: int) -> subprocess.CompletedProcess[str]:
    asan = subprocess.run([COMPILER, "-print-file-name=libasan.so"], check=True, capture_output=True, text=True).stdout
    return subprocess.run(
        [sys.executable, "-m", "tests.unit.consumers.sanitized", str(seed), str(schemas)],
        env={
            **os.environ, "LIBRARY": str(library), "LD_PRELOAD": asan.strip(), "PYTHONMALLOC": "malloc",
            # Python itself leaves memory to the process's end.
            "ASAN_OPTIONS": "detect_leaks=0",
        },
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def seed() -> int:
    found = int(os.environ.get("SEED") or 7)
    print(f"SEED={found}")
    return found


def test_damaged_messages_are_read_without_a_fault(tmp_path: Path, seed: int) -> None:
    done = ran(built(SOURCE, tmp_path / "decode.so"), seed, int(os.environ.get("N") or 30))
    assert done.returncode == 0, f"SEED={seed}: {done.stderr[-4000:]}"


def test_a_text_read_beyond_the_message_would_be_found(tmp_path: Path, seed: int) -> None:
    text = SOURCE.read_text()
    broken = text.replace("number < 0 || number > end - at)", "number < 0 || number > end - at + 1)")
    assert broken != text
    (tmp_path / "broken.c").write_text(broken)
    done = ran(built(tmp_path / "broken.c", tmp_path / "decode.so"), seed, 30)
    assert done.returncode != 0 and "AddressSanitizer" in done.stderr
