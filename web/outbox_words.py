"""What «Исходящие» says and offers: one table by the act's state, one by the platform's error."""

from collections.abc import Mapping
from datetime import timedelta

from models import Act, Source, utc_now
from services.outbox import MAX_ATTEMPTS
from services.outcomes import ASKS_TO_WAIT
from services.pacing import Forecast
from web.dates import when
from web.language import Lazy, _, _l, ngettext

ACTIONS: Mapping[str, tuple[str, ...]] = {
    "approval": ("cancel",),
    "held": ("send_now", "cancel"),
    "queued": ("cancel",),
    "retry": ("retry", "cancel"),
    "dead": ("retry", "cancel"),
    "review": ("confirm", "retry", "cancel"),
}
"""State → what the service takes in it; in the other states the desk is at work and nobody need press anything."""

TO_DO: Mapping[str, Lazy] = {
    "auth": _l("Enter a new key on the screen «Places», then send again."),
    "rights": _l("Give our account this right on the platform, then send again."),
    "gone": _l("There is nothing to reply under any more: cancel and close the case."),
    "closed": _l("Open the comments on the platform, or cancel."),
    "invalid": _l("Cancel: the text goes back to the draft, where it can be changed."),
    "captcha": _l("Log in on the platform once by hand, then send again."),
    "conflict": _l("Stop the other program, then send again."),
    "unsupported": _l("Do it by hand on the platform, then cancel here."),
    "address": _l("Correct the address of the place, then send again."),
    "settings": _l("Correct the settings of the place, then send again."),
    "quota": _l("The limit is free again tomorrow: send then, or cancel."),
    "share": _l("The limit is free again tomorrow: send then, or cancel."),
}
"""Error code → the next step of a person, once the desk has given up."""


def is_later(act: Act) -> bool:
    """Held for an hour of its own, and not for undo alone."""
    return act.state == "held" and act.due_at > utc_now() + timedelta(minutes=1)


def in_queue(act: Act, forecast: Forecast) -> str:
    """What the limits of the platform mean for this act."""
    time = when(forecast.at)
    if act.error_code in ASKS_TO_WAIT or (forecast.told and act.state == "queued"):
        return _("Goes at about %(time)s: the platform lets no more through before.", time=time)
    if not forecast.ahead:
        return _("Goes at about %(time)s: the platform's queue.", time=time)
    return ngettext(
        "Goes at about %(time)s: the platform's queue, %(num)s before it.",
        "Goes at about %(time)s: the platform's queue, %(num)s before it.",
        forecast.ahead, time=time,
    )  # fmt: skip


def next_step(act: Act, source: Source, forecast: Forecast | None = None) -> str:
    """One sentence: what happens next, or what is wanted of whoever reads it."""
    if source.state == "paused" and act.state in ("held", "queued", "retry"):
        return _("The place is paused: it goes when reading is resumed.")
    if forecast is not None and (act.state != "retry" or act.error_code in ASKS_TO_WAIT):
        return in_queue(act, forecast)
    match act.state:
        case "approval":
            return _("Goes when somebody has agreed to it: open the case.")
        case "held" if is_later(act):
            return _("Goes %(time)s, until then it can be taken back.", time=when(act.due_at))
        case "held":
            return _("Goes in a few seconds, until then it can be taken back.")
        case "queued" | "sending":
            return _("Goes right now.")
        case "retry":
            return _(
                "Will be tried again: %(time)s. Attempt %(number)s of %(most)s.",
                time=when(act.due_at), number=act.attempt + 1, most=MAX_ATTEMPTS,
            )  # fmt: skip
        case "unknown":
            return _("The desk is looking for it on the platform. Nothing need be done.")
        case "review":
            return _("Look on the platform and say whether it stands there.")
    return str(TO_DO.get(act.error_code or "", _l("Send again, or cancel.")))
