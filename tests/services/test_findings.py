"""What is found in a text besides its label: kept, shown, decided by people, and what follows from it."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from classifier import Verdict
from models import Author, Case, Clock, Label, Message, MessageBand, Notice, Setting, Signal, Source, utc_now
from services.cases import close
from services.crisis import NEXT_AFTER, run_ring
from services.errors import Forbidden, NotFound, Refused
from services.findings import signals_of, standing_signals, wave_sizes
from services.kinds import own_table, save_table, themes_of
from services.labelling import correct_label, correct_themes, run_labelling
from services.notices import see_notice
from services.relabel import run_relabel
from services.replies import write_reply
from services.signals import decide_signal
from services.terms import build_policy, class_of, save_terms
from tests.conftest import NOON
from tests.services.test_cases import label_all

SAYS = {
    "Верните деньги, иначе суд": ("complaint", ("refund", "payment"), ("legal_claim",), ()),
    "Больше не звоните мне": ("other", ("advertising",), ("stop_ads",), ("stop_ads",)),
    "Жить не хочется": ("other", (), ("crisis",), ("crisis",)),
    "Хочу записаться на курс": ("other", ("application",), (), ()),
    "Видео не грузится": ("complaint", ("video",), (), ()),
    "Какой сегодня праздник": ("other", (), (), ()),
}


class Findings:
    """A classifier by table that also knows themes and signals."""

    gate = 0.3

    def __init__(self, version: str = "first") -> None:
        self.version = version

    def classify(self, texts: Sequence[str]) -> list[Verdict]:
        return [self._verdict(text) for text in texts]

    def _verdict(self, text: str) -> Verdict:
        label, themes, signals, certain = SAYS.get(text, ("question", (), (), ()))
        return Verdict(
            label, (label,), {label: 0.9}, (), True, 0.9 * (label == "question"), themes, signals, "ru", certain
        )


@pytest.fixture(autouse=True)
def watched(cast, database) -> None:
    """The place was there before the messages: their clocks run."""
    with database.write.begin() as session:
        session.get_one(Source, cast.source_id).created_at = NOON - timedelta(days=1)


@pytest.fixture
def tell(cast, database):
    """A viewer writes and the classifier speaks; the ids of the message and of its case."""

    def _tell(text: str, author: str = "Анна Яр", *, private: bool = False) -> tuple[int, int | None]:
        item = (cast.private if private else cast.write)(text, author)
        run_labelling(database, Findings(), gate_open=True)
        with database.read.begin() as session:
            row = session.execute(
                select(Message.id, Message.case_id).where(Message.external_id == item.external_id)
            ).one()
            return row[0], row[1]

    return _tell


def test_what_was_found_is_kept(tell, database) -> None:
    message_id, case_id = tell("Верните деньги, иначе суд")
    with database.read.begin() as session:
        message, case = session.get_one(Message, message_id), session.get_one(Case, case_id)
        assert message.language == "ru"
        assert message.fingerprint
        assert themes_of(session, [message_id]) == {message_id: ["refund", "payment"]}
        assert [row.name for row in signals_of(session, [message_id])[message_id]] == ["legal_claim"]
        # A proposal binds nothing: it is a complaint until somebody says that it is a claim.
        assert (case.kind, case.theme, case.department, case.priority) == ("complaint", "refund", "accounting", 1)
        assert session.scalars(select(Clock.sla_class).where(Clock.kind == "first")).one() == "CPUB"
        assert list(standing_signals(session, [case_id])) == [case_id]


def test_yes_binds_from_receipt_and_no_takes_it_back(tell, act, cast, database) -> None:
    message_id, case_id = tell("Верните деньги, иначе суд")
    act(decide_signal, cast.smm, message_id, "legal_claim", True)
    with database.read.begin() as session:
        clocks = {clock.kind: clock for clock in session.scalars(select(Clock))}
        assert session.get_one(Case, case_id).kind == "claim"
        assert (clocks["first"].sla_class, clocks["legal"].sla_class) == ("CLAIM", "CLAIM")
        assert clocks["legal"].started_at == session.get_one(Case, case_id).opened_at
    with pytest.raises(Refused) as refused:
        act(close, cast.head, case_id, "spam")
    assert refused.value.code == "case.grave"
    act(decide_signal, cast.smm, message_id, "legal_claim", False)
    with database.read.begin() as session:
        assert session.get_one(Case, case_id).kind == "complaint"
        assert session.scalars(select(Clock.sla_class).order_by(Clock.id)).all() == ["CPUB", "CPUB"]
        assert session.scalars(select(Signal.state)).one() == "no"
    act(close, cast.smm, case_id, "no_answer_needed")


def test_a_grave_case_is_ended_by_the_head(tell, act, cast, database) -> None:
    message_id, case_id = tell("Жить не хочется", private=True)
    act(decide_signal, cast.smm, message_id, "crisis", True)
    with pytest.raises(Forbidden):
        act(close, cast.smm, case_id, "answered")
    act(write_reply, cast.smm, case_id, "Мы рядом, позвоните по номеру 8-800.", "form-1", then="solve")
    with database.read.begin() as session:
        assert session.get_one(Case, case_id).state == "work"
    act(close, cast.head, case_id, "answered")


def test_a_person_may_raise_what_the_desk_did_not_notice(tell, act, cast, database) -> None:
    message_id, case_id = tell("Какой сегодня праздник")
    assert case_id is None
    act(decide_signal, cast.smm, message_id, "state_body", True)
    with database.read.begin() as session:
        case = session.scalars(select(Case)).one()
        assert (case.kind, case.priority) == ("state_body", 0)
    with pytest.raises(NotFound):
        act(decide_signal, cast.smm, message_id, "weather", True)
    with pytest.raises(Forbidden):
        act(decide_signal, cast.curator, message_id, "crisis", True)


def test_a_plain_demand_stops_advertising_at_once(tell, act, cast, database) -> None:
    message_id, case_id = tell("Больше не звоните мне")
    assert case_id is not None  # a signal is worth a case
    with database.read.begin() as session:
        assert session.scalars(select(Author.ads_stopped_at).where(Author.is_us.is_(False))).one() is not None
    act(decide_signal, cast.smm, message_id, "stop_ads", False)
    with database.read.begin() as session:
        assert session.scalars(select(Author.ads_stopped_at).where(Author.is_us.is_(False))).one() is None


def test_a_crisis_rings_along_the_chain_until_somebody_sees(tell, act, cast, database) -> None:
    tell("Жить не хочется")

    def rung() -> list[int]:
        run_ring(database)
        with database.read.begin() as session:
            return list(session.scalars(select(Notice.staff_id).where(Notice.kind == "crisis").order_by(Notice.id)))

    now = utc_now()
    assert rung() == [cast.head.staff_id] == rung()
    with time_machine.travel(now + NEXT_AFTER + timedelta(seconds=5)):
        assert rung() == [cast.head.staff_id, cast.smm.staff_id]
        with database.read.begin() as session:
            notice = session.scalars(select(Notice).order_by(Notice.id.desc()).limit(1)).one()
        act(see_notice, cast.smm, notice.id)
    with time_machine.travel(now + 3 * NEXT_AFTER):
        assert len(rung()) == 2


def test_who_wants_to_enrol_is_worth_a_case_and_has_its_clock(tell, database) -> None:
    _, case_id = tell("Хочу записаться на курс")
    with database.read.begin() as session:
        case = session.get_one(Case, case_id)
        assert (case.kind, session.scalars(select(Clock.sla_class)).one()) == ("application", "LEAD")


def test_themes_by_hand_stand_and_leave_the_label(tell, act, cast, database) -> None:
    message_id, case_id = tell("Видео не грузится")
    act(correct_themes, cast.smm, message_id, ["app", "access"])
    run_relabel(database, Findings("second"))
    with database.read.begin() as session:
        case = session.get_one(Case, case_id)
        assert (case.theme, case.label, case.kind) == ("app", "complaint", "technical")
        assert themes_of(session, [message_id])[message_id] == ["app", "access"]
    with pytest.raises(Refused):
        act(correct_themes, cast.smm, message_id, ["app", "app"])


def test_the_regulation_knows_all_classes_and_a_small_school_its_six_lines(tell, act, cast, database) -> None:
    for kind, small, whole in (
        ("document", "QPRV", "DOC"),
        ("application", "LEAD", "LEAD"),
        ("claim", "CLAIM", "CLAIM"),
    ):
        case = Case(kind=kind, label="question", visibility="private")
        assert class_of(build_policy({}), case) == small
        assert class_of(build_policy({"preset": "regulation"}), case) == whole
    act(save_terms, cast.head, {"preset": "regulation"})
    tell("Видео не грузится")
    with database.read.begin() as session:
        clock = session.scalars(select(Clock).where(Clock.kind == "first")).one()
        assert (clock.sla_class, clock.term_seconds) == ("TECH", 3600)


def test_copies_are_one_wave(tell, database) -> None:
    first, one = tell("Подскажите, пожалуйста, где запись вчерашнего вебинара?", "Анна")
    second, two = tell("подскажите где запись вчерашнего вебинара", "Борис")
    other, _ = tell("Сколько длится обучение на курсе испанского языка?", "Вера")
    with database.read.begin() as session:
        waves = {row[0]: row[1] for row in session.execute(select(Message.id, Message.wave_id))}
        assert waves == {first: first, second: first, other: None}
        assert {session.get_one(Case, case_id).wave_id for case_id in (one, two)} == {first}
        assert wave_sizes(session, [first]) == {first: 2}


def test_an_edit_finds_its_place_anew(cast, database) -> None:
    from dataclasses import replace

    item = cast.write("Верните деньги, иначе суд")
    run_labelling(database, Findings(), gate_open=True)
    cast.store(replace(item, text="Видео не грузится"))
    run_labelling(database, Findings(), gate_open=True)
    with database.read.begin() as session:
        assert session.scalar(select(func.count()).select_from(Signal)) == 0
        assert session.scalars(select(Case.kind)).one() == "technical"
        assert session.scalar(select(func.count()).select_from(MessageBand)) == 8


def test_old_messages_are_asked_about_once_by_each_version(cast, database) -> None:
    cast.write("Видео не грузится")
    label_all(database, gate_open=False)
    with database.write.begin() as session:
        correct_label(session, cast.smm, session.scalars(select(Message.id)).one(), "wish")
    assert run_relabel(database, Findings("second")) == 1
    assert run_relabel(database, Findings("second")) == 0
    with database.read.begin() as session:
        case = session.scalars(select(Case)).one()
        assert (case.label, case.theme) == ("wish", "video")  # what a person said stands
        versions = session.scalars(select(Label.classifier).where(Label.classifier.is_not(None))).all()
        assert versions == ["table", "second"]


def test_relabelling_brings_a_signal_out_of_the_rest(cast, database) -> None:
    cast.write("Жить не хочется")
    label_all(database)
    with database.read.begin() as session:
        assert session.scalar(select(func.count()).select_from(Case)) == 0
    run_relabel(database, Findings("second"))
    with database.read.begin() as session:
        assert session.scalars(select(Case.stage)).one() == "new"


def test_the_table_of_kinds_can_be_edited_and_comes_back(tell, act, cast, database) -> None:
    rows = [{"kind": "wish", "themes": ["video"], "priority": 0, "visibility": "public"}, {"kind": "other"}]
    act(save_table, cast.head, rows)
    _, case_id = tell("Видео не грузится")
    with database.read.begin() as session:
        assert (session.get_one(Case, case_id).kind, session.get_one(Case, case_id).priority) == ("wish", 0)
    for wrong in ([{"kind": "weather"}], [{"labels": ["question"]}], [{"kind": "wish", "words": "("}]):
        with pytest.raises(Refused):
            act(save_table, cast.head, wrong)
    act(save_table, cast.head, None)
    with database.read.begin() as session:
        assert own_table(session) is None
        assert session.scalar(select(func.count()).where(Setting.name == "kinds")) == 0
    with pytest.raises(Forbidden):
        act(save_table, cast.smm, rows)
