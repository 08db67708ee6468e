"""Deadlines as people read them: «до 17:00», «осталось 2 ч», «опоздали на 3 ч», and why something came late."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from models import utc_now
from services.sla import Share
from web.dates import when
from web.language import _, format_datetime, here, ngettext
from web.words import department_name

SOON = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Deadline:
    """``tone`` is a class of chips, "" while nothing hurries; the words say the same without colour."""

    text: str
    tone: str
    icon: str
    at: datetime


def span(passed: timedelta) -> str:
    """«20 мин», «3 ч», «3 ч 20 мин», «2 дн.»; hours of working time may go beyond a day."""
    minutes = max(int(passed.total_seconds() // 60), 0)
    if minutes < 60:
        return ngettext("%(num)s min", "%(num)s min", minutes)
    hours = ngettext("%(num)s h", "%(num)s h", minutes // 60)
    if minutes % 60 == 0 or minutes >= 10 * 60:
        return hours
    return f"{hours} {ngettext('%(num)s min', '%(num)s min', minutes % 60)}"


def _long(passed: timedelta) -> str:
    days = passed.days
    return ngettext("%(num)s d", "%(num)s d", days) if days >= 2 else span(passed)


def deadline(due_at: datetime | None, warn_at: datetime | None, now: datetime | None = None) -> Deadline | None:
    """The chip of a deadline; None where nothing runs."""
    if due_at is None:
        return None
    now = now or utc_now()
    if now > due_at:
        return Deadline(_("late by %(time)s", time=_long(now - due_at)), "chip-bad", "flame", due_at)
    burns = warn_at is not None and now >= warn_at
    if burns or due_at - now < SOON:
        tone = "chip-warn" if burns else "chip-wait"
        return Deadline(_("%(time)s left", time=span(due_at - now)), tone, "hourglass", due_at)
    is_today = due_at.astimezone(here()).date() == now.astimezone(here()).date()
    text = format_datetime(due_at, "H:mm") if is_today else when(due_at, now)
    return Deadline(_("by %(time)s", time=text), "chip-wait", "hourglass", due_at)


def why_late(shares: Sequence[Share]) -> str:
    """«Опоздали: ждали отдел «Кураторы» 9 ч, мы 20 мин»; empty while in time."""
    if not shares:
        return ""
    parts = [
        _("we %(time)s", time=span(share.spent))
        if share.department is None
        else _("waited for «%(unit)s» %(time)s", unit=department_name(share.department), time=span(share.spent))
        for share in shares
    ]
    return _("Late: %(parts)s of working time", parts=", ".join(parts))
