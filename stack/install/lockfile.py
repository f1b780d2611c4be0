"""The lock of what comes from Maven: one `sha256  folder/file` a line, sorted; no address of a registry."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from waybill.errors import RefusedError, SettingsError


def parse(text: str, name: str = "lock") -> dict[str, str]:
    """Checksum by path; blank lines and # comments are skipped. SettingsError names a bad line."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        checksum, gap, path = line.partition("  ")
        if not gap or len(checksum) != 64 or set(checksum) - set("0123456789abcdef") or not path:
            raise SettingsError(
                f"{name}, line {number} is not 'sha256  folder/file': {line!r}",
                todo="restore the file from git, or make it anew: python -m stack.install lock",
            )
        found[path] = checksum
    return found


def render(checksums: Mapping[str, str]) -> str:
    """The lock file's text."""
    return "".join(f"{checksums[path]}  {path}\n" for path in sorted(checksums))


def checksums(folder: Path) -> dict[str, str]:
    """sha256 of every file below a folder, by its path in it."""
    return {str(path.relative_to(folder)): _sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def verify(folder: Path, wanted: Mapping[str, str]) -> None:
    """Raises RefusedError unless the folder holds exactly the locked files with the locked content."""
    found = checksums(folder)
    wrong = [f"{path} has another content" for path in found if wanted.get(path, found[path]) != found[path]]
    wrong += [f"{path} is missing" for path in wanted if path not in found]
    wrong += [f"{path} is not in the lock" for path in found if path not in wanted]
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise RefusedError(
            f"what Maven brought is not what is locked: {'; '.join(sorted(wrong)[:5])}{more}",
            kept="nothing of it was put to use",
            todo="run the command again; if it stays, a repository in the Maven settings serves other files",
        )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
