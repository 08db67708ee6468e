"""The forty scenarios of the department's work: kind, department, every deadline, and what may and may not be done.

The rows stand in tests/data/scenarios.yaml, what «Небольшая школа» does otherwise in scenarios_small.yaml there.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine

from classifier import Verdict
from collectors.base import SourceState, Visibility
from collectors.manual import Pasted
from models import (
    Act,
    Author,
    Broadcast,
    BroadcastPlace,
    Case,
    Clock,
    Incident,
    Message,
    Notice,
    Route,
    Signal,
    Task,
    TextVersion,
)
from services.agreement import cause_to_wait
from services.broadcasts.airing import go_live
from services.broadcasts.questions import ask, lift
from services.broadcasts.schedule import Plan, plan_broadcast
from services.by_hand import bring_message
from services.cases import close
from services.crisis import run_ring
from services.crm.calls import add_call, make_card, settle_call
from services.crm.subjects import begin_request, control_of, identify, prolong, receive_request
from services.errors import Forbidden, Refused
from services.incidents.gathering import run_incidents
from services.joining import join_cases
from services.labelling import correct_label
from services.legal_clocks import bind_letter
from services.lint import Place, check_text, habits_of, lint
from services.parting import correct_kind, split_off
from services.replies import write_reply
from services.rights import DESK
from services.routing import recall_route
from tests.conftest import one_person
from tests.services.scenario_play import Play, Thanks, day_of, hour_of, moscow, read


def expected(row: dict[str, Any], preset: str) -> dict[str, Any]:
    other = read("scenarios_small").get(row["number"], {}) if preset == "small" else {}
    nested = {key: {**row.get(key, {}), **other.get(key, {})} for key in ("due", "asked", "part")}
    return {**row, **other, **{key: value for key, value in nested.items() if value}}


def check_case(play: Play, wanted: dict[str, Any], case_id: int | None = None) -> None:
    """Kind, priority, department, class and the desk's deadlines."""
    case, clocks = play.case(case_id), play.clocks(case_id)
    found = {"kind": case.kind, "priority": case.priority, "department": case.department}
    found |= {"sentiment": case.sentiment, "class": clocks["first"].sla_class}
    assert found == {"sentiment": 0, **{key: wanted[key] for key in found if key in wanted}}
    due: dict[str, str] = {kind: hour_of(clocks[kind].due_at) for kind in ("first", "resolution") if kind in clocks}
    if "legal" in clocks:
        due |= {"legal": day_of(clocks["legal"].due_at)}
        due |= {"control": day_of(clocks["legal"].warn_at)} if "control" in wanted["due"] else {}
    assert due == {kind: at for kind, at in wanted["due"].items() if kind in DEADLINES}


DEADLINES = ("first", "resolution", "legal", "control")


def check_routes(play: Play, wanted: dict[str, Any]) -> None:
    """The questions to departments, each with its hours where the table names them."""
    for unit, hours in wanted.get("asked", {}).items():
        route = play.ask(unit)
        clocks = {c.kind: hour_of(c.due_at) for c in play.look(Clock, Clock.route_id == route.id)}
        assert "department" in clocks
        assert ("accept" in clocks) is (play.preset == "regulation" and wanted["class"] not in ("TECH0", "LIVE"))
        told = {"accept": clocks.get("accept"), "answer": clocks["department"]}
        assert {kind: told[kind] for kind in hours} == hours
    if wanted.get("asked"):
        assert (play.case().state, play.case().stage) == ("department", "wait")


def check_acts(play: Play, wanted: dict[str, Any]) -> None:
    """What is forbidden, and whose word it needs."""
    case_id, people = play.case_id, play.cast
    for reason in wanted.get("never", ()):
        with pytest.raises(Refused, match=r"case\.(grave|open_routes)"):
            play.act(close, people.head, case_id, reason)
    with play.database.read.begin() as session:
        waits = cause_to_wait(session, people.smm, session.get_one(Case, case_id))
        assert (waits is not None) is bool(wanted.get("agreed"))
        place = Place(wanted.get("private") is None, wanted["place"], wanted["text"])
        habits = replace(habits_of(session), competitors=frozenset({"Ромашка"}))
    if "forbidden_text" in wanted:
        with pytest.raises(Refused, match=r"text\.lint"):
            check_text(wanted["forbidden_text"], place, habits, {})
    if "warned_text" in wanted:
        (finding,) = lint(wanted["warned_text"], place, habits)
        assert finding.rule == wanted["warned_by"]


def check_end(play: Play, wanted: dict[str, Any]) -> None:
    if wanted.get("only_head_closes"):
        for route in play.look(Route, Route.case_id == play.case_id):
            play.act(recall_route, play.cast.smm, route.id)
        with pytest.raises(Forbidden):
            play.act(close, play.cast.smm, play.case_id, "answered")
        play.act(close, play.cast.head, play.case_id, "answered")


def ordinary(play: Play, wanted: dict[str, Any]) -> None:
    """It comes, is understood, and goes to whom it concerns."""
    if wanted.get("rest"):
        play.store(play.incoming(wanted["text"]))
        play.label(Thanks())
        assert (play.look(Case), play.look(Message)[0].work) == ([], "rest")
        return
    play.arrive()
    if "closed_as" in wanted:
        assert play.case().kind == wanted["kind"]
        play.act(close, play.cast.smm, play.case_id, wanted["closed_as"])
        assert (play.case().state, play.clocks()) == (wanted["closed_as"], {})
        return
    check_case(play, wanted)
    check_acts(play, wanted)
    check_routes(play, wanted)
    check_end(play, wanted)


def on_air(play: Play, wanted: dict[str, Any]) -> None:
    """A question in the chat of a broadcast: whoever watches sees it at once, a department has half of the time."""
    begin = play.at - timedelta(minutes=40)

    def broadcast(session: Any) -> None:
        plan = Plan("stream", "Как выучить сто слов", begin, begin + timedelta(hours=2))
        air = plan_broadcast(session, play.cast.smm, plan)
        place = BroadcastPlace(broadcast_id=air.id, platform="room", source_id=play.source_id, publication="17")
        session.add(place)
        go_live(session, DESK, session.get_one(Broadcast, air.id), begin)

    play.act(broadcast)
    play.store(play.incoming(wanted["text"], quiet=True))
    question = play.act(lift, play.cast.smm, play.look(Message)[0].id)
    ((unit, hours),) = wanted["asked"].items()
    play.act(ask, play.cast.smm, question.id, play.cast.departments[unit], "Что ответить в чате?")
    (case,) = play.look(Case)
    play.case_id = case.id
    play.say(case.id)
    check_case(play, wanted)
    (clock,) = play.look(Clock, Clock.route_id.is_not(None))
    assert (clock.kind, clock.sla_class, hour_of(clock.due_at)) == ("department", "LIVE", hours["answer"])


def mass(play: Play, wanted: dict[str, Any]) -> None:
    """A dozen say the same within two minutes: one incident, one question, one notice for each who is told."""
    names = ("Анна", "Борис", "Вера", "Глеб", "Дина", "Егор", "Зоя", "Иван", "Кира", "Лев", "Майя", "Нина")
    texts = [play.incoming(wanted["text"], name, f"m{n}") for n, name in enumerate(names)]
    play.store(*texts)
    play.label()
    cases = [case.id for case in play.look(Case)]
    for case_id in cases:
        play.say(case_id)
    run_incidents(play.database)
    (incident,) = play.look(Incident)
    assert incident.count == len(names)
    (route,) = play.look(Route)
    play.case_id = route.case_id
    check_case(play, wanted)
    assert {c.kind: hour_of(c.due_at) for c in play.look(Clock, Clock.route_id == route.id)} == {
        "department": wanted["asked"]["technical"]["answer"]
    }
    told = [notice.staff_id for notice in play.look(Notice, Notice.kind == "incident")]
    assert len(told) == len(set(told)) > 0


def missed_call(play: Play, wanted: dict[str, Any]) -> None:
    call = play.act(add_call, play.cast.smm, number="+7 916 123-45-67", direction="in", result="missed")
    (task,) = play.look(Task)
    assert (task.kind, task.call_id, hour_of(task.due_at)) == ("call_back", call.id, wanted["due"]["call"])


def answered_call(play: Play, wanted: dict[str, Any]) -> None:
    """A card of an unknown number, and the call is settled while it lasts."""
    call = play.act(add_call, play.cast.smm, number="+7 916 123-45-67", direction="in", result="answered")
    card = play.act(make_card, play.cast.smm, call.id, name="Ольга Рид", topic="документ")
    done = play.act(settle_call, play.cast.smm, call.id, outcome="solved", topic="документ", note=wanted["text"])
    assert (done.outcome, done.client_id, play.look(Task)) == ("solved", card.id, [])
    with play.database.read.begin() as session:
        text = "Выдаём документ государственного образца, гарантируем"
        assert lint(text, Place(False, "calls", ""), habits_of(session))


def stop(play: Play, wanted: dict[str, Any]) -> None:
    """Nothing is advertised from this moment on."""
    ordinary(play, wanted)
    assert play.look(Author, Author.ads_stopped_at.is_not(None))


def two_demands(play: Play, wanted: dict[str, Any]) -> None:
    """Advertising stops at once, the request about data has the law's term and a row of its own."""
    stop(play, wanted)
    request = play.act(
        receive_request, play.cast.head, kind="withdrawal", case_id=play.case_id, received_at=play.at
    )
    with play.database.read.begin() as session:
        control = control_of(session, request)
    assert (day_of(request.due_at), f"{control:%d.%m.%Y}") == (
        wanted["due"]["destroy"],
        wanted["due"]["destroy_control"],
    )


def subject_request(play: Play, wanted: dict[str, Any]) -> None:
    """Nothing is told before we know who asks; five working days more with a reason."""
    ordinary(play, wanted)
    head = play.cast.head
    request = play.act(receive_request, head, kind="access", case_id=play.case_id, received_at=play.at)
    assert day_of(request.due_at) == wanted["due"]["legal"]
    with pytest.raises(Refused, match=r"privacy\.known"):
        play.act(begin_request, head, request.id)
    play.act(identify, head, request.id, "паспорт показан в офисе")
    assert day_of(play.act(prolong, head, request.id, "собираем сведения").due_at) == wanted["due"]["prolonged"]


def by_hand(play: Play, wanted: dict[str, Any]) -> None:
    """A place that no program may write to: the text is brought, the answer cannot be sent from here."""
    pasted = Pasted(wanted["text"], "anna_yar", "", play.at, bool(wanted.get("private")))
    play.act(bring_message, play.cast.smm, play.source_id, pasted)
    play.label()
    play.case_id = play.look(Case)[-1].id
    play.say(play.case_id)
    check_case(play, wanted)
    with pytest.raises(Refused, match=r"source\.no_reply"):
        play.act(write_reply, play.cast.smm, play.case_id, "Ответили вам.", "f1")
    with play.database.read.begin() as session:
        link, place, habits = "Пишите: https://www.instagram.com/school", Place(False, "vk", ""), habits_of(session)
    with pytest.raises(Refused, match=r"text\.lint"):
        check_text(link, place, habits, {})
    check_routes(play, wanted)


def crisis(play: Play, wanted: dict[str, Any]) -> None:
    """It rings whoever is next at any hour, until somebody has seen it."""
    play.store(play.incoming(wanted["text"]))
    play.label()
    play.case_id = play.look(Case)[-1].id
    message = play.look(Message)[0]

    def notice(session: Any) -> None:
        session.add(Signal(message_id=message.id, name="crisis", certain=True))

    play.act(notice)
    assert run_ring(play.database) == 1
    play.clock.shift(timedelta(minutes=11))
    play.say(play.case_id)
    check_case(play, wanted)
    check_acts(play, wanted)
    check_routes(play, wanted)
    check_end(play, wanted)


def state_letter(play: Play, wanted: dict[str, Any]) -> None:
    """The law's term is the date of the letter, which a person reads in it."""
    play.arrive()
    play.act(bind_letter, play.cast.head, play.case_id, date(2026, 12, 21))
    check_case(play, wanted)
    check_acts(play, wanted)
    check_routes(play, wanted)
    check_end(play, wanted)


def again(play: Play, wanted: dict[str, Any]) -> None:
    """The same matter three days after it was closed: the case comes back, urgent, with terms from now."""
    now = play.at
    play.at = moscow("14.12.2026 12:00")
    play.clock.move_to(play.at)
    play.arrive()
    play.clock.move_to(moscow("15.12.2026 12:00"))
    play.act(close, play.cast.smm, play.case_id, "answered")
    play.at = now
    play.clock.move_to(now)
    play.store(play.incoming(wanted["text"], name="m2"))
    play.label()
    message = play.look(Message)[-1]
    play.act(correct_label, play.cast.smm, message.id, "complaint")
    assert (play.case().reopened, play.case().state, len(play.look(Case))) == (1, "work", 1)
    check_case(play, wanted)
    check_routes(play, wanted)


def three_places(play: Play, wanted: dict[str, Any]) -> None:
    """One client writes in three places: one case of three messages, with the strictest of their terms."""
    play.arrive()
    others = []
    for minutes, platform, private in ((20, "telegram", False), (40, "mail", True)):
        place = play.act(lambda session, name=platform: play.add_place(session, name))
        play.clock.move_to(play.at + timedelta(minutes=minutes))
        given = {"visibility": Visibility.PRIVATE, "container": "letter", "publication": None} if private else {}
        item = play.incoming(wanted["text"], name="m1", published_at=play.at + timedelta(minutes=minutes), **given)
        play.store(item, source_id=place, platform=platform)
        play.label()
        others.append(play.look(Case)[-1].id)
        play.say(others[-1])
    one_person(play.cast.database, play.cast.smm)
    for other in others:
        play.act(join_cases, play.cast.smm, other, play.case_id)
    assert [play.case(other).state for other in others] == ["merged", "merged"]
    messages = play.look(Message, Message.case_id == play.case_id)
    assert len({message.source_id for message in messages}) == len(messages) == 3
    check_case(play, wanted)
    check_routes(play, wanted)
    for number, message in enumerate(messages):
        if message.visibility == "public":
            reply = play.act(
                write_reply, play.cast.head, play.case_id, "Разбираемся.", f"f{number}", message_id=message.id,
                then="keep",
            )  # fmt: skip
            assert play.look(Act, Act.reply_id == reply.id)[0].source_id == message.source_id


def two_matters(play: Play, wanted: dict[str, Any]) -> None:
    """The second matter becomes a case of its own, with clocks from the same receipt."""
    play.arrive()
    part = wanted["part"]
    message = play.look(Message)[0]
    themes = tuple(part["themes"])
    verdict = Verdict("complaint", ("complaint",), {"complaint": 0.9}, (), True, 0.9, themes=themes)
    second = play.act(split_off, play.cast.smm, play.case_id, message.id, part["text"], "p1", verdict)
    play.act(correct_kind, play.cast.smm, second.id, message.id, "complaint")
    check_case(play, wanted)
    check_case(play, {"priority": 1, "sentiment": -1, **part}, second.id)
    check_routes(play, wanted)


def edited_and_deleted(play: Play, wanted: dict[str, Any]) -> None:
    """Two versions are kept, the case stays; where the comment is gone nothing can be answered in public."""
    ordinary(play, wanted)
    edited = play.at + timedelta(minutes=20)
    play.clock.move_to(edited)
    play.store(play.incoming("Уже всё решили, благодарю", edited_at=edited))
    assert len(play.look(Case)) == 1
    assert [one.text for one in play.look(TextVersion)] == [wanted["text"]]
    play.clock.move_to(play.at + timedelta(minutes=90))
    play.store(play.incoming("Уже всё решили, благодарю", edited_at=edited, state=SourceState.DELETED))
    (message,) = play.look(Message)
    assert message.state == SourceState.DELETED.value
    assert play.case().state != "closed"
    with pytest.raises(Refused):
        play.act(write_reply, play.cast.head, play.case_id, "Рады, что всё решилось.", "f1")


PLAYS: dict[str, Callable[[Play, dict[str, Any]], None]] = {
    one.__name__: one
    for one in (
        ordinary, on_air, mass, missed_call, answered_call, stop, two_demands, subject_request, by_hand, crisis,
        state_letter, again, three_places, two_matters, edited_and_deleted,
    )
}  # fmt: skip


@pytest.fixture
def travel() -> Iterator[Any]:
    with time_machine.travel(moscow("20.11.2026 10:00"), tick=False) as clock:
        yield clock


@pytest.mark.parametrize(
    ("row", "preset"),
    [
        *(pytest.param(row, "regulation", id=str(row["number"])) for row in read("scenarios")),
        *(
            pytest.param(row, "small", id=f"{row['number']}-small")
            for row in read("scenarios")
            if row["number"] in read("scenarios_small")
        ),
    ],
)
def test_scenario(cast: Any, database: Any, travel: Any, row: dict[str, Any], preset: str) -> None:
    play = Play(cast, database, row, preset)
    play.clock = travel
    travel.move_to(play.at)
    wanted = expected(row, preset)
    PLAYS[wanted.get("play", "ordinary")](play, wanted)


def test_there_are_forty() -> None:
    rows = read("scenarios")
    assert [row["number"] for row in rows] == list(range(1, 41))
    assert set(read("scenarios_small")) <= {row["number"] for row in rows}
