"""docs/metrics.md, made of the declarations: `make metrics-page`."""

from __future__ import annotations

from collections.abc import Iterable

from waybill.metrics import ALL, COMMIT, CONSUME, EVERY, NOT_OURS, RUN, WATCH, Metric

_PARTS = (
    (WATCH, "What the services say", "Told by `waybill run`, and by `waybill commit --schedule` or"
     " `--continuous` where no run supervises it; looked at every 10 s while somebody scrapes."),
    (CONSUME, "What a consumer did", "Told by each `waybill consume`; counters begin at 0 with the process."),
    (COMMIT, "What a committer did", "Told by `waybill commit --schedule` and `--continuous`; counters begin at 0 with"
     " the process, each mart with its first cycle."),
    (RUN, "Processes", "Told by `waybill run`."),
    (EVERY, "Every process", "Told by each of them."),
)  # fmt: skip

_HEAD = """# Metrics

Made of `waybill/metrics.py` by `make metrics-page`; a test holds the two together. How to look at them: the README.

Prometheus adds to each series `process` (consume-1, commit-1, run-1) and `pipeline` (its topic prefix). Two processes
may tell the same of a service: take `max by (table, partition)`. A moment is told as the moment, so its age is
`time() - ..._timestamp_seconds`.
"""


def page() -> str:
    """The whole file."""
    lines = [_HEAD]
    for told_by, title, text in _PARTS:
        lines += [f"## {title}", "", text, "", "| name | type | unit | labels | meaning |", "|---|---|---|---|---|"]
        lines += _rows(metric for metric in ALL if metric.told_by == told_by)
        lines.append("")
    lines += ["## Not ours", "", "| name | meaning |", "|---|---|"]
    lines += [f"| `{name}` | {meaning} |" for name, meaning in NOT_OURS.items()]
    return "\n".join(lines) + "\n"


def _rows(found: Iterable[Metric]) -> Iterable[str]:
    for metric in found:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        yield f"| `{metric.name}` | {metric.type} | {metric.unit} | {labels} | {metric.meaning} |"


if __name__ == "__main__":
    print(page(), end="")
