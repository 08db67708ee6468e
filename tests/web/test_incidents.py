"""«Инциденты» as people use them: opened by hand, looked at, ended, told; the table of what makes one."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from models import Bulk, Case, Incident, Setting, utc_now
from services.bulks import run_bulk
from services.incidents.gathering import run_incidents
from tests.web.conftest import Visitor


@pytest.fixture
def cases(cast, database, label_all) -> list[tuple[int, str]]:
    """Five complaints of one trouble: id and number."""
    for number, name in enumerate(("Анна Яр", "Борис Орлов", "Вера Сон", "Глеб Лис", "Дина Май")):
        cast.write(f"Почему не открывается {name}?", name, published_at=utc_now() - timedelta(minutes=9 - number))
    label_all()
    with database.write.begin() as session:
        rows = list(session.scalars(select(Case).order_by(Case.id)))
        for row in rows:
            row.label, row.theme, row.wave_id = "complaint", "video", None
        return [(row.id, row.number) for row in rows]


def state(database) -> Incident:
    with database.read.begin() as session:
        return session.scalars(select(Incident)).one()


def test_from_the_fifth_complaint_to_the_closing_answer(enter, database, cases) -> None:
    smm: Visitor = enter("smm")
    assert "Сейчас инцидентов нет" in smm.get("/incidents").text
    run_incidents(database)
    incident = state(database)
    assert "Не работает видео" in smm.get("/incidents").text
    page = smm.get(f"/incidents/{incident.id}").text
    assert "Технический отдел" in page
    assert "заметил Отклик" in page
    assert "Инцидент: Не работает видео" in smm.get(f"/inbox/{cases[0][0]}").text
    assert smm.get(f"/incidents/of/{cases[0][0]}").location == f"/incidents/{incident.id}"
    smm.post(f"/incidents/{incident.id}/out/{cases[4][0]}")
    assert smm.get(f"/incidents/of/{cases[4][0]}").location == f"/inbox/{cases[4][0]}"
    assert "1 убрано" in smm.get(f"/incidents/{incident.id}").text
    smm.post(f"/incidents/{incident.id}/add", numbers=cases[4][1])
    smm.post(f"/incidents/{incident.id}/name", title="Плеер лежал")
    ended = smm.post(f"/incidents/{incident.id}/end")
    assert ended.location == f"/incidents/{incident.id}/answer"
    assert smm.post(f"/incidents/{incident.id}/end", htmx=True).status_code == 409
    form = smm.get(ended.location).text
    assert form.count('name="case"') == 5
    assert "Анна" in form
    assert "Починили" in smm.get(ended.location, query_string={"text": "{Починили|Починили}, {{имя}}"}).text
    first, second = cases[0][0], cases[1][0]
    smm.post(f"/incidents/{incident.id}/answer", closing="Всё", case=[first, second],
             **{f"text-{first}": "Анна, починили!", f"text-{second}": "Борис, исправили!"})  # fmt: skip
    run_bulk(database)
    with database.read.begin() as session:
        bulk = session.scalars(select(Bulk)).one()
        assert [one["case"] for one in bulk.results if "code" not in one] == [first, second]
    page = smm.get(f"/incidents/{incident.id}").text
    assert "Ответы написаны: 2 из 2" in page
    assert "Ответить всем" not in page
    assert "Ответы написаны" not in enter("head").get(f"/incidents/{incident.id}").text  # theirs to take back
    assert "людям ответили" in smm.get("/incidents?which=over").text


def test_opened_by_hand_of_a_case_or_of_many(enter, database, cases) -> None:
    smm: Visitor = enter("smm")
    opened = smm.post("/incidents", ids=str(cases[0][0]), theme="-")
    incident = state(database)
    assert opened.location == f"/incidents/{incident.id}"
    assert "В инцидент" in smm.get(f"/inbox/{cases[1][0]}").text
    assert smm.post("/incidents", htmx=True, numbers="нет-такого").status_code == 404
    assert smm.post("/incidents", htmx=True, ids="").status_code == 422
    smm.post("/incidents?label=complaint", ids="", all="1", theme="video")
    assert state(database).count == 5


def test_a_bell_leads_to_the_incident(enter, database, cases) -> None:
    run_incidents(database)
    head: Visitor = enter("head")
    assert "многие жалуются" in head.get("/notices").text
    assert head.post("/notices/1").location.startswith("/incidents/of/")


def test_the_table_of_what_makes_one(enter, database, cast) -> None:
    head: Visitor = enter("head")
    assert enter("smm").get("/incidents/settings").status_code == 403
    assert head.get("/incidents/settings").text.count("Почти одинаковые тексты") > 1
    fields: dict[str, object] = {}
    for theme in ("access", "video", "site", "app", "payment", ""):
        fields |= {f"enough-{theme}": 3, f"minutes-{theme}": 20, f"authors-{theme}": 2, f"question-{theme}": 1}
    assert head.post("/incidents/settings", htmx=True, **{**fields, "enough-app": "много"}).status_code == 422
    head.post("/incidents/settings", **fields)
    with database.read.begin() as session:
        rows = session.scalars(select(Setting).where(Setting.name == "incidents")).one().value["rows"]
    assert rows[0] == {"theme": "access", "labels": ["question"], "enough": 3, "minutes": 20, "authors": 2,
                       "department": None, "active": False}  # fmt: skip
