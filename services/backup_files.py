"""Attachments of backups: each kept once by its hash in a folder beside the archives, which name what they hold."""

import hashlib
import os
import zipfile
from pathlib import Path
from typing import Any

from services.errors import DeskError

APART_BYTES = 16 * 1024
"""What is longer than this lies apart: short texts are quicker in one archive than in many files."""
FOLDER = "files"
LIST = "files.txt"
KEY = "file"


class FileStore:
    """The folder ``files`` beside the archives; ``used`` collects what the archive at hand holds."""

    def __init__(self, beside: Path) -> None:
        self.root = beside / FOLDER
        self.used: set[str] = set()

    def put(self, content: bytes) -> dict[str, str]:
        """Keeps ``content`` and returns what stands in its place in the archive."""
        name = hashlib.sha256(content).hexdigest()
        self.used.add(name)
        path = self._path(name)
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            partial = path.with_suffix(f".{os.getpid()}.part")
            try:
                with partial.open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                partial.rename(path)
            finally:
                partial.unlink(missing_ok=True)
        return {KEY: name}

    def get(self, kept: dict[str, Any]) -> bytes:
        """The content again; raises DeskError(«backup.file») when it is missing or another one."""
        name = str(kept.get(KEY, ""))
        if len(name) != 64 or not name.isalnum():
            raise DeskError("backup.file", path=name[:80])
        path = self._path(name)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise DeskError("backup.file", path=str(path)) from error
        if hashlib.sha256(content).hexdigest() != name:
            raise DeskError("backup.file", path=str(path))
        return content

    def forget_unused(self, archives: list[Path]) -> int:
        """Removes what none of ``archives`` holds; nothing where one of them cannot be read. Returns how many."""
        held: set[str] = set()
        for path in archives:
            try:
                with zipfile.ZipFile(path) as archive:
                    held.update(archive.read(LIST).decode().split())
            except (OSError, KeyError, zipfile.BadZipFile):
                return 0
        removed = 0
        for path in self.root.glob("??/*"):
            if path.name not in held:
                path.unlink()
                removed += 1
        return removed

    def _path(self, name: str) -> Path:
        return self.root / name[:2] / name
