"""Secrets at rest: sealed with a key that lives outside the database and its backups."""

import json
import os
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from services.errors import DeskError


class Keyring:
    """Seals and opens dictionaries of secrets; the first key seals, all of them open (rotation)."""

    def __init__(self, keys: list[bytes]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, secrets: dict[str, str]) -> str:
        """An encrypted text for ``source.secrets``; an empty dictionary gives an empty text."""
        return self._fernet.encrypt(json.dumps(secrets).encode()).decode() if secrets else ""

    def unseal(self, sealed: str) -> dict[str, str]:
        """The dictionary behind ``sealed``; raises DeskError(«key.wrong») when no key fits."""
        if not sealed:
            return {}
        try:
            return dict(json.loads(self._fernet.decrypt(sealed.encode())))
        except InvalidToken as error:
            raise DeskError("key.wrong") from error


def open_keyring(path: Path) -> Keyring:
    """Reads the key file, one key a line; makes it at first start, readable by its owner only. Processes that start
    together have the same key: the file appears whole, and only once."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, made = mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key() + b"\n")
        with suppress(FileExistsError):
            os.link(made, path)
        os.unlink(made)
    return Keyring(path.read_bytes().split())
