"""«Мы уже отвечали»: the nearest answers of the whole history, and nothing that should not be said here."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from collectors.base import Person
from models import Act, Message, utc_now
from services.answered import for_another, past_answers
from services.errors import Forbidden, NotFound
from services.replies import write_reply
from services.routing import answer_route, ask_department
from tests.services.test_cases import label_all


@pytest.fixture
def case_of(cast, database):
    def _case_of(text: str, author: str = "Анна Яр", private: bool = False, **given) -> int:
        item = (cast.private if private else cast.write)(text, author, **given)
        label_all(database)
        with database.read.begin() as session:
            found = session.scalar(select(Message.case_id).where(Message.external_id == item.external_id))
        assert found is not None
        return found

    return _case_of


@pytest.fixture
def reply(cast, database):
    """A reply of ours; ``state`` is what came of it."""

    def _reply(case_id: int, text: str, state: str = "seen", **wishes) -> int:
        with database.write.begin() as session:
            row = write_reply(session, cast.smm, case_id, text, f"f-{case_id}-{text}", **wishes)
            act = session.scalars(select(Act).where(Act.reply_id == row.id)).one()
            act.state, act.accepted_at = state, utc_now()
            return act.id

    return _reply


@pytest.fixture
def past(cast, database):
    def _past(case_id: int, actor=None):
        with database.read.begin() as session:
            return past_answers(session, actor or cast.smm, case_id)

    return _past


class TestWhatIsNear:
    def test_an_answer_to_the_same_in_other_words_with_date_and_place(self, case_of, reply, past) -> None:
        reply(case_of("Как получить сертификат после курса?", "Борис Лунин"), "Борис, он в личном кабинете.")
        reply(case_of("Где расписание вебинаров?", "Вера Сон"), "Расписание в шапке канала.")
        found = past(case_of("Подскажите, сертификат о курсе где взять можно?"))
        assert [one.text for one in found] == ["Борис, он в личном кабинете."]
        assert found[0].place.startswith("Блог")
        assert found[0].kind == "published"
        assert utc_now() - found[0].at < timedelta(minutes=5)

    def test_the_nearest_stands_first_and_the_same_answer_once(self, case_of, reply, past) -> None:
        for number, author in enumerate(("Борис Лунин", "Вера Сон", "Глеб Рой")):
            reply(
                case_of(f"Запись урока {number} не открывается?", author),
                f"{author.split()[0]}, обновите страницу.",
            )
        reply(case_of("Запись вебинара про алгебру будет?", "Дина Лес"), "Запись выложим завтра.")
        found = past(case_of("Не открывается запись урока?"))
        assert found[0].ready == "Анна, обновите страницу."
        assert found[0].times == 3
        assert len([one for one in found if "обновите" in one.text]) == 1

    def test_the_question_before_a_last_word_counts(self, case_of, reply, past) -> None:
        reply(case_of("Как получить сертификат?", "Борис Лунин"), "В кабинете.")
        first = case_of("Как получить сертификат?")
        assert case_of("Ой, сорри, жду") == first
        assert [one.text for one in past(first)] == ["В кабинете."]

    def test_a_copy_is_found_where_words_alone_say_little(self, case_of, reply, past) -> None:
        reply(case_of("Почему так дорого у вас стоит?", "Борис Лунин"), "Есть рассрочка.")
        assert [one.text for one in past(case_of("почему так дорого у вас стоит???"))] == ["Есть рассрочка."]

    def test_what_we_wrote_on_the_platform_itself_counts(self, cast, case_of, past) -> None:
        asked = cast.write("Можно ли вернуть деньги за марафон?", "Борис Лунин")
        cast.write("Да, в течение трёх дней.", Person("us", "Школа", is_us=True), thread=asked.external_id,
                   parent_external_id=asked.external_id)  # fmt: skip
        assert [one.text for one in past(case_of("Как вернуть деньги за марафон?"))] == ["Да, в течение трёх дней."]

    def test_a_departments_answer_under_its_name(self, cast, database, case_of, past) -> None:
        first = case_of("Как сдать домашку по музыке?", "Борис Лунин")
        with database.write.begin() as session:
            route = ask_department(session, cast.smm, first, cast.departments["curators"], "Как сдать?", "r-1")
            answer_route(session, cast.curator, route.id, "Во вкладке «Домашка».", route.version)
        found = past(case_of("А домашку по музыке как сдать?"))
        assert [(one.kind, one.text) for one in found] == [("department", "Во вкладке «Домашка».")]

    @pytest.mark.parametrize("text", ["Спасибо", "😀😀", "?", "Здравствуйте, скажите пожалуйста"])
    def test_a_text_that_says_nothing_finds_nothing(self, cast, database, case_of, reply, past, text) -> None:
        reply(case_of("Здравствуйте, скажите пожалуйста?", "Борис Лунин"), "Слушаем вас.")
        assert past(case_of(text + "?")) == ()


class TestWhatIsNotOffered:
    @pytest.mark.parametrize("state", ["held", "queued", "dead", "cancelled", "removed", "approval", "review"])
    def test_what_does_not_stand_on_the_platform(self, case_of, reply, past, state) -> None:
        reply(case_of("Как получить сертификат?", "Борис Лунин"), "В кабинете.", state)
        assert past(case_of("Как получить сертификат?")) == ()

    def test_a_holding_reply(self, case_of, reply, past) -> None:
        reply(case_of("Как получить сертификат?", "Борис Лунин"), "Взяли в работу.",
              promised_until=utc_now() + timedelta(days=1))  # fmt: skip
        assert past(case_of("Как получить сертификат?")) == ()

    def test_the_cases_own(self, case_of, reply, past) -> None:
        own = case_of("Как получить сертификат?")
        reply(own, "В кабинете.", then="keep")
        assert past(own) == ()

    def test_personal_data_of_a_private_answer_under_a_public_comment(self, case_of, reply, past) -> None:
        first = case_of("Как получить сертификат?", "Борис Лунин", private=True)
        reply(first, "Напишите на boris@mail.example, пришлём.")
        assert past(case_of("Как получить сертификат?")) == ()
        second = case_of("Как получить сертификат?", "Вера Сон", private=True)
        assert [one.private for one in past(second)] == [True]

    def test_whoever_may_not_reply_sees_nothing(self, cast, case_of, past) -> None:
        case_id = case_of("Как получить сертификат?")
        with pytest.raises(Forbidden):
            past(case_id, cast.curator)
        with pytest.raises(NotFound):
            past(case_id + 1000)

    def test_spam(self, cast, database, case_of, reply, past) -> None:
        first = case_of("Как получить сертификат?", "Борис Лунин")
        reply(first, "В кабинете.")
        with database.write.begin() as session:
            for message in session.scalars(select(Message).where(Message.case_id == first)):
                message.work = "spam"
        assert past(case_of("Как получить сертификат?")) == ()


@pytest.mark.parametrize(
    ("said", "name", "ready"),
    [
        ("Борис, зайдите в кабинет.", "Анна", "Анна, зайдите в кабинет."),
        ("Борис, зайдите в кабинет.", "", "Зайдите в кабинет."),
        ("Здравствуйте, Борис! Зайдите.", "Анна", "Здравствуйте, Анна! Зайдите."),
        ("Добрый день, Вера! Зайдите.", "", "Добрый день! Зайдите."),
        ("Коллеги, зайдите.", "Анна", "Коллеги, зайдите."),
        ("Зайдите в кабинет, Борис ждёт.", "Анна", "Зайдите в кабинет, Борис ждёт."),
        ("", "Анна", ""),
    ],
)
def test_the_name_of_another_does_not_stay(said, name, ready) -> None:
    assert for_another(said, name) == ready
