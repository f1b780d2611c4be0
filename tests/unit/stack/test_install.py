"""Downloads are pinned, appear whole or not at all, and are never fetched twice."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from stack.install import converter, java, lockfile, machine, maven, mysql
from stack.install.cache import Piece, ensure
from waybill.errors import RefusedError, SettingsError, UnreachableError

A, B = "a" * 64, "b" * 64


def test_the_lock_is_read_as_it_is_written() -> None:
    assert lockfile.parse(lockfile.render({"kafka/b.jar": B, "kafka/a.jar": A})) == {"kafka/a.jar": A, "kafka/b.jar": B}
    assert lockfile.parse("# comment\n\n") == {}


@pytest.mark.parametrize("line", ["kafka/a.jar", f"{A} kafka/a.jar", f"{A[:-1]}  kafka/a.jar", f"{'A' * 64}  x"])
def test_a_bad_line_of_the_lock_is_named(line: str) -> None:
    with pytest.raises(SettingsError, match="line 2"):
        lockfile.parse(f"{A}  kafka/a.jar\n{line}\n")


def test_the_lock_of_the_repository_names_every_archive_and_no_address() -> None:
    text = maven.LOCK.read_text()
    locked = lockfile.parse(text)
    assert "://" not in text
    for beginning in maven.ARCHIVES:
        assert any(path.startswith(f"archives/{beginning}") for path in locked), beginning


def test_files_that_are_not_as_locked_are_refused(tmp_path: Path) -> None:
    (tmp_path / "kafka").mkdir()
    (tmp_path / "kafka/a.jar").write_bytes(b"a")
    good = lockfile.checksums(tmp_path)
    lockfile.verify(tmp_path, good)
    with pytest.raises(RefusedError, match=r"kafka/b.jar is missing"):
        lockfile.verify(tmp_path, {**good, "kafka/b.jar": B})
    with pytest.raises(RefusedError, match=r"kafka/a.jar is not in the lock"):
        lockfile.verify(tmp_path, {})
    (tmp_path / "kafka/a.jar").write_bytes(b"another")
    with pytest.raises(RefusedError, match=r"kafka/a.jar has another content"):
        lockfile.verify(tmp_path, good)


def test_a_piece_is_filled_once_even_by_two_at_a_time(tmp_path: Path) -> None:
    calls: list[Path] = []

    def fill(folder: Path) -> None:
        calls.append(folder)
        (folder / "x").write_text("whole")

    piece = Piece("p", "p-1", "", fill)
    threads = [threading.Thread(target=ensure, args=(piece, tmp_path)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1
    assert (ensure(piece, tmp_path) / "x").read_text() == "whole"


def test_an_interrupted_piece_is_not_taken_for_finished_and_is_begun_anew(tmp_path: Path) -> None:
    def broken(folder: Path) -> None:
        (folder / "half").write_text("")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ensure(Piece("p", "p-1", "", broken), tmp_path)
    assert not (tmp_path / "p-1").exists()
    found = ensure(Piece("p", "p-1", "", lambda folder: (folder / "x").touch()), tmp_path)
    assert [path.name for path in found.iterdir()] == ["x"]


def test_the_converter_is_compiled_anew_when_a_source_changes(tmp_path: Path) -> None:
    source = converter.sources(tmp_path) / "java/waybill/connect/Converter.java"
    source.parent.mkdir(parents=True)
    with pytest.raises(UnreachableError, match="sources are not in"):
        converter.piece(tmp_path, tmp_path / "jars")
    source.write_text("class Converter {}")
    first = converter.piece(tmp_path, tmp_path / "jars").key
    assert converter.piece(tmp_path, tmp_path / "jars").key == first
    source.write_text("class Converter { }")
    assert converter.piece(tmp_path, tmp_path / "jars").key != first
    assert converter.piece(tmp_path, tmp_path / "other-jars").key != first


@pytest.mark.parametrize(
    ("text", "major"),
    [('JAVA_VERSION="17.0.15"\n', 17), ('X=1\nJAVA_VERSION="21"\n', 21), ('JAVA_VERSION="1.8.0_402"\n', 8), ("", 0)],
)
def test_the_java_version_is_read_from_the_release_file(tmp_path: Path, text: str, major: int) -> None:
    (tmp_path / "release").write_text(text)
    assert java.major(tmp_path) == major


def test_another_series_of_mysql_is_refused_with_the_way_to_try_it(monkeypatch: pytest.MonkeyPatch) -> None:
    mysql._check_series("9.7.4-2")
    with pytest.raises(RefusedError, match=r"has MySQL 10\.1\.0-1 now"):
        mysql._check_series("10.1.0-1")
    with pytest.raises(RefusedError):
        mysql._check_series("9.70.0-1")
    monkeypatch.setenv("WAYBILL_MYSQL_SERIES", "10.1")
    mysql._check_series("10.1.0-1")


def test_the_guards_of_the_package_scripts_are_known_as_our_own() -> None:
    assert "waybill" in machine.POLICY_TEXT
    assert "exit 101" in machine.POLICY_TEXT
