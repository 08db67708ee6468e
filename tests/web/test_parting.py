"""Words of a message as a case of their own, on the pages."""

import json

from sqlalchemy import select

from models import Case, Excerpt, Message
from tests.services.test_cases import label_all

BOTH = "Когда проверят домашку? И ещё: списали дважды, верните деньги."


def test_split_shown_and_joined(enter, cast, database) -> None:
    cast.write(BOTH, "Анна Яр")
    label_all(database)
    smm = enter("smm")
    with database.read.begin() as session:
        case_id, message_id = session.execute(select(Message.case_id, Message.id)).one()
    form = {"message_id": message_id, "text": "списали дважды", "form_key": "f1"}
    answer = smm.post(f"/inbox/{case_id}/part", htmx=True, **form)
    told = json.loads(answer.headers["HX-Trigger"])
    with database.read.begin() as session:
        part_id = session.scalars(select(Excerpt.case_id)).one()
    assert told["otklik:changed"] == {"case": case_id, "added": part_id}
    assert told["otklik:toasts"]["toasts"][0]["undo"] == f"/inbox/{part_id}/join"
    assert "Отдельное обращение: «списали дважды»" in smm.get(f"/inbox/{case_id}").text
    page = smm.get(f"/inbox/{part_id}").text
    assert '<mark class="part">списали дважды</mark>' in page
    assert "data-parts" not in page
    smm.post(f"/inbox/{part_id}/label/{message_id}", htmx=True, label="complaint")
    with database.read.begin() as session:
        assert session.get_one(Case, part_id).label == "complaint"
        assert session.get_one(Case, case_id).label == "question"
    wrong = smm.post(f"/inbox/{case_id}/part", htmx=True, **{**form, "text": "чего там нет", "form_key": "f2"})
    assert wrong.status_code == 422
    back = json.loads(smm.post(f"/inbox/{part_id}/join", htmx=True).headers["HX-Trigger"])
    assert back["otklik:changed"] == {"case": case_id, "restored": True}
    assert "Отдельное обращение" not in smm.get(f"/inbox/{case_id}").text
    assert 'id="composer"' not in smm.get(f"/inbox/{part_id}").text  # its work goes on in the first one


def test_words_that_the_classifier_cannot_bear_wait_for_a_person(enter, cast, database, desk) -> None:
    class Broken:
        version, gate = "broken", None

        def classify(self, texts):
            raise ValueError(texts)

    cast.write(BOTH, "Анна Яр")
    label_all(database)
    desk.labeller.classifier = Broken()
    with database.read.begin() as session:
        case_id, message_id = session.execute(select(Message.case_id, Message.id)).one()
    form = {"message_id": message_id, "text": "списали дважды", "form_key": "f1"}
    assert enter("smm").post(f"/inbox/{case_id}/part", htmx=True, **form).status_code == 204
    with database.read.begin() as session:
        part = session.get_one(Case, session.scalars(select(Excerpt.case_id)).one())
        assert (part.label, part.sure, part.stage) == (None, False, "new")
