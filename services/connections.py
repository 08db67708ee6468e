"""Connecting a place: what its form asks, whether the platform lets us in, and how the places are doing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from collectors import CHANNELS, channel_class
from collectors.base import Channel, Check
from models import Message, RawItem, Source
from services.errors import NotFound, Refused
from services.events import record
from services.intake import retry_quarantined
from services.leases import next_numbers
from services.rights import DESK, Actor, require
from services.secrets import Keyring
from services.settings.places import keeping_place
from services.sources import add_source, get_source, list_sources, name_held, split_secrets, wake_source

OpenChannel = Callable[[Source], Channel]
Kind = Literal["text", "long", "number", "flag", "date", "choice", "lines", "secret"]
MOST_RAWS = 100
LONG_TEXTS = frozenset({"signature", "consent", "consent_news"})
"""Text settings that hold more than one line; pydantic has no word for it."""
RARE = frozenset(
    {
        "api_version",
        "message_id_domain",
        "watch_posts",
        "own_hashes",
        "webhook_secret",
        "refresh_token",
        "device_id",
        "session_secret",
        "callback_secret",
        "callback_confirmation",
        "long_poll",
        "live_chat",
        "daily_units",
        "reserve_units",
    }
)
"""Settings that a form keeps folded, beside the platforms' own addresses."""


@dataclass(frozen=True, slots=True)
class Field:
    """One setting as a form draws it; ``title`` and ``description`` are msgids."""

    name: str
    title: str
    description: str
    kind: Kind
    required: bool
    default: str
    choices: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None
    rare: bool = False  # its default serves nearly everybody


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a value is not taken: pydantic's stable word for it and the limits it names."""

    code: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """One line of «Площадки»."""

    source: Source
    messages: int
    unread: int  # raws in quarantine


def fields_of(platform: str) -> tuple[Field, ...]:
    """The settings of a platform in the order of its model; raises Refused for an unknown platform."""
    schema = _settings(platform).model_json_schema()
    needed = set(schema.get("required", ()))
    return tuple(_field(name, item, name in needed) for name, item in schema["properties"].items())


def _settings(platform: str) -> type[BaseModel]:
    if platform not in CHANNELS:
        raise Refused("source.platform", platform=platform)
    return channel_class(platform).Settings


def _field(name: str, item: Mapping[str, Any], required: bool) -> Field:
    # «str | None» says its type one level deeper.
    inner = {**item, **next((one for one in item.get("anyOf", ()) if one.get("type") != "null"), {})}
    kind = _kind(name, inner)
    default = item.get("default")
    if kind == "lines":
        default = "\n".join(map(str, default or ()))
    return Field(
        name=name,
        title=item.get("title", name),
        description=item.get("description", ""),
        kind=kind,
        required=required,
        default="" if default is None else str(default),
        choices=tuple(inner.get("enum", ())),
        least=inner.get("minimum", inner["exclusiveMinimum"] + 1 if "exclusiveMinimum" in inner else None),
        most=inner.get("maximum"),
        rare=not required and (name.endswith("_url") or name in RARE),
    )


def _kind(name: str, item: Mapping[str, Any]) -> Kind:
    if item.get("writeOnly"):
        return "secret"
    if item.get("enum"):
        return "choice"
    if item.get("format") == "date":
        return "date"
    if name in LONG_TEXTS:
        return "long"
    by_type: dict[str, Kind] = {"integer": "number", "boolean": "flag", "array": "lines"}
    return by_type.get(item.get("type", ""), "text")


def read_form(platform: str, form: Mapping[str, str]) -> dict[str, Any]:
    """Form texts as values for the settings; what was left empty is left out, so that its default counts."""
    values: dict[str, Any] = {}
    for field in fields_of(platform):
        text = form.get(field.name, "").strip()
        if field.kind == "flag":
            values[field.name] = bool(text)
        elif field.kind == "lines":
            values[field.name] = [line.strip() for line in text.splitlines() if line.strip()]
        elif text:
            values[field.name] = text
    return values


def show_values(source: Source) -> dict[str, str]:
    """The stored settings as texts of the form; secrets are never among them."""
    shown: dict[str, str] = {}
    for field in fields_of(source.platform):
        value = source.settings.get(field.name)
        if field.kind == "secret" or value is None:
            continue
        shown[field.name] = "\n".join(map(str, value)) if field.kind == "lines" else str(value)
    return shown


def kept_secrets(keyring: Keyring, source: Source) -> frozenset[str]:
    """Names of the secrets that are stored."""
    return frozenset(name for name, value in keyring.unseal(source.secrets).items() if value)


def find_problems(platform: str, values: Mapping[str, Any]) -> dict[str, Problem]:
    """Setting → what is wrong with it; a problem of all together stands under «»."""
    try:
        _settings(platform)(**values)
    except ValidationError as error:
        return {
            str(item["loc"][0]) if item["loc"] else "": Problem(item["type"], _limits(item))
            for item in reversed(error.errors())
        }
    return {}


def _limits(item: Any) -> dict[str, Any]:
    data = {key: value for key, value in item.get("ctx", {}).items() if key != "error"}
    if item["type"] == "value_error":  # our own validator's sentence, a msgid
        data["text"] = str(item["ctx"]["error"])
    return data


def draft_source(
    keyring: Keyring,
    platform: str,
    values: Mapping[str, Any],
    stored: Source | None = None,
    forget: Sequence[str] = (),
) -> Source:
    """A place that is in no database yet, to try its settings; secrets left out are those of ``stored``.

    Raises Refused: «source.settings» with ``problems`` (setting → Problem), «source.secret_again» where stored
    secrets would go to another address than the one they were entered for.
    """
    held = keyring.unseal(stored.secrets) if stored is not None else {}
    kept = {name: value for name, value in held.items() if name not in forget}
    problems = find_problems(platform, {**kept, **values})
    if problems:
        raise Refused("source.settings", problems=problems)
    settings = _settings(platform)(**{**kept, **values})
    plain, secrets = split_secrets(platform, settings)
    if stored is not None and not set(kept) <= values.keys():
        refuse_new_address(stored, plain)
    return Source(platform=platform, title="", settings=plain, secrets=keyring.seal(secrets), every_seconds=60)


def refuse_new_address(stored: Source, plain: Mapping[str, Any]) -> None:
    """A stored secret is not sent to a server that somebody enters later: it must be entered again."""
    moved = [
        name
        for name, value in plain.items()
        if name.endswith(("_url", "_host")) and name != "site_url" and value != stored.settings.get(name, value)
    ]
    if moved:
        raise Refused("source.secret_again", fields=moved)


def check_connection(open_channel: OpenChannel, source: Source) -> Check:
    """Asks the platform who we are there and what we may; raises ChannelError or DeskError. No transaction."""
    channel = open_channel(source)
    try:
        return channel.check()
    finally:
        channel.close()


def add_place(
    session: Session, actor: Actor, keyring: Keyring, *, platform: str, title: str, values: Mapping[str, Any],
    depth: str | None = None,
) -> Source:  # fmt: skip
    """Starts watching a place once: pressing twice, or entering it again, is refused."""
    require(actor, "source.edit")
    next_numbers(session, "source.add")  # its row is a lock: of two at the same moment the second sees the first
    draft = draft_source(keyring, platform, values)
    for known in session.scalars(select(Source).where(Source.platform == platform)):
        if known.settings == draft.settings and keyring.unseal(known.secrets) == keyring.unseal(draft.secrets):
            raise Refused("source.known" if known.removed_at is None else "source.known_removed", id=known.id)
    return add_source(session, actor, keyring, platform=platform, title=title, values=values, depth=depth)


def place_rows(session: Session, actor: Actor) -> tuple[PlaceRow, ...]:
    """All watched places with their numbers."""
    sources = list_sources(session, actor)
    stored = _counted(session, select(Message.source_id, func.count()).group_by(Message.source_id))
    unread = _counted(
        session,
        select(RawItem.source_id, func.count()).where(RawItem.state == "quarantined").group_by(RawItem.source_id),
    )
    return tuple(PlaceRow(one, stored.get(one.id, 0), unread.get(one.id, 0)) for one in sources)


def _counted(session: Session, query: Any) -> dict[int, int]:
    return {row[0]: row[1] for row in session.execute(query)}


def unread_raws(session: Session, actor: Actor, source_id: int) -> list[RawItem]:
    """«Не удалось прочитать» of one place, newest first."""
    get_source(session, actor, source_id)
    query = select(RawItem).where(RawItem.state == "quarantined", RawItem.source_id == source_id)
    return list(session.scalars(query.order_by(RawItem.id.desc()).limit(MOST_RAWS)))


def read_now(session: Session, actor: Actor, source_id: int) -> Source:
    """Reads the place at the next tick; one that a person paused stays paused."""
    require(actor, "source.edit")
    source = get_source(session, DESK, source_id)
    if source.state == "paused":
        raise Refused("source.paused", id=source_id)
    wake_source(source)
    record(session, "source.woken", actor, object_id=source.id)
    return source


def retry_raws(session: Session, actor: Actor, source_id: int, raw_ids: Sequence[int]) -> int:
    """Gives what could not be read another chance, at once; returns how many."""
    require(actor, "source.edit")
    source = get_source(session, DESK, source_id)
    wanted = set(raw_ids)
    known = [raw.id for raw in unread_raws(session, actor, source_id) if raw.id in wanted or not wanted]
    for raw_id in known:
        retry_quarantined(session, raw_id)
    if known and source.state != "paused":
        wake_source(source)
    record(session, "raws.retried", actor, object_id=source.id, count=len(known))
    return len(known)


def forget_secrets(session: Session, actor: Actor, keyring: Keyring, source_id: int, names: Sequence[str]) -> None:
    """Takes stored secrets away before the settings are saved anew; required ones cannot be spared."""
    require(actor, "source.edit")
    source = session.get(Source, source_id)
    if source is None:
        raise NotFound("source.unknown", id=source_id)
    held = keyring.unseal(source.secrets)
    name_held(source, held)
    with keeping_place(session, actor, source_id):
        source.secrets = keyring.seal({name: value for name, value in held.items() if name not in names})
        source.typed = {name: at for name, at in source.typed.items() if name not in names}
