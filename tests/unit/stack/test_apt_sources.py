"""The machine's apt sources are understood in both formats, and only Debian's own archive is taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack.install import apt_sources
from stack.install.apt_sources import Source

STANZAS = """\
# the release
Types: deb deb-src
URIs: http://archive.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://archive.example/debian-security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
"""


def test_one_line_sources_with_and_without_options() -> None:
    text = """\
# deb http://commented.example/debian bookworm main
deb http://archive.example/debian bookworm main contrib # with a comment
deb [arch=amd64 signed-by=/etc/apt/keyrings/x.gpg] https://third.example/apt stable extra
deb-src http://archive.example/debian bookworm main
"""
    assert list(apt_sources.one_line(text)) == [
        Source("http://archive.example/debian", "bookworm", ("main", "contrib")),
        Source("https://third.example/apt", "stable", ("extra",), "/etc/apt/keyrings/x.gpg"),
    ]


def test_deb822_sources_and_disabled_stanzas() -> None:
    key = "/usr/share/keyrings/debian-archive-keyring.gpg"
    assert list(apt_sources.deb822(STANZAS)) == [
        Source("http://archive.example/debian", "bookworm", ("main", "contrib"), key),
        Source("http://archive.example/debian", "bookworm-updates", ("main", "contrib"), key),
        Source("http://archive.example/debian-security", "bookworm-security", ("main",)),
    ]


def test_a_key_written_into_the_stanza_is_no_path() -> None:
    text = (
        "Types: deb\nURIs: http://a.example/debian\nSuites: trixie\nComponents: main\nSigned-By:\n -----BEGIN\n .\n x\n"
    )
    assert [source.signed_by for source in apt_sources.deb822(text)] == [""]


@pytest.mark.parametrize("suite", ["bookworm-security", "bookworm-updates", "bookworm/updates", "trixie-backports"])
def test_additions_to_a_release_are_not_the_archive(suite: str) -> None:
    assert apt_sources.debian([Source("http://a.example/debian", suite, ("main",))]) is None


def test_third_party_sources_are_not_the_archive() -> None:
    third = [
        Source("https://third.example/apt", "stable", ("main",), "/etc/apt/keyrings/third.gpg"),
        Source("https://flat.example/repo", "./", ()),
        Source("cdrom:[Debian]/", "bookworm", ("main",)),
    ]
    own = Source("http://a.example/debian", "bookworm", ("main",))
    assert apt_sources.debian(third) is None
    assert apt_sources.debian([*third, own]) == own


def test_only_the_suite_is_changed() -> None:
    source = Source("http://a.example/debian", "bookworm", ("main", "contrib"), "/k/debian-archive-keyring.gpg")
    line = apt_sources.in_suite(source, "sid")
    assert line == "deb [signed-by=/k/debian-archive-keyring.gpg] http://a.example/debian sid main\n"


def test_every_file_of_the_machine_is_read(tmp_path: Path) -> None:
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (tmp_path / "sources.list").write_text("deb http://one.example/debian bookworm main\n")
    (parts / "two.list").write_text("deb http://two.example/debian bookworm main\n")
    (parts / "three.sources").write_text(STANZAS)
    (parts / "four.list.disabled").write_text("deb http://four.example/debian bookworm main\n")
    assert [source.uri for source in apt_sources.read(tmp_path)][:3] == [
        "http://one.example/debian",
        "http://two.example/debian",
        "http://archive.example/debian",
    ]
