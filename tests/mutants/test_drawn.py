"""Three mutants of the commit cycle, drawn by a seed that is printed: each is caught by the test named for it.

They come from caught.toml; `make mutants` tries all, each with every test that can tell it.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from waybill.addresses import Warehouse, variable

SEED = int(os.environ.get("SEED") or secrets.randbelow(1_000_000))


@pytest.mark.timeout(600)
def test_three_drawn_mutants_are_caught(warehouse_server: Warehouse) -> None:
    plain = warehouse_server.model_dump() | {"password": warehouse_server.password.get_secret_value()}
    environment = {variable("warehouse", key): str(value) for key, value in plain.items()}
    words = ["--caught", "--drawn", "3", "--seed", str(SEED)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutants", *words], cwd=ROOT, env={**os.environ, **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    print(done.stdout)
    again = f"python -m tests.mutants --caught --drawn 3 --seed {SEED} repeats it"
    assert done.returncode == 0, f"{again}:\n{done.stdout}{done.stderr}"
