"""What goes over the API: the shapes of answers and of what is asked, from which its document is made too."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, create_model

from classifier import LABELS
from collectors import CHANNELS
from services.case_states import CLOSE_REASONS
from web.filters import LIFTS, STAGES
from web.numbers import LARGEST
from web.theme_words import KINDS, SIGNALS, THEMES

MOST_LETTERS = 100_000
Id = Annotated[int, Field(ge=1, le=LARGEST)]
Text = Annotated[str, Field(min_length=1, max_length=MOST_LETTERS)]


class Shape(BaseModel):
    """An answer: fields may be added, none is taken away within a version."""


class Asked(BaseModel):
    """What a program sends: a field that there is not is told of and never passed over."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Person(Shape):
    id: int
    name: str


class Me(Shape):
    id: int
    name: str
    roles: list[str]
    key: "KeyInfo"


class KeyInfo(Shape):
    id: int
    name: str
    scopes: list[str]
    expires_at: AwareDatetime


class Department(Shape):
    id: int
    code: str
    name: str


class Place(Shape):
    id: int
    platform: str
    title: str


class Author(Shape):
    """Whoever wrote; without a name where the platform tells none."""

    id: int | None
    name: str


class Case(Shape):
    """``text`` is the message that it was opened by; ``version`` grows with every change."""

    id: int
    number: str | None
    state: str
    stage: str
    label: str | None
    sure: bool
    kind: str | None
    theme: str | None
    priority: int
    visibility: str
    lift: str | None
    source: Place
    publication: str
    author: Author
    text: str
    assignee: Person | None
    departments: list[str]
    tags: list[str]
    opened_at: AwareDatetime
    last_message_at: AwareDatetime
    first_reply_at: AwareDatetime | None
    closed_at: AwareDatetime | None
    close_reason: str | None
    due_at: AwareDatetime | None
    version: int
    url: str


class CasePage(Shape):
    """``next``: the cursor of the following page, null on the last one."""

    items: list[Case]
    next: str | None


class File(Shape):
    kind: str
    name: str
    size: int | None


class Message(Shape):
    """``in_case``: the case is about it, and it does not only stand in the thread. ``reply_id``: it is our own."""

    id: int
    direction: Literal["in", "out"]
    visibility: str
    state: str
    in_case: bool
    author: Author
    subject: str | None
    text: str
    label: str | None
    url: str | None
    files: list[File]
    reply_id: int | None
    published_at: AwareDatetime
    edited_at: AwareDatetime | None
    deleted_at: AwareDatetime | None


class MessageList(Shape):
    items: list[Message]


class Reply(Shape):
    """What became of a reply; ``message_id``: what it answers, null where we wrote first.

    ``state`` is that of the outbox: approval · held · queued · sending · retry · unknown · review · accepted ·
    seen · removed · dead · cancelled. ``seen``: it was read back from the platform.
    """

    id: int
    case_id: int
    message_id: int | None
    text: str
    state: str
    due_at: AwareDatetime
    url: str | None
    error: str | None
    accepted_at: AwareDatetime | None
    seen_at: AwareDatetime | None
    created_at: AwareDatetime


class Route(Shape):
    """A question to a department, with its answer once there is one.

    ``state``: sent · opened · clarify · answered · accepted · declined · recalled. ``case_id`` is None for whoever
    sees no cases, and where the desk itself asks.
    """

    id: int
    case_id: int | None
    department: str
    state: str
    urgent: bool
    question: str
    answer: str | None
    reason: str | None
    asked_by: str
    asked_at: AwareDatetime
    opened_at: AwareDatetime | None
    answered_at: AwareDatetime | None
    version: int


class RouteList(Shape):
    items: list[Route]


class Line(Shape):
    """A message of the thread as a department sees it; ``asked``: the question is about it."""

    id: int
    name: str | None
    text: str
    at: AwareDatetime
    ours: bool
    asked: bool
    deleted: bool


class Question(Route):
    """``platform`` is None and ``lines`` are empty where the desk itself asks: no message began it."""

    platform: str | None
    author: str | None
    lines: list[Line]


class CaseDetail(Case):
    messages: list[Message]


class PersonList(Shape):
    items: list[Person]


class DepartmentList(Shape):
    items: list[Department]


class Wrong(Shape):
    """``where``: the path of the field; ``code``: what is wrong with it."""

    where: list[str | int]
    code: str


class Problem(Shape):
    """RFC 9457; ``code`` is the stable word for what went wrong."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[Wrong] = Field(default_factory=list)


class Nothing(Asked):
    """Nothing but perhaps the version that was looked at."""

    version: Id | None = None


class NewReply(Asked):
    """``overrides``: rule of the check of replies → why it may stand."""

    text: Text
    message_id: Id | None = None
    route_id: Id | None = None
    then: Literal["solve", "wait", "keep"] = "solve"
    send_at: AwareDatetime | None = None
    overrides: dict[str, Annotated[str, Field(max_length=500)]] = Field(default_factory=dict)
    version: Id | None = None


class Assign(Nothing):
    staff_id: Id | None


class Close(Nothing):
    reason: Annotated[str, Field(json_schema_extra={"enum": list(CLOSE_REASONS)})]


class NewRoute(Nothing):
    """``department`` is a code of /departments."""

    department: Annotated[str, Field(min_length=1, max_length=100)]
    question: Text
    staff_id: Id | None = None
    urgent: bool = False


class Answer(Nothing):
    text: Text


class Decline(Asked):
    reason: Annotated[str, Field(max_length=MOST_LETTERS)] = ""
    department: Annotated[str, Field(max_length=100)] | None = None


def _query(name: str, **fields: Any) -> type[BaseModel]:
    """Words of an address: each may be left out, and one that there is not is refused."""
    given = {key: (kind | None, None) for key, kind in fields.items()}
    made: type[BaseModel] = create_model(name, __config__=ConfigDict(extra="forbid"), **given)  # type: ignore[call-overload]
    return made


_Days = Annotated[int, Field(ge=1, le=9999)]

CaseQuery = _query(
    "CaseQuery",
    stage=Literal[STAGES],
    label=Literal[(*LABELS, "unsure")],
    platform=Literal[tuple(CHANNELS)],
    source=Id,
    department=Id,
    mine=bool,
    unassigned=bool,
    lift=Literal[LIFTS],
    author=Id,
    visibility=Literal["public", "private"],
    assignee=Id,
    older=_Days,
    newer=_Days,
    burning=bool,
    kind=Literal[tuple(KINDS)],
    theme=Literal[tuple(THEMES)],
    signal=Literal[(*SIGNALS, "any")],
    repeated=bool,
    urgent=bool,
    tag=Id,
    sort=Literal["new", "wait", "due"],
    any=Annotated[str, Field(max_length=1000)],
    cursor=Annotated[str, Field(max_length=100)],
    limit=Annotated[int, Field(ge=1, le=100)],
)
"""The inbox's own filters, by the same names as in its address bar."""

RouteQuery = _query("RouteQuery", done=bool)
