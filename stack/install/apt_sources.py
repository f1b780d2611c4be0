"""The machine's own apt sources, read from one-line and deb822 files. Nothing of them is changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# Suites that hold additions to a release, or another archive altogether.
NOT_MAIN = re.compile(r"[-/](security|updates|backports|proposed-updates|fasttrack|lts)")
ONE_LINE = re.compile(r"^deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)(?P<components>.*)$")


@dataclass(frozen=True)
class Source:
    """One archive in one suite. `signed_by` is a keyring's path, or empty for apt's own."""

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str = ""


def one_line(text: str) -> Iterator[Source]:
    """Sources of a `.list` file; comments and `deb-src` are skipped."""
    for line in text.splitlines():
        match = ONE_LINE.match(line.split("#", 1)[0].strip())
        if match:
            options = dict(part.split("=", 1) for part in (match["options"] or "").split() if "=" in part)
            yield Source(match["uri"], match["suite"], tuple(match["components"].split()), options.get("signed-by", ""))


def deb822(text: str) -> Iterator[Source]:
    """Sources of a `.sources` file: stanzas, with continuation lines; `Enabled: no` is skipped."""
    for stanza in re.split(r"\n[ \t]*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line.startswith("#"):
                continue
            if line[:1] in (" ", "\t"):
                if name:
                    fields[name] += "\n" + line.strip()
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        if fields.get("enabled", "yes").lower() in ("no", "false", "0"):
            continue
        if "deb" not in fields.get("types", "deb").split():
            continue
        signed = fields.get("signed-by", "")
        # A key may stand in the stanza itself; only a path can be handed on.
        signed = signed if signed.startswith("/") else ""
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield Source(uri, suite, tuple(fields.get("components", "").split()), signed)


def read(etc: Path = Path("/etc/apt")) -> list[Source]:
    """Every source of the machine, in apt's order of files. Files that cannot be read are skipped."""
    found: list[Source] = []
    parts = etc / "sources.list.d"
    lists = [etc / "sources.list", *sorted(parts.glob("*.list"))]
    for path in lists:
        if path.is_file():
            found.extend(one_line(path.read_text(errors="replace")))
    for path in sorted(parts.glob("*.sources")):
        found.extend(deb822(path.read_text(errors="replace")))
    return found


def debian(sources: list[Source], keyring: Path = KEYRING) -> Source | None:
    """The machine's source of a Debian release itself, or None when it has none.

    Third-party sources are told apart by their keyring, their components and their suite.
    """
    for source in sources:
        if not source.uri.startswith(("http:", "https:", "mirror+", "file:")) or NOT_MAIN.search(source.suite):
            continue
        if "main" not in source.components or source.suite.endswith("/"):
            continue
        if source.signed_by and Path(source.signed_by).name.split(".")[0] != keyring.name.split(".")[0]:
            continue
        return source
    return None


def in_suite(source: Source, suite: str) -> str:
    """The same archive in another suite, as a line for a sources.list."""
    signed = source.signed_by or str(KEYRING)
    return f"deb [signed-by={signed}] {source.uri} {suite} main\n"
