"""The invented school of `school/*.yaml`: publications, a week of comments, and those that come later."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from sandbox.ground import SCHOOL_ZONE
from sandbox.store import Publication

FOLDER = Path(__file__).parent / "school"
PLATFORMS = ("youtube", "vk", "telegram", "wordpress", "max", "ok", "feed", "form", "calls", "getcourse")
LABELS = ("question", "complaint", "wish", "praise", "spam", "other")
_DAY = re.compile(r"-(\d+)d (\d\d):(\d\d)")
_AGO = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?")


@dataclass(frozen=True, slots=True)
class Line:
    """One text of the school's people; ``label`` is a careful reader's, empty for the school's own."""

    platform: str
    key: str
    under: str
    by: str
    at: str
    label: str
    text: str
    to: str | None
    state: str


def moment(spec: str, now: datetime) -> float:
    """Unix seconds of ``-3d 20:14`` (school time, three days before today) or ``1h20m`` (ago)."""
    day = _DAY.fullmatch(spec)
    if day:
        days, hours, minutes = (int(group) for group in day.groups())
        midnight = now.astimezone(SCHOOL_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
        return (midnight - timedelta(days=days) + timedelta(hours=hours, minutes=minutes)).timestamp()
    ago = _AGO.fullmatch(spec)
    if not spec or ago is None:
        raise ValueError(f"not a time of the sandbox school: {spec!r}")
    hours, minutes = (int(group or 0) for group in ago.groups())
    return (now - timedelta(hours=hours, minutes=minutes)).timestamp()


def _read(name: str) -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content = yaml.load((FOLDER / f"{name}.yaml").read_text("utf-8"), Loader=loader)  # noqa: S506
    if not isinstance(content, dict):
        raise TypeError(f"{name}.yaml is not a mapping")
    return content


def publications(now: datetime | None = None) -> list[Publication]:
    """All publications of all platforms, oldest first."""
    moment_ = now or datetime.now(UTC)
    found = []
    for platform in PLATFORMS:
        for entry in _read(platform)["publications"]:
            fields = {"slug": "", "open": True, "pinned": False, "thread": None} | entry
            fields |= {"platform": platform, "at": moment(entry["at"], moment_)}
            fields |= {name: str(fields[name]) for name in ("id", "thread") if fields[name] is not None}
            found.append(Publication(**fields))
    return sorted(found, key=lambda one: one.at)


def week() -> list[Line]:
    """Every comment of the week, parents before their replies."""
    return [
        _line(platform, entry.get("under", group["under"]), entry)
        for platform in PLATFORMS
        for group in _read(platform)["week"]
        for entry in group["comments"]
    ]


def trickle() -> list[Line]:
    """Comments that come one after another while one watches, in their order."""
    return [_line(entry["platform"], entry["under"], entry) for entry in _read("trickle")["trickle"]]


def broadcast() -> dict[str, Any]:
    """The live broadcast of the channel: title, minutes and lines of [minute, author, text]."""
    return _read("live")


def _line(platform: str, under: str, entry: dict[str, Any]) -> Line:
    return Line(
        platform,
        entry["key"],
        under,
        entry["by"],
        str(entry.get("at", "")),
        entry.get("label", ""),
        str(entry["text"]),
        entry.get("to"),
        entry.get("state", "published"),
    )
