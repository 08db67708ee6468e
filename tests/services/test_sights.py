"""What a right shows or lets do: whoever lacks it gets less, in all else they may do everything.

Each row stands under the file whose check it asks for; tests/mutate_rights.py looks there first.
"""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Author, Case, Client, Contract, Decision, Message, Obligation, PrivacyRequest, Source
from services.contracts.decisions import decisions_of_case
from services.contracts.text import own_fields
from services.crm.cards import beside, seen_contact, view_card
from services.crm.clients import contacts_of, create_client
from services.crm.identities import client_of_author, link_author
from services.crm.timeline import timeline
from services.documents.issuing import may_make
from services.errors import Forbidden
from services.outreach import begin, ways_to_client
from services.parting import correct_kind, split_off
from services.reports.cut import Cut
from services.reports.morning import morning
from services.reports.summary import summary
from services.reports.tables import run_table
from services.rights import ACTS, Actor
from services.settings.known import KNOWN, look, take_back
from tests.conftest import NOON
from tests.services.test_whose import EVERYTHING, LATER, Make, Reach, Scene, kept, scene, session

__all__ = ["scene", "session"]


def _client(session: Session, scene: Scene, **given: Any) -> Client:
    """Anna's card, with the account she wrote from."""
    client = create_client(session, scene.owner, name="Яр Анна", **given)
    author_id = session.get_one(Case, scene.case_id).author_id or 0
    link_author(session, scene.owner, client.id, author_id, "said")
    return client


def _by_mail(session: Session, scene: Scene) -> Client:
    """One who has written by mail, of an address that stands on no card."""
    client = create_client(session, scene.owner, name="Яр Анна")
    author = kept(session, Author(platform="mail", external_id="anna@mail.example", name="Анна", is_us=False))
    link_author(session, scene.owner, client.id, author.id, "said")
    return client


def _asked(session: Session, scene: Scene) -> Client:
    client = _client(session, scene)
    kept(
        session,
        PrivacyRequest(number="1", kind="access", client_id=client.id, received_at=NOON, due_at=LATER),
    )
    return client


def _decided(session: Session, scene: Scene) -> Decision:
    return kept(session, Decision(kind="refund", case_id=scene.case_id, ground="заявление", outcome="вернуть"))


def _owed(session: Session, scene: Scene) -> Obligation:
    """What the school owes by a contract since yesterday."""
    contract = kept(session, Contract(kind="person", client_id=_client(session, scene).id, dated=NOON.date()))
    due = NOON.date() - timedelta(days=1)
    return kept(session, Obligation(contract_id=contract.id, key="a", side="school", subject="access", due_on=due))


def _part(session: Session, scene: Scene) -> Case:
    message = session.scalars(select(Message)).one()
    return split_off(session, scene.owner, scene.case_id, message.id, "Когда", "f1", None)


def _ties(session: Session, actor: Actor, scene: Scene, _made: None) -> bool:
    """Whether a letter to a card's address ties whoever it is to the card."""
    kept(session, Source(platform="mail", title="Почта", settings={"address": "d@s.example"}, every_seconds=60))
    client = create_client(session, scene.owner, name="Яр Анна", contact="anna@mail.example")
    ways = ways_to_client(session, actor, client.id)
    case = begin(session, actor, ways, ways[0].key, subject="Запись урока")
    return client_of_author(session, case.author_id or 0) is not None


def unrefused(reach: Reach) -> Reach:
    """Whoever lacks the right gets less, and is not refused the whole."""

    def _reach(session: Session, actor: Actor, scene: Scene, made: Any) -> Any:
        try:
            return reach(session, actor, scene, made)
        except Forbidden:
            pytest.fail("refused")

    return _reach


def _labels(session: Session, actor: Actor, _scene: Scene, part: Case) -> bool:
    correct_kind(session, actor, part.id, part.first_message_id or 0, "complaint")
    return True


def _table(session: Session, actor: Actor, *_more: Any) -> Any:
    return run_table(session, actor, "debts", CUT, NOON)


CUT = Cut(NOON.date(), NOON.date())
SIGHTS: list[tuple[str, str, Make, Reach]] = [
    (
        "services/outreach.py an address",
        "client.contacts",
        _by_mail,
        lambda s, a, _, row: "anna@mail.example" in [way.who for way in ways_to_client(s, a, row.id)],
    ),
    ("services/outreach.py a tie", "client.edit", lambda *_: None, unrefused(_ties)),
    (
        "services/crm/cards.py a contact",
        "client.contacts",
        lambda s, scene: _client(s, scene, contact="anna@mail.example"),
        lambda s, a, _, row: [seen_contact(a, one) for one in contacts_of(s, row.id)] == ["anna@mail.example"],
    ),
    (
        "services/crm/cards.py beside a case",
        "client.view",
        _client,
        lambda s, a, scene, _: beside(s, a, s.get_one(Case, scene.case_id).author_id),
    ),
    (
        "services/crm/cards.py requests",
        "privacy.view",
        _asked,
        lambda s, a, _, row: view_card(s, a, row.id).requests,
    ),
    (
        "services/crm/timeline.py messages",
        "case.view",
        _client,
        lambda s, a, _, row: "message" in [one.kind for one in timeline(s, a, row.id).items],
    ),
    (
        "services/contracts/decisions.py of a case",
        "decision.view",
        _decided,
        lambda s, a, scene, _: decisions_of_case(s, a, scene.case_id),
    ),
    (
        "services/reports/summary.py money",
        "contract.view",
        lambda *_: None,
        unrefused(lambda s, a, *_: "debts" in summary(s, a, CUT, NOON)),
    ),
    ("services/reports/tables.py money", "contract.view", lambda *_: None, _table),
    (
        "services/reports/morning.py contracts",
        "contract.view",
        _owed,
        unrefused(lambda s, a, *_: morning(s, a, CUT, NOON).contracts),
    ),
    (
        "services/reports/morning.py owed",
        "contract.view",
        _owed,
        unrefused(lambda s, a, *_: morning(s, a, CUT, NOON).owed),
    ),
    (
        "services/contracts/text.py a passport emptied",
        "client.sensitive",
        lambda *_: None,
        lambda _s, a, *_: own_fields(a, {"client.id_no": ""}),
    ),
    (
        "services/documents/issuing.py a demand",
        "demand.make",
        lambda *_: None,
        lambda s, a, *_: may_make(s, a, "demand"),
    ),
    (
        "services/documents/issuing.py any other paper",
        "contract.edit",
        lambda *_: None,
        lambda s, a, *_: may_make(s, a, "act"),
    ),
    ("services/parting.py kind of a part", "message.label", _part, _labels),
]
"""The file, the right that is lacking, what there is, and whether the actor gets at it."""


@pytest.mark.parametrize(("right", "make", "reach"), [row[1:] for row in SIGHTS], ids=[row[0] for row in SIGHTS])
def test_is_for_who_has_the_right_alone(
    session: Session, scene: Scene, right: str, make: Make, reach: Reach
) -> None:
    narrowed = Actor(scene.owner.staff_id, scene.owner.name, EVERYTHING, only=ACTS - {right})
    for actor, may in ((narrowed, False), (scene.owner, True)):
        made = make(session, scene)
        try:
            got = bool(reach(session, actor, scene, made))
        except Forbidden:
            got = False
        assert got is may
        session.rollback()
        session.expunge_all()


@pytest.mark.parametrize("name", KNOWN)
def test_a_setting_is_looked_at_and_taken_back_by_who_may_change_it(
    session: Session, scene: Scene, name: str
) -> None:
    """services/settings/known.py"""
    narrowed = Actor(scene.owner.staff_id, scene.owner.name, EVERYTHING, only=ACTS - {KNOWN[name].act})
    with pytest.raises(Forbidden):
        look(session, narrowed, name)
    with pytest.raises(Forbidden):
        take_back(session, narrowed, name, 1)
