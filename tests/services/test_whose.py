"""What is one person's own: another one, who may do all the same, does not get at it.

Each row stands under the file whose check it asks for; tests/mutate_rights.py looks there first.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from collectors.sign_on import Account
from models import (
    ApiKey,
    Bulk,
    Case,
    ClientExport,
    Deal,
    Draft,
    MessengerAccount,
    Notice,
    ReplyFile,
    ReportOrder,
    ReportView,
    SavedReply,
    SavedView,
    Source,
    StaffIdentity,
    StaffSession,
    Task,
    utc_now,
)
from models.database import Database
from services import api_keys, bulks, notices, replies, reply_files, saved_replies, saved_views
from services.counters import counters
from services.crm import deals, exports, tasks
from services.crm.clients import create_client
from services.entrance import end_session, open_login, sessions_of
from services.errors import Forbidden, NotFound, Refused
from services.filters import Filters
from services.following import follow, followers_of, unfollow
from services.inbox import list_cases
from services.messengers import unbind
from services.outreach import begin, ways_to_address
from services.reports import views
from services.rights import ACTS, Actor
from services.second_factor import take_off
from services.sign_on import identities_of, link_account, unlink_account
from tests.conftest import NOON, Cast
from tests.services.test_cases import label_all

EVERYTHING = frozenset({"head", "administrator", "privacy", "director", "smm", "client_manager"})
OVER_OTHERS = {"session.end", "settings.edit", "staff.edit"}
"""Rights that reach into what is another's; the other one of the rows has all but these."""
LATER = utc_now() + timedelta(days=30)


@dataclass(frozen=True)
class Scene:
    """A case of Anna's, whoever owns the thing, and another one."""

    case_id: int
    source_id: int
    owner: Actor
    other: Actor


@pytest.fixture(scope="module")
def scene(shared_database: Database) -> Scene:
    cast = Cast(shared_database)
    cast.write("Когда урок?")
    label_all(shared_database)
    owner = Actor(cast.smm.staff_id, "Дарья Лис", EVERYTHING)
    other = Actor(cast.head.staff_id, "Марина Котова", EVERYTHING, only=ACTS - OVER_OTHERS)
    with shared_database.read.begin() as session:
        return Scene(session.scalars(select(Case.id)).one(), cast.source_id, owner, other)


@pytest.fixture
def session(shared_database: Database) -> Iterator[Session]:
    """Whose work is taken back: the next row finds the scene as it was."""
    with shared_database.write() as opened:
        yield opened
        opened.rollback()


def kept(session: Session, row: Any) -> Any:
    session.add(row)
    session.flush()
    return row


def has(session: Session, row: Any) -> bool:
    session.flush()
    session.expire_all()
    return session.scalar(select(type(row).id).where(type(row).id == row.id)) is not None


def _view(session: Session, scene: Scene, **given: Any) -> SavedView:
    return kept(session, SavedView(staff_id=scene.owner.staff_id, name="Мой вид", **given))


def _report(session: Session, scene: Scene, **given: Any) -> ReportView:
    return kept(session, ReportView(staff_id=scene.owner.staff_id, name="Мой отчёт", code="answers", **given))


def _order(session: Session, scene: Scene) -> ReportOrder:
    return kept(
        session,
        ReportOrder(staff_id=scene.owner.staff_id, what="morning", rhythm="day", hour=9, next_at=LATER),
    )


def _text(session: Session, scene: Scene) -> SavedReply:
    return kept(
        session, SavedReply(title="Мой ответ", text="Добрый день", scope="own", staff_id=scene.owner.staff_id)
    )


def _draft(session: Session, scene: Scene) -> Draft:
    return kept(session, Draft(case_id=scene.case_id, staff_id=scene.owner.staff_id, text="Завтра"))


def _file(session: Session, scene: Scene) -> ReplyFile:
    return kept(
        session,
        ReplyFile(
            case_id=scene.case_id, staff_id=scene.owner.staff_id, kind="photo", name="a.png",
            content_type="image/png", size=1, digest="0" * 64, content=b"0",
        ),
    )  # fmt: skip


def _notice(session: Session, scene: Scene) -> Notice:
    return kept(
        session,
        Notice(staff_id=scene.owner.staff_id, kind="first.1", case_id=scene.case_id, show_at=NOON, created_at=NOON),
    )


def _key(session: Session, scene: Scene) -> ApiKey:
    return kept(
        session,
        ApiKey(
            staff_id=scene.owner.staff_id, name="Отчёты", hint="otk_aaaa", digest="1" * 64, scopes=["cases:read"],
            expires_at=LATER,
        ),
    )  # fmt: skip


def _identity(session: Session, scene: Scene) -> StaffIdentity:
    return kept(session, StaffIdentity(staff_id=scene.owner.staff_id, issuer="https://id.example", subject="7"))


def _account(session: Session, scene: Scene) -> MessengerAccount:
    return kept(
        session,
        MessengerAccount(
            staff_id=scene.owner.staff_id, platform="telegram", source_id=scene.source_id, account="5", chat="5"
        ),
    )


def _export(session: Session, scene: Scene) -> ClientExport:
    return kept(
        session,
        ClientExport(
            staff_id=scene.owner.staff_id, reason="сверка", state="ready", mark="m1", content=b"0",
            expires_at=LATER,
        ),
    )  # fmt: skip


def _task(session: Session, scene: Scene) -> Task:
    return kept(session, Task(text="Позвонить", staff_id=scene.owner.staff_id, due_at=LATER))


def _deal(session: Session, scene: Scene) -> Deal:
    client = create_client(session, scene.owner, name="Яр Анна")
    return kept(session, Deal(client_id=client.id, staff_id=scene.owner.staff_id, product="Курс"))


def _led(session: Session, scene: Scene) -> Case:
    case = session.get_one(Case, scene.case_id)
    case.assignee_id = scene.owner.staff_id
    session.flush()
    return case


def _bulk(session: Session, scene: Scene) -> Bulk:
    return kept(session, Bulk(staff_id=scene.owner.staff_id, act="assign", cases=[scene.case_id]))


def _login(session: Session, scene: Scene) -> Any:
    return session.get_one(StaffSession, open_login(session, scene.owner.staff_id or 0, "Firefox"))


def _follows(session: Session, scene: Scene) -> None:
    follow(session, scene.owner, scene.case_id)


def _begun(session: Session, scene: Scene) -> Case:
    return _letter(session, scene.owner)


def _letter(session: Session, actor: Actor) -> Case:
    """A conversation by mail that ``actor`` has begun and not written in."""
    if session.scalar(select(Source.id).where(Source.platform == "mail")) is None:
        box = {"address": "desk@school.example"}
        kept(session, Source(platform="mail", title="Почта", settings=box, every_seconds=60))
    ways = ways_to_address(session, actor, "anna@mail.example")
    case = begin(session, actor, ways, ways[0].key, subject="Запись урока")
    session.flush()
    return case


Make = Callable[[Session, Scene], Any]
Reach = Callable[[Session, Actor, Scene, Any], Any]
"""Whether the actor got at the thing; NotFound, Forbidden and Refused say that they did not."""


def gone(act: Callable[..., Any], *more: Any) -> Reach:
    """Whether the act, given the thing's id, takes the thing away."""

    def _reach(session: Session, actor: Actor, scene: Scene, row: Any) -> bool:
        act(session, actor, *more, row.id)
        return not has(session, row)

    return _reach


def listed(ask: Callable[[Session, Actor, Scene], Any]) -> Reach:
    """Whether what ``ask`` lists holds the thing."""
    return lambda session, actor, scene, row: row.id in [one.id for one in ask(session, actor, scene)]


def _same_name(save: Callable[..., Any], *given: Any, **named: Any) -> Reach:
    def _reach(session: Session, actor: Actor, scene: Scene, row: Any) -> bool:
        return bool(save(session, actor, row.name, *given, {"stage": "new"}, **named).id == row.id)

    return _reach


def _draft_is_sent(session: Session, actor: Actor, scene: Scene, row: Draft) -> bool:
    replies.write_reply(session, actor, scene.case_id, "Завтра в семь", "f1")
    return not has(session, row)


def _sees_all(session: Session, actor: Actor, scene: Scene, row: Notice) -> bool:
    notices.see_all(session, actor, 10**6)
    session.refresh(row)
    return row.seen_at is not None


def _ends_key(session: Session, actor: Actor, scene: Scene, row: ApiKey) -> bool:
    return api_keys.revoke_key(session, actor, row.id).revoked_at is not None


def _ends_account(session: Session, actor: Actor, scene: Scene, row: MessengerAccount) -> bool:
    unbind(session, actor, scene.owner.staff_id or 0, "telegram")
    session.flush()
    session.refresh(row)
    return row.ended_at is not None


def _unfollows(session: Session, actor: Actor, scene: Scene, row: None) -> bool:
    unfollow(session, actor, scene.case_id)
    return not followers_of(session, scene.case_id)


def _funnel(session: Session, actor: Actor, scene: Scene) -> list[Any]:
    columns = deals.funnel(session, actor, mine=True)
    assert sum(column.count for column in columns) == sum(len(column.rows) for column in columns)
    return [one.deal for column in columns for one in column.rows]


def _goes_on(session: Session, actor: Actor, scene: Scene, row: Case) -> bool:
    return _letter(session, actor).id == row.id


ROWS: list[tuple[str, Make, Reach]] = [
    ("services/saved_views.py lists", _view, listed(lambda s, a, _: saved_views.views_of(s, a))),
    ("services/saved_views.py names", _view, _same_name(saved_views.save_view, team=False)),
    ("services/saved_views.py drops", _view, gone(saved_views.drop_view)),
    (
        "services/saved_views.py drops one of the team",
        lambda s, scene: _view(s, scene, team=True),
        gone(saved_views.drop_view),
    ),
    ("services/reports/views.py lists", _report, listed(lambda s, a, _: views.shelf_of(s, a).views)),
    ("services/reports/views.py lists letters", _order, listed(lambda s, a, _: views.shelf_of(s, a).orders)),
    ("services/reports/views.py names", _report, _same_name(views.save_view, "answers", common=False)),
    ("services/reports/views.py drops", _report, gone(views.drop_view)),
    (
        "services/reports/views.py drops a common one",
        lambda s, scene: _report(s, scene, common=True),
        gone(views.drop_view),
    ),
    ("services/reports/views.py ends a letter", _order, gone(views.cancel_letter)),
    ("services/saved_replies.py lists", _text, listed(lambda s, a, _: saved_replies.saved_replies(s, a))),
    ("services/saved_replies.py opens", _text, lambda s, a, _, row: saved_replies.get_saved(s, a, row.id)),
    ("services/replies.py draft", _draft, lambda s, a, scene, _: replies.draft_of(s, a, scene.case_id)),
    ("services/replies.py draft after sending", _draft, _draft_is_sent),
    ("services/reply_files.py lists", _file, listed(lambda s, a, sc: reply_files.files_beside(s, a, sc.case_id))),
    ("services/reply_files.py drops", _file, gone(reply_files.drop_file)),
    (
        "services/reply_files.py shows",
        _file,
        lambda s, a, scene, row: reply_files.file_shown(s, a, scene.case_id, row.id),
    ),
    ("services/notices.py lists", _notice, lambda s, a, _, __: notices.notices_of(s, a)),
    ("services/notices.py sees", _notice, lambda s, a, _, row: notices.see_notice(s, a, row.id)),
    ("services/notices.py sees all", _notice, _sees_all),
    ("services/api_keys.py lists", _key, lambda s, a, scene, _: api_keys.keys_of(s, a, scene.owner.staff_id)),
    ("services/api_keys.py ends", _key, _ends_key),
    ("services/entrance.py lists", _login, lambda s, a, scene, _: sessions_of(s, a, scene.owner.staff_id)),
    ("services/entrance.py ends", _login, lambda s, a, _, row: end_session(s, a, row.id)),
    ("services/sign_on.py lists", _identity, lambda s, a, sc, _: identities_of(s, a, sc.owner.staff_id)),
    (
        "services/sign_on.py takes",
        _identity,
        lambda s, a, _, row: link_account(s, a, Account(row.issuer, row.subject, "anna")),
    ),
    ("services/sign_on.py ends", _identity, gone(unlink_account)),
    ("services/messengers.py ends", _account, _ends_account),
    ("services/crm/exports.py takes", _export, lambda s, a, _, row: exports.take_export(s, a, row.id)),
    ("services/crm/tasks.py lists", _task, listed(lambda s, a, _: [one.task for one in tasks.list_tasks(s, a)])),
    ("services/crm/deals.py lists", _deal, listed(_funnel)),
    ("services/filters.py mine", _led, lambda s, a, _, __: list_cases(s, a, Filters(mine=True)).rows),
    ("services/inbox.py counts", _led, lambda s, a, _, __: counters(s, a)["mine"]),
    ("services/following.py ends", _follows, _unfollows),
    ("services/bulks.py opens", _bulk, lambda s, a, _, row: bulks.get_bulk(s, a, row.id)),
    ("services/outreach.py goes on", _begun, _goes_on),
]


@pytest.mark.parametrize(("make", "reach"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_is_its_owners_alone(session: Session, scene: Scene, make: Make, reach: Reach) -> None:
    for actor, may in ((scene.other, False), (scene.owner, True)):
        row = make(session, scene)
        try:
            got = bool(reach(session, actor, scene, row))
        except (NotFound, Forbidden, Refused):
            got = False
        assert got is may
        session.rollback()
        session.expunge_all()


def test_whoever_reaches_into_the_teams_drops_its_views(session: Session, scene: Scene) -> None:
    """services/saved_views.py, services/reports/views.py"""
    able = Actor(scene.other.staff_id, "Марина Котова", EVERYTHING)
    for row, drop in (
        (_view(session, scene, team=True), saved_views.drop_view),
        (_report(session, scene, common=True), views.drop_view),
    ):
        drop(session, able, row.id)
        assert not has(session, row)


def test_nobody_takes_the_second_factor_off_themselves(session: Session, scene: Scene) -> None:
    """services/second_factor.py"""
    with pytest.raises(Forbidden):
        take_off(session, scene.owner, scene.owner.staff_id or 0)
