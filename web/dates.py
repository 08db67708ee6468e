"""Times as a person reads them: near ones by words, the exact one on hover, all in the desk's zone."""

from datetime import date, datetime, timedelta

from markupsafe import Markup

from models import utc_now
from web.language import _, format_date, format_datetime, here, ngettext


def _local(at: datetime) -> datetime:
    return at.astimezone(here())


def when(at: datetime | None, now: datetime | None = None) -> str:
    """«сегодня, 14:05», «вчера, 9:12», «23 нояб., 18:40», with the year where it is another one."""
    if at is None:
        return "—"
    there, today = _local(at), _local(now or utc_now())
    time = format_datetime(at, "H:mm")
    if there.date() == today.date():
        return _("today, %(time)s", time=time)
    if there.date() == today.date() - timedelta(days=1):
        return _("yesterday, %(time)s", time=time)
    if there.date() == today.date() + timedelta(days=1):
        return _("tomorrow, %(time)s", time=time)
    pattern = _("d MMM") if there.year == today.year else _("d MMM y")
    return f"{format_date(there.date(), pattern)}, {time}"


def day(on: date) -> str:
    """«23 нояб. 2026»."""
    return format_date(on, _("d MMM y"))


def today() -> date:
    """The day it is in the desk's zone."""
    return _local(utc_now()).date()


def typed_time(typed: str) -> datetime | None:
    """A time as a browser's field gives it («2026-11-26T18:00»), taken in the desk's zone; None when it is none."""
    try:
        at = datetime.fromisoformat(typed)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=here())


def local_input(at: datetime) -> str:
    """A time as a browser's field takes it."""
    return at.astimezone(here()).strftime("%Y-%m-%dT%H:%M")


def exact(at: datetime) -> str:
    """The whole date and time with the zone, for hover."""
    return format_datetime(at, "d MMMM y, H:mm:ss, VVV")


def age(at: datetime | None, now: datetime | None = None) -> str:
    """How long ago, as short as a list row needs: «сейчас», «5 мин», «3 ч», «2 дн.», then the date."""
    if at is None:
        return ""
    passed = (now or utc_now()) - at
    minutes = int(passed.total_seconds() // 60)
    if minutes < 1:
        return _("now")
    if minutes < 60:
        return ngettext("%(num)s min", "%(num)s min", minutes)
    if minutes < 24 * 60:
        return ngettext("%(num)s h", "%(num)s h", minutes // 60)
    if minutes < 7 * 24 * 60:
        return ngettext("%(num)s d", "%(num)s d", minutes // 1440)
    return format_date(_local(at).date(), _("d MMM"))


def _tag(at: datetime, text: str, css: str) -> Markup:
    return Markup('<time class="{}" datetime="{}" title="{}">{}</time>').format(
        css, at.isoformat(timespec="seconds"), exact(at), text
    )


def when_tag(at: datetime | None) -> Markup:
    """``when`` as a <time> element with the exact time on hover."""
    return _tag(at, when(at), "when") if at else Markup("—")


def age_tag(at: datetime | None) -> Markup:
    """``age`` as a <time> element with the exact time on hover; static/js/ages.js keeps it young."""
    return _tag(at, age(at), "age") if at else Markup("")
