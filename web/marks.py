"""How words from outside are drawn: always escaped, the classifier's reasons marked, links only to pages."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from models import Author, Label
from services.errors import Refused
from web.language import _
from web.words import LABELS


def safe_link(address: str | None) -> str | None:
    """The address if a click on it opens a page and nothing else; platforms' words are not to be trusted."""
    if not address:
        return None
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return address if parts.scheme in ("http", "https") and parts.netloc else None


def typed_link(typed: str | None) -> str | None:
    """The link that a person gave, None where the field was left empty; raises Refused for one that is none."""
    given = (typed or "").strip()
    if given and safe_link(given) is None:
        raise Refused("link.invalid")
    return given or None


def marked(text: str, word: Label | None) -> Markup:
    """The text with the reasons of ``word`` in <mark>; reasons that no longer fit the text are left out."""
    pieces: list[Markup] = []
    at = 0
    for start, end, weight in _spans(text, word):
        if start < at:
            continue
        title = _("Speaks for «%(kind)s», weight %(weight)s", kind=_kind_of(word), weight=f"{weight:.2f}")
        pieces.append(escape(text[at:start]))
        pieces.append(Markup('<mark title="{}">{}</mark>').format(title, text[start:end]))
        at = end
    pieces.append(escape(text[at:]))
    return Markup("").join(pieces)


def part_marked(text: str, part: str) -> Markup:
    """The text with the words that the case is about in <mark>, whatever stands between them there."""
    found = re.search(r"\s+".join(re.escape(word) for word in part.split()), text) if part else None
    if found is None:
        return escape(text)
    mark = Markup('<mark class="part">{}</mark>').format(found[0])
    return escape(text[: found.start()]) + mark + escape(text[found.end() :])


def called(text: str, names: Iterable[str]) -> Markup:
    """A note with those it calls by @ in bold."""
    some = "|".join(re.escape(name) for name in sorted(filter(None, names), key=len, reverse=True))
    parts = re.split(rf"(?i)(@(?:{some})(?!\w))", text) if some else [text]
    return Markup("").join(
        Markup("<b>{}</b>").format(part) if at % 2 else escape(part) for at, part in enumerate(parts)
    )


def _kind_of(word: Label | None) -> str:
    return str(LABELS[word.label]) if word is not None and word.label in LABELS else ""


def _spans(text: str, word: Label | None) -> list[tuple[int, int, float]]:
    """An edit after labelling moves the words: a span counts only where it still covers what it was about."""
    if word is None:
        return []
    spans = [
        (int(start), int(end), float(weight)) for start, end, weight, said in word.why if text[start:end] == said
    ]
    return sorted(spans)


def best_two(p: Mapping[str, float]) -> list[tuple[str, float]]:
    """The two likeliest kinds, for one-click buttons."""
    known = [(name, value) for name, value in p.items() if name in LABELS]
    return sorted(known, key=lambda item: -item[1])[:2]


def greeting(author: Author | None) -> str:
    """How a reply begins: by name where the account bears one that looks like it."""
    first = (author.name.split() or [""])[0] if author is not None else ""
    if first.isalpha() and first[:1].isupper() and len(first) > 1:
        return _("Hello, %(name)s!", name=first)
    return _("Hello!")
