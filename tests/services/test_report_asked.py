"""«Что спрашивают»: a topic is what more people write than before, and its examples name nobody."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

import services.reports.upkeep  # noqa: F401 (by being imported it writes the facts)
from models import Case, CaseFact
from services.errors import Forbidden
from services.lint import save_habits
from services.reports.asked import LEAST, asked, topics_of
from services.reports.cut import Cut
from tests.services.test_cases import label_all

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
CUT = Cut(date(2026, 11, 20), date(2026, 11, 26))
USUAL = ("Не открывается урок номер {}", "Когда начнётся поток {}", "Как войти в кабинет {}")
NEW = "Сертификат не скачивается, кнопка серая"


@pytest.fixture
def write(cast, database):
    def put(text: str, author: str, at: datetime) -> None:
        cast.write(text, author, published_at=at)
        label_all(database, gate_open=False)
        with database.write.begin() as session:
            newest = session.scalars(select(Case.id).order_by(Case.id.desc()).limit(1)).one()
            session.execute(update(CaseFact).where(CaseFact.id == newest).values(opened_at=at, counts=True))

    return put


@pytest.fixture
def weeks(write) -> None:
    """A week of the usual, and one of the usual with something new in it."""
    for week in (14, 7):
        for number in range(12):
            at = NOW - timedelta(days=week - 1, minutes=number)
            write(USUAL[number % 3].format(number), f"Автор {week} {number}", at)
    for number in range(LEAST + 1):
        write(f"{NEW} {number}", f"Ученик {number}", NOW - timedelta(days=2, minutes=number))
    write(f"{NEW}, мой телефон +7 912 345-67-89", "Ученик с телефоном", NOW - timedelta(days=1))


def test_what_more_people_write_than_before_is_a_topic(cast, database, weeks) -> None:
    with database.read.begin() as session:
        found = asked(session, cast.head, CUT, NOW)
    assert found.topics is not None
    [topic] = found.topics
    assert topic.words == ("сертификат", "скачиваться", "кнопка")  # in the order in which people say it
    assert (topic.count, topic.people, topic.before, topic.is_first) == (LEAST + 2, LEAST + 2, 0, True)
    assert len(topic.cases) == topic.count
    assert all(number for _id, number in topic.cases)
    assert topic.examples
    assert "912 345" not in " ".join(one.text for one in topic.examples)


def test_words_beside_every_matter_name_no_topic(cast, database, write, weeks) -> None:
    for number, matter in enumerate(("урок", "поток", "кабинет", "урок")):
        write(f"Вчера обещали каждую минуту {matter}", f"Гость {number}", NOW - timedelta(days=1, minutes=number))
    with database.read.begin() as session:
        topics = topics_of(session, CUT, NOW)
    assert topics is not None
    assert [one.words[0] for one in topics] == ["сертификат"]


def test_one_person_however_loud_makes_no_topic(cast, database, write, weeks) -> None:
    for number in range(6):
        write(f"Верните мне музыку в перерыве {number}", "Один человек", NOW - timedelta(days=1, minutes=number))
    with database.read.begin() as session:
        topics = topics_of(session, CUT, NOW)
    assert topics is not None
    assert not [one for one in topics if "музыка" in one.words]


def test_what_was_written_long_ago_is_not_for_the_first_time(cast, database, write, weeks) -> None:
    write(NEW, "Давний ученик", NOW - timedelta(days=200))
    with database.read.begin() as session:
        topics = topics_of(session, CUT, NOW)
    assert topics is not None
    assert [(one.words[0], one.is_first) for one in topics] == [("сертификат", False)]


def test_without_a_period_before_nothing_is_compared(cast, database, write) -> None:
    for number in range(5):
        write(NEW, f"Ученик {number}", NOW - timedelta(days=2, minutes=number))
    with database.read.begin() as session:
        assert asked(session, cast.head, CUT, NOW).topics is None


def test_mentions_are_the_cases_of_their_theme_with_the_names_of_the_settings(cast, database, write) -> None:
    write("У Сколково дешевле, чем у вас", "Анна", NOW - timedelta(days=2))
    write("Сколько стоит вторая ступень?", "Вера", NOW - timedelta(days=2, minutes=1))
    with database.write.begin() as session:
        rival, price = session.scalars(select(Case.id).order_by(Case.id)).all()
        session.execute(update(CaseFact).where(CaseFact.id == rival).values(theme="competitor"))
        session.execute(update(CaseFact).where(CaseFact.id == price).values(theme="price", kind="question"))
        save_habits(session, cast.head, {"competitors": ["Сколково"]})
    with database.read.begin() as session:
        found = {one.theme: one for one in asked(session, cast.head, CUT, NOW).mentions}
    assert (found["competitor"].count, found["competitor"].names) == (1, (("Сколково", 1),))
    assert (found["price"].count, found["price"].examples[0].case_id) == (1, price)
    assert found["new_product"].count == 0


def test_only_who_sees_reports_sees_it(cast, database) -> None:
    with database.read.begin() as session, pytest.raises(Forbidden):
        asked(session, cast.curator, CUT, NOW)
