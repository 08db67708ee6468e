"""What binding a messenger, and who sends notices, is called on screens."""

from collections.abc import Mapping

from web.language import Lazy, _l

CHANNELS: Mapping[str, Lazy | str] = {
    "browser": _l("The bell"),
    "mail": _l("Mail"),
    "telegram": "Telegram",
    "max": "MAX",
}
"""Channel of services.ways → the head of its column."""

TIE: Mapping[str, Lazy] = {"telegram": _l("Tie Telegram"), "max": _l("Tie MAX")}
OPEN: Mapping[str, Lazy] = {"telegram": _l("Open Telegram"), "max": _l("Open MAX")}
HAND_OVER: Mapping[str, Lazy] = {"telegram": _l("A link for Telegram"), "max": _l("A link for MAX")}

KINDS: Mapping[str, Lazy] = {
    "hint": _l("Hint"),
    "bound": _l("Messenger tied"),
    "stale": _l("Link does not work"),
    "moved": _l("Another account"),
}
"""Letters that messengers alone carry, beside those of web.mailbox."""

PROBLEMS: Mapping[str, Lazy] = {
    "unset": _l("nobody is chosen to send"),
    "unbound": _l("no account is tied"),
    "closed": _l("the person has blocked the bot"),
    "unwritten": _l("it could not be put together: tell who keeps the desk running"),
}
"""Why a letter of a messenger did not leave, where the platform's own words would mislead."""

ERRORS: Mapping[str, Lazy] = {
    "bot.none": _l("Nobody is chosen to send notices there: ask the administrator."),
    "bot.unknown": _l("There is no such bot among the places."),
    "bot.nameless": _l("The platform does not say under which name this bot is found: give it a user name there."),
    "bot.unbound": _l("Tie your account first."),
}
