"""Reports 12, 13 and 17: figures of a small week, reckoned by hand in the comments beside them."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from sqlalchemy import delete, select

import services.reports.upkeep  # noqa: F401 (by being imported it writes the facts)
from models import (
    Broadcast,
    BroadcastIncident,
    Case,
    CaseFact,
    Client,
    Deal,
    DealMove,
    Identity,
    Incident,
    IncidentCase,
    Route,
    RouteFact,
    Study,
    Wish,
    WishCase,
)
from services.reports.cut import Cut
from services.reports.digests import BETWEEN, LEAST
from services.reports.tables import run_table
from services.reports.troubles import MASS
from services.rights import DESK
from tests.services.test_cases import label_all

WEEK = Cut(date(2026, 11, 30), date(2026, 12, 4))
NOW = datetime(2026, 12, 4, 15, 0, tzinfo=UTC)


def on(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 12, day, hour, minute, tzinfo=UTC)


def table(database, code: str, by: str | None = None) -> dict[str, dict[str, object]]:
    """line → column → figure, the whole under «»."""
    with database.read.begin() as session:
        found = run_table(session, DESK, code, WEEK, NOW, by)
        rows = {str(line.key): line.cells for line in found.lines}
        rows[""] = found.total or ()
        told = {key: dict(zip(found.columns, (cell.value for cell in cells), strict=False))
                for key, cells in rows.items()}  # fmt: skip
        told["beside"] = {name: cell.value for name, cell in found.beside}
        return told


@pytest.fixture
def cases(cast, database) -> list[int]:
    for number in range(4):
        cast.write(f"Почему не открывается кабинет {number}?", f"Автор {number}")
    label_all(database)
    with database.read.begin() as session:
        return list(session.scalars(select(Case.id).order_by(Case.id)))


def _asked(session, cast, case_id, at) -> int:
    """A question of the technical department; its facts are given by hand once they are there."""
    route = Route(
        case_id=case_id, department_id=cast.departments["technical"], question="Когда?", form_key=f"q{case_id}",
        state="sent", asked_at=at, asked_by_id=cast.head.staff_id,
    )  # fmt: skip
    session.add(route)
    session.flush()
    return route.id


def test_troubles_of_both_kinds_stand_in_the_digest(cast, database, cases) -> None:
    with database.write.begin() as session:
        # Access twice: 30.11 from 10:00 (told at 10:12, over at 12:00), 2.12 from 9:00 (told at 9:20, goes on,
        # owed since 10:00), and once in November, which only makes the first of them a repeated one.
        early = on(1, 0) - timedelta(days=20)
        session.add(Incident(theme="access", title="Кабинет", state="over", count=5, started_at=early))
        first = Incident(
            theme="access", title="Кабинет", state="over", count=3,
            started_at=datetime(2026, 11, 30, 10, tzinfo=UTC),
            ended_at=datetime(2026, 11, 30, 12, tzinfo=UTC),
            route_id=_asked(session, cast, cases[0], datetime(2026, 11, 30, 10, 12, tzinfo=UTC)),
        )  # fmt: skip
        second = Incident(
            theme="access", title="Кабинет", state="open", open_key="access", count=1, started_at=on(2, 9),
            route_id=_asked(session, cast, cases[1], on(2, 9, 20)),
        )  # fmt: skip
        session.add_all([first, second])
        session.flush()
        session.add_all([IncidentCase(incident_id=first.id, case_id=one) for one in cases[:3]])
        session.add(IncidentCase(incident_id=second.id, case_id=cases[3]))
        # On air: no sound for a quarter of an hour, 1.12 from 18:00, nobody was asked.
        aired = Broadcast(kind="webinar", title="Эфир", starts_at=on(1, 17), ends_at=on(1, 19), state="done")
        session.add(aired)
        session.flush()
        session.add(BroadcastIncident(
            broadcast_id=aired.id, kind="sound", state="fixed", count=8, started_at=on(1, 18),
            ended_at=on(1, 18, 15),
        ))  # fmt: skip
    with database.write.begin() as session:
        for case_id, at, due, outcome in (
            (cases[0], datetime(2026, 11, 30, 10, 12, tzinfo=UTC), on(1, 10), "answered"),
            (cases[1], on(2, 9, 20), on(2, 10), None),
        ):
            route = session.scalars(select(Route).where(Route.case_id == case_id)).one()
            session.execute(delete(RouteFact).where(RouteFact.id == route.id))
            session.add(RouteFact(
                id=route.id, case_id=case_id, department_id=route.department_id, asked_at=at, open_minutes=None,
                answer_minutes=None, due_at=due, late=False, outcome=outcome, returns=0,
            ))  # fmt: skip
    found = table(database, "incidents")
    place = found[f"{MASS}access"]["top_place"]
    assert place
    assert found[f"{MASS}access"] == {
        "incidents": 2, "mentions": 4, "per_incident": 2, "detect_mean": 16, "repair_mean": 120, "repair_most": 120,
        "open_incidents": 1, "overdue_incidents": 1, "repeated": 2, "top_place": place,
    }  # fmt: skip
    assert found["sound"] == {
        "incidents": 1, "mentions": 8, "per_incident": 8, "detect_mean": None, "repair_mean": 15, "repair_most": 15,
        "open_incidents": 0, "overdue_incidents": 0, "repeated": 0, "top_place": None,
    }  # fmt: skip
    assert found[""] == {
        "incidents": 3, "mentions": 12, "per_incident": 4, "detect_mean": 16, "repair_mean": Fraction(135, 2),
        "repair_most": 120, "open_incidents": 1, "overdue_incidents": 1, "repeated": 2, "top_place": place,
    }  # fmt: skip


def test_curators_see_which_wishes_wait(cast, database, cases) -> None:
    with database.write.begin() as session:
        client = Client(name="Лисицына Анна", name_key="лисицына анна", segment="student")
        session.add(client)
        session.flush()
        session.add(Study(client_id=client.id, course="Английский", group_name="А-12", curator="Олег Сомов"))
        author_id = session.get_one(Case, cases[0]).author_id
        for case_id in cases:
            session.get_one(Case, case_id).author_id = author_id
        session.add(
            Identity(client_id=client.id, author_id=author_id, linked_author_id=author_id, basis="confirmed")
        )
    with database.write.begin() as session:
        for number, case_id in enumerate(cases):
            fact = session.get_one(CaseFact, case_id)
            fact.counts, fact.opened_at, fact.kind = True, on(1, 9), "wish" if number else "question"
        wish, done = Wish(title="Субботы"), Wish(title="Тема", state="done")
        session.add_all([wish, done])
        session.flush()
        session.add_all([WishCase(wish_id=wish.id, case_id=cases[1]), WishCase(wish_id=done.id, case_id=cases[2])])
    line = table(database, "groups")[BETWEEN.join(("Английский", "А-12", "Олег Сомов"))]
    # Four came; of the three wishes one is decided, one is under a title, one under none.
    assert (line["came"], line["wishes_waiting"]) == (4, 2)


def compared(database, code: str) -> dict[str, tuple[object, object]]:
    """Name of a line, or its key → how many came, and how many in the period before."""
    with database.read.begin() as session:
        found = run_table(session, DESK, code, WEEK, NOW, compared=True)
        came = found.columns.index("came")
        return {line.name or str(line.key): (line.cells[came].value, line.cells[came].before)
                for line in found.lines}  # fmt: skip


def test_a_theme_that_was_rare_before_is_compared_with_what_it_was(database, cases) -> None:
    with database.write.begin() as session:
        for number, case_id in enumerate(cases):
            fact = session.get_one(CaseFact, case_id)
            fact.counts, fact.theme = True, "payment"
            fact.opened_at = on(1, 9) if number < LEAST else on(1, 9) - timedelta(days=5)
    assert len(cases) == LEAST + 1
    assert compared(database, "topics") == {"payment": (LEAST, 1)}


def test_a_group_stands_beside_its_own_past(database, cases) -> None:
    with database.write.begin() as session:
        for number, course in enumerate(("Английский", "Испанский", "Испанский", "Испанский")):
            client = Client(name=f"Ученик {number}", name_key=f"ученик {number}", segment="student")
            session.add(client)
            session.flush()
            session.add(Study(client_id=client.id, course=course))
            author_id = session.get_one(Case, cases[number]).author_id
            session.add(
                Identity(client_id=client.id, author_id=author_id, linked_author_id=author_id, basis="confirmed")
            )
    with database.write.begin() as session:
        for number, case_id in enumerate(cases):
            fact = session.get_one(CaseFact, case_id)
            fact.counts = True
            fact.opened_at = on(1, 9) if number < 2 else on(1, 9) - timedelta(days=5)
    # Before, nobody of English wrote and two of Spanish did.
    assert compared(database, "groups") == {"Английский": (1, 0), "Испанский": (1, 2)}


def test_a_broadcast_has_no_period_before_but_all_of_them_have(cast, database) -> None:
    with database.write.begin() as session:
        for at in (on(1, 16), on(2, 16), on(1, 16) - timedelta(days=5)):
            session.add(Broadcast(kind="webinar", title="Эфир", starts_at=at, ends_at=at + timedelta(hours=1)))
    with database.read.begin() as session:
        found = run_table(session, DESK, "broadcasts", WEEK, NOW, compared=True)
    assert [line.cells[0].compared for line in found.lines] == [False, False]
    assert found.total is not None
    assert (found.total[0].value, found.total[0].before) == (2, 1)


def test_the_funnel_counts_how_far_deals_came(database) -> None:
    # Three deals of the week: paid at once; lost after the offer; at the first stage. One of the week before.
    ways = (
        (on(1, 9), (("lead", on(1, 9)), ("paid", on(3, 9))), "paid", 100),
        (on(1, 10), (("lead", on(1, 10)), ("qualified", on(2, 10)), ("offered", on(2, 22)), ("lost", on(3, 10))),
         "lost", 200),
        (on(2, 9), (("lead", on(2, 9)),), "lead", None),
        (datetime(2026, 11, 20, tzinfo=UTC), (("lead", datetime(2026, 11, 20, tzinfo=UTC)),), "lead", 999),
    )  # fmt: skip
    with database.write.begin() as session:
        client = Client(name="Гусев Тимофей", name_key="гусев тимофей")
        session.add(client)
        session.flush()
        for begun, moves, state, amount in ways:
            deal = Deal(
                client_id=client.id, state=state, amount=amount, created_at=begun,
                loss_reason="price" if state == "lost" else None,
            )  # fmt: skip
            session.add(deal)
            session.flush()
            before = None
            for after, at in moves:
                session.add(DealMove(deal_id=deal.id, before=before, after=after, at=at))
                before = after
    found = table(database, "funnel")
    reached = [found[stage]["reached"] for stage in
               ("lead", "qualified", "consulted", "offered", "sent", "signed", "paid", "admitted")]  # fmt: skip
    assert reached == [3, 2, 2, 2, 1, 1, 1, 0]
    assert found["lead"]["conversion"] == pytest.approx(2 / 3)
    assert found["lead"]["stay_median"] == pytest.approx(1.5)  # two days and one; the third stands there still
    assert (found["lead"]["stand_now"], found["paid"]["deal_sum"]) == (1, 100)
    assert found["beside"] == {"deals_begun": 3, "lead_to_paid": pytest.approx(1 / 3), "lost_deals": 1}
    lost = table(database, "funnel", "loss")
    assert lost["price"] == {"lost_deals": 1, "part": 1.0, "lost_sum": 200}
