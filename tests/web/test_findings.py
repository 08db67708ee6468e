"""What the classifier found, on the screen: themes, signals with «да» and «нет», near copies answered at once."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from classifier import Verdict
from models import Author, Case, Label, Message, Signal, Source
from services.labelling import run_labelling

CLAIM = "Верните деньги, иначе суд"
STOP = "Больше не звоните мне"


class Knowing:
    """A classifier by table that also knows signals."""

    version, gate = "knowing", 0.3

    def classify(self, texts):
        return [self._verdict(text) for text in texts]

    def _verdict(self, text):
        signals = {CLAIM: ("legal_claim",), STOP: ("stop_ads",)}.get(text, ())
        label, sure = ("complaint", True) if text == CLAIM else ("question", "..." not in text)
        p = {"question": 0.5, "wish": 0.4, "complaint": 0.1}
        certain = ("stop_ads",) if text == STOP else ()
        return Verdict(
            label, (label,), p, (), sure, 0.9, ("refund",), signals, "en" if "?" in text else "ru", certain
        )


@pytest.fixture
def heard(cast, database):
    """Viewers write, each in a case of their own; case id → message id."""

    def _heard(*texts):
        with database.write.begin() as session:  # the place is watched since before: this is no history
            session.get_one(Source, cast.source_id).created_at -= timedelta(days=9)
        for number, text in enumerate(texts):
            cast.write(text, f"Зритель {number}")
        run_labelling(database, Knowing(), gate_open=True)
        with database.read.begin() as session:
            query = select(Message.case_id, Message.id).order_by(Message.id)
            return [(row[0], row[1]) for row in session.execute(query)]

    return _heard


def test_a_signal_is_asked_about_and_answered(smm, heard, database):
    [(case_id, message_id)] = heard(CLAIM)
    page = smm.get(f"/inbox/{case_id}").text
    assert "Похоже на претензию или отказ от договора" in page
    assert "Претензия ?" in smm.get("/inbox").text
    address = f"/inbox/{case_id}/signals/{message_id}/legal_claim"
    answer = smm.post(f"{address}/yes", htmx=True)
    assert answer.status_code == 204
    assert f"{address}/no" in answer.headers["HX-Trigger"]  # the toast takes it back
    assert "Подтверждено: похоже на претензию" in smm.get(f"/inbox/{case_id}").text
    smm.post(f"{address}/no", htmx=True)
    assert "raised-" not in smm.get(f"/inbox/{case_id}").text
    with database.read.begin() as session:
        assert session.scalars(select(Signal.state)).one() == "no"
    assert smm.post(f"/inbox/{case_id}/signals/{message_id}/weather/yes", htmx=True).status_code == 404


def test_advertising_that_was_stopped_is_shown_and_taken_back(smm, heard, database):
    [(case_id, _)] = heard(STOP)
    assert f"/inbox/{case_id}/ads/allow" in smm.get(f"/inbox/{case_id}").text
    smm.post(f"/inbox/{case_id}/ads/allow", htmx=True)
    assert f"/inbox/{case_id}/ads/allow" not in smm.get(f"/inbox/{case_id}").text
    with database.read.begin() as session:
        assert not session.scalars(select(Author.ads_stopped_at).where(Author.ads_stopped_at.is_not(None))).all()


def test_themes_are_corrected(smm, heard, database):
    [(case_id, message_id)] = heard("How do I pay?")
    page = smm.get(f"/inbox/{case_id}").text
    assert "theme-lead" in page
    assert "английский" in page
    smm.post(f"/inbox/{case_id}/themes/{message_id}", htmx=True, theme=["payment", "access"], lead="access")
    with database.read.begin() as session:
        assert session.scalars(select(Label.themes).order_by(Label.id.desc())).first() == ["access", "payment"]
        assert session.get_one(Case, case_id).theme == "access"
    assert smm.post(f"/inbox/{case_id}/themes/{message_id}", htmx=True, theme="weather").status_code == 422


def test_the_two_best_stand_as_buttons_where_it_is_unsure(smm, heard):
    [(case_id, _)] = heard("ну такое...")
    page = smm.get(f"/inbox/{case_id}").text
    assert "Вопрос 50 %" in page
    assert "Пожелание 40 %" in page


def test_the_list_is_narrowed_by_theme_signal_and_kind(smm, heard):
    heard(CLAIM, "Где запись?")
    for query, found in (
        ("signal=legal_claim", True), ("signal=crisis", False), ("signal=any", True), ("theme=refund", True),
        ("theme=video", False), ("kind=complaint", True), ("kind=application", False), ("urgent=1", True),
    ):  # fmt: skip
        assert (CLAIM in smm.get(f"/inbox?{query}").text) is found, query
    assert CLAIM in smm.get("/inbox?signal=weather").text  # a word it does not know is left out


def test_same_questions_are_a_group_with_one_answer(smm, heard):
    [(one, _), (two, _), (other, _)] = heard(
        "Подскажите, пожалуйста, где запись вчерашнего вебинара?", "подскажите где запись вчерашнего вебинара",
        "Сколько длится обучение на курсе испанского?",
    )  # fmt: skip
    page = smm.get("/inbox?repeated=1").text
    assert f'id="row-{one}"' in page
    assert f'id="row-{two}"' in page
    assert f'id="row-{other}"' not in page
    assert "Ещё 1 такой же вопрос" in smm.get(f"/inbox/{one}").text
    assert "Ответить всем сразу" in smm.get(f"/inbox?wave={one}").text
    begun = smm.post(f"/inbox/bulk?wave={one}", htmx=True, act="answer", text="Запись на сайте.", all="1", ids="")
    assert "Ответы написаны: 0 из 2" in begun.text
    assert smm.post("/inbox/bulk", htmx=True, act="answer", text=" ", ids=str(one), all="").status_code == 422
