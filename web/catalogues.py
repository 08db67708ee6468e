"""Translations: compiles what is stale, collects what the templates say, and tells what has no Russian yet."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from web.place_words import said_by_channels

HERE = Path(__file__).resolve().parent
TRANSLATIONS = HERE / "translations"
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None, "_l": None, "gettext": None, "lazy_gettext": None, "N_": None, "ngettext": (1, 2),
}  # fmt: skip


def catalogue_files() -> list[Path]:
    """The catalogues there are, one a language."""
    return sorted(TRANSLATIONS.glob("*/LC_MESSAGES/messages.po"))


def compile_catalogues() -> None:
    """Writes each .mo that is missing or older than its .po, whole or not at all."""
    for source in catalogue_files():
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        part = target.with_suffix(f".{os.getpid()}.part")
        with part.open("wb") as file:
            write_mo(file, read_catalogue(source))
        part.replace(target)


def read_catalogue(path: Path) -> Catalog:
    """The catalogue in ``path``; its folder names the language."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3])


def extract() -> Catalog:
    """What the code and the templates say, as an empty catalogue."""
    found = Catalog(project="Otklik", charset="utf-8")
    with (HERE / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    for text in said_by_channels():
        found.add(text, None, [("collectors", 0)])
    walk = extract_from_dir(str(HERE), methods, options, keywords=KEYWORDS)
    for name, _line, message, comments, context in sorted(walk, key=lambda item: (item[0], item[1])):
        found.add(message, None, [(name, 0)], auto_comments=comments, context=context)
    return found


def untranslated(catalogue: Catalog) -> Iterator[Message]:
    """Messages that have no words yet, or not all plural forms, or are marked fuzzy."""
    for message in catalogue:
        words = message.string if isinstance(message.string, list | tuple) else (message.string,)
        if message.id and (message.fuzzy or not all(words)):
            yield message


def update_catalogues() -> int:
    """Brings every catalogue up to what is said now; returns how many messages still lack words."""
    said, missing = extract(), 0
    for path in catalogue_files():
        catalogue = read_catalogue(path)
        catalogue.update(said, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        with path.open("wb") as file:
            write_po(file, catalogue, width=110, sort_output=True, include_lineno=False, ignore_obsolete=True)
        for message in untranslated(catalogue):
            print(f"{path.parts[-3]}: {message.id!r}", file=sys.stderr)
            missing += 1
    return missing


if __name__ == "__main__":
    sys.exit(1 if update_catalogues() else 0)
