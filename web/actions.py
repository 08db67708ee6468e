"""What one can do in the inbox, in one list: the keys, the sheet «?» and the palette are all drawn from it."""

from dataclasses import dataclass

from services.rights import Actor
from web.language import Lazy, _l


@dataclass(frozen=True, slots=True)
class Action:
    """``code``: the key by its place on the keyboard, as static/js/keys.js binds it to the function ``name``;
    None: the browser or another script has it. ``where``: list · case, what must be there for it."""

    name: str
    title: Lazy
    keys: str
    code: str | None = None
    where: str = "list"
    icon: str | None = None  # with an icon it stands in the palette
    act: str | None = None


ACTIONS: tuple[Action, ...] = (
    Action("next", _l("next case"), "J", "KeyJ"),
    Action("previous", _l("previous case"), "K", "KeyK"),
    Action("open", _l("open"), "Enter O", "KeyO"),
    Action("pick", _l("choose the case, for acting upon many"), "X", "KeyX", "list", None, "case.assign"),
    Action("pickTo", _l("choose all up to this one"), "Shift+X", "Shift+KeyX", "list", None, "case.assign"),
    Action("pickPage", _l("choose the whole page"), "Shift+A", "Shift+KeyA", "list", "list-check", "case.assign"),
    Action("back", _l("back to the list"), "Esc"),
    Action("reply", _l("reply"), "R", "KeyR", "case", "arrow-back-up", "case.reply"),
    Action("holding", _l("holding reply: we have taken it up"), "G", "KeyG", "case", "hourglass", "case.reply"),
    Action(
        "past", _l("insert the nearest answer that was given before"), "Q", "KeyQ", "case", "history", "case.reply"
    ),
    Action("saved", _l("saved replies, at the start of a line"), "/", None, "case", None, "case.reply"),
    Action("send", _l("send"), "Ctrl Enter", None, "case", None, "case.reply"),
    Action(
        "sendNow", _l("send at once, without the time to undo"), "Ctrl Shift Enter", where="case", act="case.reply"
    ),
    Action("part", _l("make a case of the chosen words"), "S", "KeyS", "case", "arrows-split", "case.assign"),
    Action("note", _l("note"), "N", "KeyN", "case", "note", "case.note"),
    Action("assign", _l("lead it myself"), "A", "KeyA", "case", "user-check", "case.assign"),
    Action("route", _l("hand over to a department"), "D", "KeyD", "case", "arrow-forward-up", "case.route"),
    Action("follow", _l("follow the case, or no more"), "W", "KeyW", "case", "bell", "case.note"),
    Action("mark", _l("put a mark on"), "L", "KeyL", "case", "tag", "case.note"),
    Action("kind", _l("correct the kind"), "C", "KeyC", "case", "tag", "message.label"),
    Action("snooze", _l("put off"), "H", "KeyH", "case", "alarm", "case.assign"),
    Action("close", _l("close"), "E", "KeyE", "case", "check", "case.close"),
    Action("inThread", _l("already answered in the thread: close"), "T", "KeyT", "case", "checks", "case.close"),
    Action("undo", _l("undo"), "U", "KeyU"),
    Action("write", _l("write to somebody first"), "Shift+N", "Shift+KeyN", "list", "pencil", "case.reply"),
    Action("place", _l("filter by place"), "F", "KeyF", "list", "filter"),
    Action("search", _l("search"), "/"),
    Action("palette", _l("all actions, views and cases"), "Ctrl K"),
    Action("sheet", _l("all keys"), "?", "Shift+Slash", "list", "keyboard"),
)


def actions_of(actor: Actor) -> list[Action]:
    """What ``actor`` may do, in the order of the sheet."""
    return [action for action in ACTIONS if action.act is None or actor.may(action.act)]
