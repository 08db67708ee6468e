"""The inbox's address bar: views of the left column, and filters to and from a query string."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from classifier import LABELS
from collectors import CHANNELS
from services.filters import MOST_CONDITIONS, MOST_GROUPS, Condition, Filters
from web.language import Lazy, _l
from web.theme_words import KINDS, SIGNALS, THEMES

STAGES = ("new", "work", "wait", "later", "closed")
LIFTS = ("answer", "declined", "clarify", "failed", "unknown", "snooze", "approval", "rejected")


@dataclass(frozen=True, slots=True)
class View:
    """A line of the left column; ``counter`` names a number of services.inbox.counters, ``quiet``: hidden at 0."""

    title: Lazy
    icon: str
    filters: Filters = field(default_factory=Filters)
    counter: str | None = None
    quiet: bool = False


VIEWS: tuple[tuple[View, ...], ...] = (
    (
        View(_l("Inbox"), "inbox", Filters(), "open"),
        View(_l("Burning"), "flame", Filters(burning=True, sort="due"), "burning"),
        View(_l("Urgent"), "alert-triangle", Filters(urgent=True), "urgent", quiet=True),
        View(_l("Looks like a claim or worse"), "alert-circle", Filters(signal="any"), "signals", quiet=True),
    ),
    (
        View(_l("Questions"), "question-mark", Filters(label="question"), "question"),
        View(_l("Complaints"), "message-report", Filters(label="complaint"), "complaint"),
        View(_l("Wishes"), "star", Filters(label="wish"), "wish"),
        View(_l("Applications"), "user-plus", Filters(kind="application"), "application", quiet=True),
        View(_l("Kind not known"), "circle-dashed", Filters(label="unsure"), "unsure"),
        View(_l("The same questions"), "messages", Filters(repeated=True), "repeated", quiet=True),
        View(_l("Praise"), "heart", Filters(label="praise"), "praise", quiet=True),
        View(_l("Other"), "dots", Filters(label="other"), "other", quiet=True),
        View(_l("Looks like spam"), "ban", Filters(label="spam"), "spam", quiet=True),
    ),
    (
        View(_l("Waits for agreement"), "user-question", Filters(lift="approval"), "approval", quiet=True),
        View(_l("Sent back"), "corner-down-left", Filters(lift="rejected"), "rejected", quiet=True),
        View(_l("Could not be sent"), "alert-circle", Filters(lift="failed"), "failed", quiet=True),
        View(_l("Unclear whether published"), "alert-triangle", Filters(lift="unknown"), "unknown", quiet=True),
        View(_l("An answer came"), "arrow-back-up", Filters(lift="answer"), "answer"),
        View(_l("Mine"), "user", Filters(mine=True), "mine"),
        View(_l("Nobody leads"), "user-x", Filters(unassigned=True), "unassigned"),
        View(_l("Waiting"), "clock-pause", Filters(stage="wait"), "wait"),
        View(_l("Snoozed"), "alarm", Filters(stage="later"), "later"),
        View(_l("Closed"), "check", Filters(stage="closed")),
        View(_l("Public complaints without a visible end"), "eye-off", Filters(stage="closed", unended=True)),
    ),
)
"""Groups of the left column, in its order."""


def read_filters(args: Mapping[str, str]) -> Filters:
    """What the address bar says; words it does not know are left out."""
    return Filters(
        stage=_one_of(args.get("stage"), STAGES),
        label=_one_of(args.get("label"), (*LABELS, "unsure")),
        platform=_one_of(args.get("platform"), tuple(CHANNELS)),
        source_id=_number(args.get("source")),
        department_id=_number(args.get("department")),
        mine=args.get("mine") == "1",
        unassigned=args.get("unassigned") == "1",
        lift=_one_of(args.get("lift"), LIFTS),
        author_id=_number(args.get("author")),
        visibility=_one_of(args.get("visibility"), ("public", "private")),
        assignee_id=_number(args.get("assignee")),
        older=_days(args.get("older")),
        newer=_days(args.get("newer")),
        burning=args.get("burning") == "1",
        kind=_one_of(args.get("kind"), tuple(KINDS)),
        theme=_one_of(args.get("theme"), tuple(THEMES)),
        signal=_one_of(args.get("signal"), (*SIGNALS, "any")),
        wave_id=_number(args.get("wave")),
        repeated=args.get("repeated") == "1",
        urgent=args.get("urgent") == "1",
        tag_id=_number(args.get("tag")),
        unended=args.get("unended") == "1",
        groups=read_groups(args.get("any", "")),
        sort=_one_of(args.get("sort"), ("new", "wait", "due")) or "new",
    )


def query_of(filters: Filters) -> dict[str, str]:
    """The query string that ``read_filters`` understands, without what says «any»."""
    values = {
        "stage": filters.stage, "label": filters.label, "platform": filters.platform, "source": filters.source_id,
        "department": filters.department_id, "mine": filters.mine or None, "unassigned": filters.unassigned or None,
        "lift": filters.lift, "author": filters.author_id, "visibility": filters.visibility,
        "assignee": filters.assignee_id, "older": filters.older, "newer": filters.newer,
        "kind": filters.kind, "theme": filters.theme, "signal": filters.signal, "wave": filters.wave_id,
        "repeated": filters.repeated or None, "urgent": filters.urgent or None,
        "burning": filters.burning or None, "unended": filters.unended or None, "tag": filters.tag_id,
        "any": write_groups(filters.groups) or None,
        "sort": filters.sort if filters.sort != "new" else None,
    }  # fmt: skip
    return {name: "1" if value is True else str(value) for name, value in values.items() if value is not None}


def read_groups(text: str) -> tuple[tuple[Condition, ...], ...]:
    """«label:question;-platform:vk|tag:3»: one of the groups parted by | must hold wholly; «-» is «not».

    What it does not know is left out, and so is a group of nothing else.
    """
    groups = [
        tuple(filter(None, map(_condition, group.split(";", MOST_CONDITIONS)[:MOST_CONDITIONS])))
        for group in text.split("|", MOST_GROUPS)[:MOST_GROUPS]
    ]
    return tuple(group for group in groups if group)


def write_groups(groups: tuple[tuple[Condition, ...], ...]) -> str:
    """The other way round of ``read_groups``."""
    return "|".join(
        ";".join(f"{'-' if one.negated else ''}{one.field}:{one.value}" for one in group) for group in groups
    )


def groups_of(filters: Filters) -> list[list[dict[str, object]]]:
    """The groups as the form draws them."""
    return [[{"field": one.field, "value": one.value, "negated": one.negated} for one in group]
            for group in filters.groups]  # fmt: skip


def _condition(text: str) -> Condition | None:
    field, _, value = text.strip().removeprefix("-").partition(":")
    known = VALUES[field](value) if field in VALUES else None
    return None if known is None else Condition(field, str(known), negated=text.strip().startswith("-"))


def view_of(filters: Filters) -> View | None:
    """The view that stands behind the filters: platform, place and department narrow it without leaving it."""
    bare = replace(filters, platform=None, source_id=None, department_id=None, author_id=None, sort="new")
    return next((view for group in VIEWS for view in group if replace(view.filters, sort="new") == bare), None)


def narrowed(view: View, filters: Filters) -> dict[str, str]:
    """The query of ``view`` with the narrowing kept."""
    kept = replace(view.filters, platform=filters.platform, department_id=filters.department_id)
    return query_of(kept)


def changed(filters: Filters, **given: object) -> dict[str, str]:
    """The query of ``filters`` with some of them changed."""
    return query_of(replace(filters, **given))  # type: ignore[arg-type]


def _one_of(value: str | None, known: tuple[str, ...]) -> str | None:
    return value if value in known else None


def _number(value: str | None) -> int | None:
    return int(value) if value and value.isdecimal() and len(value) < 19 else None


def _days(value: str | None) -> int | None:
    return int(value) if value and value.isdecimal() and 0 < len(value) < 5 and int(value) else None


VALUES: Mapping[str, Callable[[str], str | int | None]] = {
    "label": lambda value: _one_of(value, (*LABELS, "unsure")),
    "platform": lambda value: _one_of(value, tuple(CHANNELS)),
    "source": lambda value: _number(value),
    "tag": lambda value: _number(value),
    "kind": lambda value: _one_of(value, tuple(KINDS)),
    "theme": lambda value: _one_of(value, tuple(THEMES)),
    "signal": lambda value: _one_of(value, (*SIGNALS, "any")),
    "assignee": lambda value: _one_of(value, ("me", "none")) or _number(value),
    "department": lambda value: _number(value),
    "stage": lambda value: _one_of(value, STAGES),
    "lift": lambda value: _one_of(value, LIFTS),
    "visibility": lambda value: _one_of(value, ("public", "private")),
    "older": lambda value: _days(value),
    "newer": lambda value: _days(value),
    "urgent": lambda value: _one_of(value, ("1",)),
    "author": lambda value: _number(value),
    "unended": lambda value: _one_of(value, ("1",)),
}
"""Field of a condition → its value as services.filters takes it, or None for what it is not."""


def ids_of(text: str) -> list[int]:
    """Numbers parted by commas; what is no number of a row is left out."""
    return [int(part) for part in text.split(",") if part.isdecimal() and len(part) < 19]
