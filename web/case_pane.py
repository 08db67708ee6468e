"""One case as its pane shows it: the thread as a tree, what may be done, the history in sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import uuid4

from sqlalchemy.orm import Session

from collectors import channel_class
from collectors.base import ActKind, Capabilities, FileLimits
from models import (
    Act,
    Case,
    Clock,
    Department,
    Excerpt,
    Incident,
    Joining,
    Label,
    Outreach,
    ReplyFile,
    RouteFile,
    RouteLine,
    Satisfaction,
    Source,
    Staff,
)
from services.accounts import list_staff
from services.agreement import Cause, agreement_of, cause_to_wait
from services.candidates import may_agree
from services.carriers import carrier_of
from services.crm.cards import Beside, beside
from services.excerpts import MARK, excerpt_of, parts_of
from services.following import followers_of
from services.inbox import CaseView, Entry, Sending, view_case
from services.incidents.register import incident_of, open_incidents
from services.moderation import SETTING
from services.outreach import outreach_of
from services.pacing import Forecast, forecasts
from services.presence import drafts_of
from services.replies import draft_of
from services.reply_files import files_beside, limits_of
from services.reply_files import files_of as files_of_replies
from services.responsibility import Duty, duty_of_case
from services.rights import Actor, actor_of
from services.route_files import files_of
from services.route_states import OWED
from services.routing import departments, lines_of
from services.satisfaction import of_case
from services.sla import Share, clocks_of_routes, lateness
from services.split import PrivateLine, private_line
from services.terms import Policy, policy_of
from services.unjoining import joinings_of
from web.sentences import Sentence, sentences_of

MOST_SHOWN = 10
"""A thread up to this long is shown whole; in a longer one the talk of others folds."""
DEEPEST = 3


OFFERED: Mapping[str, Sequence[str]] = {
    "published": ("like", "hide", "spam", "delete", "ban"),
    "held": ("publish", "spam", "delete", "ban"),
    "hidden": ("publish", "spam", "delete", "ban"),
    "spam": ("publish", "hide", "delete", "ban"),
}
"""State of a message → what a moderator may want of the platform."""


@dataclass(frozen=True, slots=True)
class Item:
    """A message in the tree; ``role``: author (of this case) · ours · other."""

    entry: Entry
    depth: int
    role: str
    acts: tuple[Act, ...] = ()
    sendings: tuple[Sending, ...] = ()
    word: Label | None = None  # what the classifier said, with its reasons


@dataclass(frozen=True, slots=True)
class Fold:
    """Messages of others, one after another, that stay folded."""

    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Pane:
    """All that templates/inbox/case.html needs."""

    view: CaseView
    thread: tuple[Item | Fold, ...]
    history: tuple[Sentence, ...]
    can: Capabilities
    draft: str
    drafts: tuple[tuple[int, str], ...]  # (staff id, name) of all who have one here
    newest: Entry | None
    people: tuple[Staff, ...]
    departments: tuple[Department, ...]
    form_key: str
    beside: Beside | None = None  # the author's card, or those it may be
    late: Sequence[Share] = ()  # whose the time was, when it came late
    unseen: PrivateLine | None = None  # where a second, private text would go
    agreeable: frozenset[int] = frozenset()  # acts that this person may agree to
    waits: Cause | None = None  # why this person's reply would wait for another's word
    clocks: Mapping[int, Clock] = field(default_factory=dict)  # question → its department's
    files: Mapping[int, Sequence[RouteFile]] = field(default_factory=dict)  # question → beside its answer
    said: Mapping[int, Sequence[RouteLine]] = field(default_factory=dict)  # question → what was asked back
    beside_draft: Sequence[ReplyFile] = ()
    limits: FileLimits | None = None  # of files that go with a reply; None: none does
    sent_files: Mapping[int, Sequence[ReplyFile]] = field(default_factory=dict)  # reply → what went with it
    followers: Sequence[tuple[int, str]] = ()  # (staff id, name)
    names: Mapping[int, str] = field(default_factory=dict)
    duty: Duty = field(default_factory=Duty)  # whom «Кто за что отвечает» names
    forecasts: Mapping[int, Forecast] = field(default_factory=dict)  # act → when the platform's limits let it go
    carrier: Source | None = None  # the place by which a reply goes; None: a person publishes it there
    part: Excerpt | None = None  # of a message, that the case is about
    parts: Mapping[int, Sequence[Excerpt]] = field(default_factory=dict)  # message → what was split off it
    begun: Outreach | None = None  # how we began the conversation
    first_words: Sequence[Sending] = ()  # what we wrote in it, answering nothing
    incident: Incident | None = None  # in which the case stands
    open_incidents: Sequence[Incident] = ()  # into which it may be put
    joinings: Sequence[tuple[Joining, Case]] = ()  # with which cases it was joined, as far as that stands
    satisfaction: Satisfaction | None = None  # what the author was asked, and said
    answerers: Mapping[int, str] = field(default_factory=dict)  # department → who answers and when they look

    @property
    def case(self) -> Case:
        return self.view.case

    @property
    def copies(self) -> int:
        return self.view.copies

    @property
    def again(self) -> tuple[int, Department] | None:
        """(question, department) whose answer the author writes after, while no department owes one."""
        answered = [
            (route.answered_at, route.id, unit) for route, unit, _name in self.view.routes if route.answered_at
        ]
        if self.newest is None or not answered or any(one[0].state in OWED for one in self.view.routes):
            return None
        at, route_id, unit = max(answered, key=lambda one: one[:2])
        return (route_id, unit) if self.newest.message.published_at > at else None

    @property
    def can_reply(self) -> bool:
        return self.carrier is not None

    def may_agree(self, act: Act) -> bool:
        return act.id in self.agreeable

    def can_do(self, kind: str) -> bool:
        return ActKind(kind) in self.can.acts

    def moderation(self, item: Item) -> Sequence[str]:
        """Acts on a message that make sense as it stands; what we did to it meanwhile can be published again."""
        offered = OFFERED.get(item.entry.message.state, OFFERED["published"])
        touched = "publish" not in offered and any(act.kind in SETTING for act in item.acts)
        return ("publish", *offered) if touched else offered


def read_pane(session: Session, actor: Actor, case_id: int) -> Pane:
    """Raises NotFound like services.inbox.view_case."""
    people = list_staff(session, active=False)
    view = view_case(session, actor, case_id, people)
    units = departments(session)
    part = excerpt_of(session, case_id) if MARK in view.case.subject_key else None
    about = part.message_id if part is not None else None
    own = [e for e in view.thread if (e.message.case_id == case_id or e.message.id == about) and not _is_ours(e)]
    policy = policy_of(session)
    newest = own[-1] if own else None
    place = (
        view.source
        if newest is None or newest.message.source_id == view.source.id
        else session.get_one(Source, newest.message.source_id)
    )
    carrier = carrier_of(session, place, newest.message if newest else None)
    return Pane(
        view=view,
        thread=_fold(_tree(view, about)),
        part=part,
        parts=parts_of(session, [entry.message.id for entry in own]) if part is None else {},
        history=sentences_of(view, {p.id: p.name for p in people}, {u.id: u for u in units}),
        can=channel_class(carrier.platform if carrier else view.source.platform).can,
        carrier=carrier,
        draft=draft_of(session, actor, case_id),
        drafts=tuple(drafts_of(session, actor, [case_id]).get(case_id, ())),
        newest=newest,
        people=tuple(p for p in people if p.active and actor_of(p).may("case.reply")),
        departments=tuple(units),
        form_key=str(uuid4()),
        unseen=private_line(session, actor, view.case),
        agreeable=_agreeable(session, actor, view.acts),
        waits=cause_to_wait(session, actor, view.case),
        beside=beside(session, actor, view.case.author_id),
        late=lateness(session, view.case),
        clocks=clocks_of_routes(session, [route.id for route, _unit, _name in view.routes]),
        files=files_of(session, [route.id for route, _unit, _name in view.routes]),
        said=lines_of(session, [route.id for route, _unit, _name in view.routes]),
        names={p.id: p.name for p in people},
        duty=duty_of_case(session, view.case),
        forecasts=forecasts(session, view.acts),
        beside_draft=files_beside(session, actor, case_id),
        limits=limits_of(carrier, public=_is_public(view, newest)) if carrier else None,
        sent_files=files_of_replies(session, [act.reply_id for act in view.acts if act.reply_id and act.files]),
        followers=followers_of(session, case_id),
        begun=outreach_of(session, case_id) if view.case.first_message_id is None else None,
        first_words=tuple(one for one in view.sendings if one.reply.message_id is None),
        incident=incident_of(session, case_id),
        open_incidents=open_incidents(session),
        joinings=joinings_of(session, case_id),
        satisfaction=of_case(session, case_id),
        answerers={unit.id: answerers_of(people, unit, policy) for unit in units},
    )


def _is_public(view: CaseView, newest: Entry | None) -> bool:
    return (newest.message.visibility if newest else view.case.visibility) == "public"


def _agreeable(session: Session, actor: Actor, acts: Sequence[Act]) -> frozenset[int]:
    waiting = [act for act in acts if act.state == "approval"]
    if not waiting:
        return frozenset()
    agreement = agreement_of(session)
    return frozenset(act.id for act in waiting if may_agree(agreement, actor, act))


def answerers_of(people: Sequence[Staff], unit: Department, policy: Policy) -> str:
    """Who answers for a department and when they look."""
    names = [one.name for one in people if one.active and unit.id in actor_of(one).departments]
    looks = " · ".join(f"{hour:%H:%M}" for hour in policy.unit(unit.code).hours)
    return ", ".join(names) + (f" ({looks})" if names and looks else "")


def _is_ours(entry: Entry) -> bool:
    return entry.message.direction == "out"


def _tree(view: CaseView, about: int | None = None) -> list[Item]:
    """Depth first, each message under the one it answers; one whose parent is not here stands at the top."""
    by_id = {(e.message.container, e.message.external_id): e for e in view.thread}
    children: dict[int | None, list[Entry]] = {}
    for entry in view.thread:
        above = _above(entry, by_id)
        children.setdefault(above.message.id if above else None, []).append(entry)
    items: list[Item] = []
    met: set[int] = set()
    # The second start finds those whose parents point at one another in a circle.
    for start in (children.get(None, []), view.thread):
        waiting = [(entry, 0) for entry in reversed(start)]
        while waiting:
            entry, depth = waiting.pop()
            if entry.message.id not in met:
                met.add(entry.message.id)
                items.append(_item(view, entry, min(depth, DEEPEST), about))
                waiting.extend((child, depth + 1) for child in reversed(children.get(entry.message.id, [])))
    return items


def _above(entry: Entry, by_id: Mapping[tuple[str, str], Entry]) -> Entry | None:
    """The message answered, else the top of the thread; None for a top, or where neither is here."""
    message = entry.message
    for external_id in (message.parent_external_id, message.thread):
        found = by_id.get((message.container, external_id)) if external_id else None
        if found is not None and found is not entry:
            return found
    return None


def _item(view: CaseView, entry: Entry, depth: int, about: int | None) -> Item:
    message = entry.message
    is_mine = message.case_id == view.case.id or message.id == about
    role = "ours" if _is_ours(entry) else "author" if is_mine else "other"
    if message.id == about:  # of its words alone: the message has a kind of its own
        kind = Label(label=view.case.label, sure=view.case.sure, weak=True, p={}) if view.case.label else None
        return Item(replace(entry, label=kind), depth, role, sendings=_going(view, message.id))
    done = tuple(
        a for a in view.acts if a.message_id == message.id and a.reply_id is None and a.state != "cancelled"
    )
    return Item(
        entry, depth, role, done, _going(view, message.id), view.reasons.get(message.id) if is_mine else None
    )


def _going(view: CaseView, message_id: int) -> tuple[Sending, ...]:
    return tuple(sending for sending in view.sendings if sending.reply.message_id == message_id)


def _fold(items: list[Item]) -> tuple[Item | Fold, ...]:
    """In a long thread, runs of three and more messages of others fold, but for the one right above ours."""
    if len(items) <= MOST_SHOWN:
        return tuple(items)
    result: list[Item | Fold] = []
    run: list[Item] = []
    for item in items:
        if item.role == "other" and item.depth > 0:
            run.append(item)
            continue
        _close_run(result, run, keep_last=True)
        run = []
        result.append(item)
    _close_run(result, run, keep_last=False)
    return tuple(result)


def _close_run(result: list[Item | Fold], run: list[Item], *, keep_last: bool) -> None:
    folded, shown = (run[:-1], run[-1:]) if keep_last else (run, [])
    if len(folded) < 3:
        result.extend(run)
        return
    result.append(Fold(tuple(folded)))
    result.extend(shown)
