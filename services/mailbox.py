"""«Почта для уведомлений»: from which mailbox the desk writes to its own people."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Setting, Source
from services.errors import Refused
from services.events import record
from services.rights import Actor, require
from services.secrets import Keyring
from services.settings.history import keep
from services.sources import check_settings

if TYPE_CHECKING:
    from collectors.mail.settings import SenderSettings

NAME = "mail"
PLATFORM = "mail"
_SECRETS = ("password", "access_token")
LOGIN = ("smtp_host", "smtp_port", "username")
"""A password belongs to these: it is kept only as long as they stay."""


def mailboxes(session: Session) -> list[Source]:
    """Watched mailboxes: whoever answers a letter sent from one of them is read."""
    query = select(Source).where(
        Source.platform == PLATFORM, Source.state != "stopped", Source.removed_at.is_(None)
    )
    return list(session.scalars(query.order_by(Source.id)))


def stored_mail(session: Session) -> dict[str, Any]:
    """The choice as it is kept, without secrets: «source_id» or «smtp», nothing when none was made."""
    row = session.scalar(select(Setting).where(Setting.name == NAME))
    return {key: value for key, value in (row.value if row else {}).items() if key != "secrets"}


def sender_of(session: Session, keyring: Keyring) -> "tuple[SenderSettings, bool] | None":
    """(settings to send with, whether replies are read). Without a choice the first watched mailbox serves; None
    when there is none."""
    from collectors.mail.settings import SenderSettings

    row = session.scalar(select(Setting).where(Setting.name == NAME))
    value = dict(row.value) if row else {}
    if "smtp" in value:
        return SenderSettings(**value["smtp"], **keyring.unseal(value.get("secrets", ""))), False
    boxes = mailboxes(session)
    box = next((one for one in boxes if one.id == value.get("source_id")), boxes[0] if boxes else None)
    if box is None:
        return None
    settings = check_settings(PLATFORM, {**box.settings, **keyring.unseal(box.secrets)})
    return (settings, True) if isinstance(settings, SenderSettings) else None


def choose_mailbox(session: Session, actor: Actor, source_id: int) -> None:
    """Letters go out from a watched mailbox."""
    require(actor, "settings.edit")
    if source_id not in [box.id for box in mailboxes(session)]:
        raise Refused("mail.unknown", id=source_id)
    _keep(session, actor, {"source_id": source_id})


def choose_smtp(session: Session, actor: Actor, keyring: Keyring, given: Mapping[str, str]) -> None:
    """Letters go out over a server of its own; an empty password keeps the stored one, unless the server or the
    login changes. Raises Refused(«mail.settings») naming the wrong fields."""
    from collectors.mail.settings import SenderSettings

    require(actor, "settings.edit")
    row = session.scalar(select(Setting).where(Setting.name == NAME))
    before = dict(row.value) if row else {}
    values = {key: value.strip() for key, value in given.items() if value.strip()}
    old = before.get("smtp", {})
    same = all(values.get(key, "") == str(old.get(key, "")) for key in LOGIN)
    if "password" not in values and same:
        values = {**keyring.unseal(before.get("secrets", "")), **values}
    try:
        settings = SenderSettings.model_validate(values)
    except ValidationError as error:
        fields = {".".join(map(str, item["loc"])): item["msg"] for item in error.errors()}
        raise Refused("mail.settings", fields=fields) from None
    secrets = {name: getattr(settings, name) for name in _SECRETS}
    sealed = keyring.seal({k: v.get_secret_value() for k, v in secrets.items() if isinstance(v, SecretStr)})
    plain = settings.model_dump(mode="json", exclude=set(_SECRETS))
    _keep(session, actor, {"smtp": plain, "secrets": sealed})


def _keep(session: Session, actor: Actor, value: dict[str, Any]) -> None:
    keep(session, actor, NAME, value)
    record(session, "mail.chosen", actor)
