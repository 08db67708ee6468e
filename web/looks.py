"""How things are drawn: the table of icons and colours by code, kept apart from their words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Looks:
    """Code → icon of the sprite, by noun."""

    labels: Mapping[str, str]
    publications: Mapping[str, str]
    acts: Mapping[str, str]
    tones: Mapping[str, str]


looks = Looks(
    labels={
        "question": "question-mark", "complaint": "message-report", "wish": "star", "praise": "heart",
        "spam": "ban", "other": "dots",
    },
    publications={
        "video": "player-play", "post": "note", "photo": "eye", "article": "note", "dialogue": "message-circle",
        "letter": "mail", "topic": "messages",
    },
    acts={
        "hide": "eye-off", "publish": "eye", "spam": "ban", "delete": "trash", "ban": "user-x", "like": "thumb-up",
        "reply": "arrow-back-up", "message": "mail", "edit": "pencil",
    },
    tones={
        "quiet": "loader-2", "good": "checks", "warn": "alert-triangle", "bad": "alert-circle",
    },
)  # fmt: skip


def initials(name: str | None) -> str:
    """One or two letters of a name for a round mark; what is no letter or digit only parts them."""
    parts = re.findall(r"[^\W_]+", name or "")
    return "".join(part[0] for part in parts[:2]).upper()
