"""Learning: what people taught goes into training, what they checked blind never does, and nothing gets worse."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from classifier import LABELS, Verdict, read_corpus, text_key
from classifier.learning import compare
from classifier.signal_files import signal_texts
from models import Audit, Case, Message, Training, utc_now
from services.audit import (
    accuracy,
    check_text,
    checked,
    draw_samples,
    is_proven,
    miss_rate,
    next_task,
    share,
    spoken_for,
)
from services.errors import Forbidden, NotFound, Refused
from services.labelling import correct_label
from services.learning import (
    APART,
    STRONG,
    ask_training,
    due_reason,
    lessons,
    new_corrections,
    return_to,
    run_learning,
    trainings,
)
from services.replies import write_reply
from services.signals import decide_signal
from tests.services.test_cases import label_all


class Learner:
    """A labeller that trains in no time: each version answers the held-out texts as it was told to."""

    def __init__(self, wrong: int) -> None:
        self.taught: list = []
        self.live = "old"
        corpus = read_corpus()
        right = {text_key(example.text): LABELS.index(example.primary) for example in corpus}
        spoiled = dict.fromkeys(list(right)[:wrong], LABELS.index("spam"))
        self.facts = {
            "old": {"held_out": {**right, **dict.fromkeys(list(right)[:50], LABELS.index("spam"))}},
            "new": {"held_out": {**right, **spoiled}, "n": 5, "macro_f1": 0.8},
        }
        self.deaf = False

    def train_candidate(self, given) -> str:
        self.taught = list(given)
        return "new"

    def facts_of(self, version=None):
        return self.facts[version or self.live]

    def answers_of(self, version, texts: Sequence[str]) -> list[Verdict]:
        known = {} if self.deaf and version == "new" else dict(signal_texts())
        return [Verdict("other", ("other",), {}, (), True, 0.0, (), (known.get(text, ""),)) for text in texts]

    def promote(self, version: str) -> None:
        self.live = version

    def versions(self) -> list[str]:
        return ["new", "old"]


@pytest.fixture
def written(cast, database):
    for number in range(6):
        cast.write(f"Вопрос {number}?", f"Зритель {number}")
    label_all(database, gate_open=False)
    with database.read.begin() as session:
        return list(session.scalars(select(Message.id).order_by(Message.id)))


def test_lessons_weigh_what_was_said_and_leave_the_checked_out(cast, database, written, act) -> None:
    act(correct_label, cast.smm, written[0], "complaint")
    act(correct_label, cast.smm, written[0], "wish")
    act(decide_signal, cast.smm, written[2], "crisis", False)
    with database.write.begin() as session:
        write_reply(session, cast.smm, session.get_one(Message, written[1]).case_id, "В среду.", "form-1")
        session.add(Audit(message_id=written[3], pile="all", suggested="question"))
    act(correct_label, cast.smm, written[3], "praise")
    with database.read.begin() as session:
        taught = lessons(session)
        assert new_corrections(session) == 3
    said = {row["text"]: (row["primary"], row["weight"]) for row in taught if "primary" in row}
    assert said == {"Вопрос 0?": ("wish", STRONG), "Вопрос 1?": ("question", 0.2)}
    assert [row for row in taught if "signal" in row] == [{"text": "Вопрос 2?", "signal": "crisis", "is_so": False}]


def test_it_begins_by_itself_by_hand_and_at_night(cast, database, written, act) -> None:
    noon, night = datetime(2026, 11, 30, 12, 0, tzinfo=UTC), datetime(2026, 11, 30, 0, 30, tzinfo=UTC)

    def reason(now: datetime) -> str | None:
        with database.read.begin() as session:
            return due_reason(session, now, "Europe/Moscow")

    assert reason(night) is None
    for message_id in written[:5]:
        act(correct_label, cast.smm, message_id, "wish")
    assert (reason(noon), reason(night)) == (None, "night")  # 3:30 in Moscow
    for _ in range(45):
        act(correct_label, cast.smm, written[5], "wish")
    assert reason(noon) == "corrections"
    with pytest.raises(Forbidden):
        act(ask_training, cast.smm)
    act(ask_training, cast.head)
    assert reason(noon) == "hand"
    with pytest.raises(Refused):
        act(ask_training, cast.head)


@pytest.mark.parametrize(("wrong", "state"), [(0, "live"), (50, "live"), (400, "refused")])
def test_only_what_is_not_worse_goes_live(cast, database, written, act, wrong, state) -> None:
    learner = Learner(wrong)
    assert run_learning(database, learner, "Europe/Moscow") is False
    act(ask_training, cast.head)
    assert run_learning(database, learner, "Europe/Moscow") is (state == "live")
    with database.read.begin() as session:
        [row] = trainings(session)
        assert (row.state, row.version, row.reason) == (state, "new", "hand")
        assert row.decision["n"] == len(read_corpus())
        assert row.decision["may_go_live"] is (state == "live")
    assert learner.live == ("new" if state == "live" else "old")


def test_a_signal_that_is_missed_keeps_the_old_version(cast, database, act) -> None:
    learner = Learner(0)
    learner.deaf = True
    act(ask_training, cast.head)
    assert run_learning(database, learner, "Europe/Moscow") is False
    with database.read.begin() as session:
        assert "crisis" in trainings(session)[0].decision["missed"]


def test_a_training_that_breaks_is_told_and_blocks_nothing(cast, database, act) -> None:
    class Broken(Learner):
        def train_candidate(self, given) -> str:
            raise RuntimeError("killed")

    act(ask_training, cast.head)
    with pytest.raises(RuntimeError):
        run_learning(database, Broken(0), "Europe/Moscow")
    with database.write.begin() as session:
        assert trainings(session)[0].state == "failed"
        session.add(Training(reason="night", state="running", started_at=utc_now() - 2 * APART))
    run_learning(database, Learner(0), "Europe/Moscow")
    with database.read.begin() as session:
        assert trainings(session)[0].state == "failed"


def test_one_click_goes_back(cast, database, act) -> None:
    learner = Learner(0)
    learner.live = "new"
    act(return_to, cast.head, learner, "old")
    assert learner.live == "old"
    with pytest.raises(NotFound):
        act(return_to, cast.head, learner, "older")
    with pytest.raises(Forbidden):
        act(return_to, cast.smm, learner, "new")


def test_random_texts_are_drawn_and_checked_blind(cast, database, written, act) -> None:
    assert act(draw_samples, 0.3) == 6
    assert act(draw_samples, 0.3) == 0
    with database.read.begin() as session:
        task = next_task(session, cast.smm)
        assert task.left == 6
        assert set(session.scalars(select(Audit.pile))) == {"all"}
    for number in range(6):
        with database.read.begin() as session:
            task = next_task(session, cast.smm)
        act(check_text, cast.smm, task.audit_id, "question" if number else "wish")
    with database.read.begin() as session:
        assert next_task(session, cast.smm) is None
        told = accuracy(checked(session, "all"))
        assert (told.hits, told.n) == (5, 6)
        assert 0 < told.low < told.value < told.high < 1
        assert spoken_for(session).value == 1.0
        assert lessons(session) == []


def test_what_was_missed_in_the_rest_becomes_a_case(cast, database, act) -> None:
    cast.write("сколько стоит")
    label_all(database)
    with database.read.begin() as session:
        assert session.scalars(select(Message.work)).one() == "rest"
    act(draw_samples, 0.3)
    with database.read.begin() as session:
        task = next_task(session, cast.smm)
    act(check_text, cast.smm, task.audit_id, "question")
    with database.read.begin() as session:
        assert session.scalars(select(Case.label)).one() == "question"
        missed = miss_rate(session, 0.3)
        assert (missed.hits, missed.n) == (1, 1)


def test_the_gate_is_proven_by_the_blind_share_alone(cast, database, act) -> None:
    items = [cast.incoming(f"Вопрос номер {number}?", f"Зритель {number}") for number in range(300)]
    cast.store(*items)
    label_all(database)
    with database.write.begin() as session:
        for message_id in session.scalars(select(Message.id)):
            session.add(
                Audit(message_id=message_id, pile="all", suggested="question", actionable=0.9, label="question")
            )
    with database.read.begin() as session:
        assert is_proven(session, 0.3)
    with database.write.begin() as session:
        for row in session.scalars(select(Audit).limit(7)):
            row.suggested, row.actionable = "other", 0.1
    with database.read.begin() as session:
        assert not is_proven(session, 0.3)


def test_bootstrap_tells_worse_from_noise() -> None:
    truth = ["question", "complaint", "wish", "praise", "spam", "other"] * 100
    one_wrong = ["wish", *truth[1:]]
    assert compare(truth, truth, one_wrong).may_go_live or compare(truth, truth, one_wrong).gain[2] <= 0
    worse = [label if number % 6 else "other" for number, label in enumerate(truth)]
    decision = compare(truth, truth, worse)
    assert not decision.may_go_live
    assert "question" in decision.fell
    assert compare(truth, worse, truth).may_go_live
    assert not compare(truth, truth, truth, {"crisis": (0.9, 0.8)}).may_go_live
    assert compare([], [], []).n == 0
    assert share(0, 0).high == 1.0
