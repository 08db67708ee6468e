"""The quality screen: figures of blind checks, checking itself, trainings, and the table of kinds."""

import pytest
from sqlalchemy import select

from classifier import Verdict
from models import Audit, Setting, Training


class Still:
    """A loaded classifier for a screen that only shows it."""

    version, gate = "abcdef123456", 0.3

    def classify(self, texts):
        return [Verdict("complaint", ("complaint",), {}, (), True, 0.9, ("video",), ()) for _ in texts]


@pytest.fixture
def ready(desk, monkeypatch):
    facts = {
        "sha256": "abcdef123456" + "0" * 52,
        "n": 4472,
        "taught": 4500,
        "macro_f1": 0.84,
        "calibration_error": 0.02,
    }
    desk.labeller.classifier = Still()
    monkeypatch.setattr(desk.labeller, "facts_of", lambda version=None: facts)
    monkeypatch.setattr(desk.labeller, "versions", lambda: ["abcdef123456", "older0000000"])
    return desk


def test_nothing_is_known_before_anybody_checked(smm, ready):
    page = smm.get("/quality").text
    assert "Пока ничего не проверено" in page
    assert "0,84" in page or "0.84" in page
    assert "Обучить сейчас" not in page  # the head's


def test_checking_hides_the_suggestion_and_counts(smm, ready, open_case, database):
    open_case("Когда вебинар?")
    with database.write.begin() as session:
        session.add(Audit(message_id=1, pile="all", suggested="question", actionable=0.9))
    page = smm.get("/quality/check").text
    assert "Когда вебинар?" in page
    assert "90 %" not in page
    assert smm.post("/quality/check/1", label="weather").status_code == 302
    assert smm.post("/quality/check/1", label="wish").location == "/quality/check"
    assert "На сегодня всё проверено" in smm.get("/quality/check").text
    page = smm.get("/quality").text
    assert "Проверен 1 текст" in page
    with database.read.begin() as session:
        assert session.scalars(select(Audit.label)).one() == "wish"


def test_the_head_trains_and_goes_back(smm, enter, ready, database, monkeypatch):
    head = enter("head")
    assert smm.post("/quality/train", htmx=True).status_code == 403
    head.post("/quality/train")
    with database.read.begin() as session:
        assert session.scalars(select(Training.state)).one() == "asked"
    page = head.get("/quality").text
    assert "скоро начнётся" in page
    assert "Вернуться к older0000000" in page
    back = []
    monkeypatch.setattr(ready.labeller, "promote", back.append)
    head.post("/quality/back/older0000000")
    assert back == ["older0000000"]


def test_a_refused_version_says_why(smm, ready, database):
    decision = {
        "n": 4500,
        "before": 0.84,
        "after": 0.8,
        "gain": [-0.05, -0.04, -0.03],
        "fell": ["wish"],
        "missed": [],
    }
    with database.write.begin() as session:
        session.add(Training(reason="night", state="refused", version="bad", lessons=12, decision=decision))
    page = smm.get("/quality").text
    assert "не взяли: хуже прежней" in page
    assert "хуже: Пожелание" in page
    assert "12 уроков" in page


def test_the_table_of_kinds_is_tried_edited_and_had_back(smm, enter, ready, database):
    head = enter("head")
    page = head.get("/quality/kinds?try=Видео+не+грузится").text
    assert "Решила строка" in page
    head.post("/quality/kinds", lines='{"kind": "wish", "labels": ["complaint"]}\n{"kind": "other"}')
    assert "Решила строка 1" in head.get("/quality/kinds?try=Видео+не+грузится").text
    for wrong in ("{", '{"kind": "weather"}', "[1]"):
        assert head.post("/quality/kinds", htmx=True, lines=wrong).status_code == 422
    head.post("/quality/kinds", house="1", lines="")
    with database.read.begin() as session:
        assert session.scalars(select(Setting.name).where(Setting.name == "kinds")).all() == []
    assert smm.get("/quality/kinds").status_code == 403
