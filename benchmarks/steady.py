"""`make bench-steady`: the consumer's memory while events come at a steady rate; figures in build/bench/steady.json.

Example: make bench-steady RATE=3000 MINUTES=10
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.filled import RAW, ROOT, filled
from benchmarks.forge import Forge
from benchmarks.processes import watched
from benchmarks.record import FOLDER, recorded
from waybill.addresses import Addresses


def measure(rate: int, seconds: float, addresses: Addresses) -> dict[str, Any]:
    """Memory of one consumer by the second, from the start of the first event to the load of the last."""
    forge, name = Forge(recorded(addresses)), f"bench{int(time.time() * 10) % 10**9}"
    with (
        tempfile.TemporaryDirectory() as folder,
        filled(addresses, Path(folder) / name, name, forge, 0, 3) as topic,
        watched(ROOT) as seen,
    ):
        load = os.getloadavg()[0]
        command = [sys.executable, "-c", "from cli.main import main; main()", "consume", "--no-metrics"]
        consumer = subprocess.Popen(command, env=topic.environment, cwd=ROOT, stderr=subprocess.DEVNULL)
        try:
            began, events = time.monotonic(), int(rate * seconds)
            topic.produce(forge, topic.register(forge), events, rate=rate)
            took = time.monotonic() - began
            while (rows := int(topic.rows(f"SELECT count(*) AS n FROM settlement_public.{RAW}")[0]["n"])) < events:
                assert consumer.poll() is None and time.monotonic() < began + seconds + 300, f"{rows} of {events} came"
                time.sleep(1)
            behind = time.monotonic() - began - took
        finally:
            consumer.send_signal(signal.SIGTERM)
            consumer.wait(30)
    series = [held for held in seen.series if held]
    minutes = [round(statistics.mean(series[at : at + 60])) for at in range(0, len(series) - 30, 60)]
    return {
        "rows": events, "seconds": round(took, 1), "rows_per_second": round(events / took),
        "seconds_to_load_the_rest": round(behind, 1), "load_before": round(load, 1), "load_after": os.getloadavg()[0],
        "memory_by_minute": minutes, "memory_peak": max(series), "consumer_memory_by_second": series,
        "cpu_seconds_per_million": {part: round(used / events * 1e6, 1) for part, used in seen.cpu.items()},
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=3_000, help="row events a second")
    parser.add_argument("--minutes", type=float, default=10)
    chosen = parser.parse_args()
    found = measure(chosen.rate, chosen.minutes * 60, Addresses.load(ROOT))
    FOLDER.joinpath("steady.json").write_text(json.dumps(found, indent=1))
    print(json.dumps({key: value for key, value in found.items() if key != "consumer_memory_by_second"}, indent=1))


if __name__ == "__main__":
    main()
