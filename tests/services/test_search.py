"""Search on both databases: every test finds the same on SQLite and on PostgreSQL."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, text

from collectors.base import Person
from models import Case, Message, Note, SearchEntry, SearchLemma, Setting
from services.cases import add_note
from services.errors import Forbidden, Refused
from services.messages import store_messages
from services.routing import ask_department
from services.search import cases_by_number, find, set_synonyms, synonyms
from services.search_index import SEARCH_STATE, key_of, run_index
from tests.conftest import NOON
from tests.services.test_cases import label_all


@pytest.fixture
def look(cast, database):
    """Texts of the hits, newest first."""

    def _look(typed: str, actor=None, **given) -> list[str]:
        given.setdefault("exactly", True)
        with database.read.begin() as session:
            found = find(session, actor or cast.smm, typed, zone="Europe/Moscow", **given)
        return [
            "".join(piece for piece, _ in hit.pieces).strip("…") for group in found.groups for hit in group.hits
        ]

    return _look


@pytest.fixture
def page(cast, database):
    def _page(typed: str, **given):
        with database.read.begin() as session:
            return find(session, cast.smm, typed, zone="Europe/Moscow", **given)

    return _page


class TestWords:
    def test_any_form_finds_any_form_newest_first(self, cast, look) -> None:
        cast.write("Оформили возвраты?", "Анна Яр")
        cast.write("Жду возврата третью неделю", "Борис Лунин")
        cast.write("Когда вебинар?", "Вера Сон")
        assert look("возврат") == ["Жду возврата третью неделю", "Оформили возвраты?"]
        assert look("ВОЗВРАТАМИ") == look("возврат")

    def test_all_words_are_wanted_and_excluded_ones_are_not(self, cast, look) -> None:
        cast.write("Запись урока не открывается", "Анна Яр")
        cast.write("Урок отличный", "Борис Лунин")
        assert look("урок запись") == ["Запись урока не открывается"]
        assert look("урок -запись") == ["Урок отличный"]
        assert look("-урок") == []

    def test_a_phrase_stands_side_by_side(self, cast, look) -> None:
        cast.write("Домашняя работа проверена", "Анна Яр")
        cast.write("Работа домашняя где?", "Борис Лунин")
        assert look('"домашняя работа"') == ["Домашняя работа проверена"]
        assert look("«домашней работы»") == ["Домашняя работа проверена"]
        assert len(look("домашняя работа")) == 2

    def test_a_phrase_does_not_run_from_the_name_into_the_text(self, cast, look) -> None:
        cast.write("Иван спросил", "Анна Яр")
        assert look('"яр иван"') == []
        assert look('"анна яр"') == []
        assert look("яр иван") == ["Иван спросил"]

    @pytest.mark.parametrize("typed", ["ёлка", "елка", "Ёлки", "елками"])
    def test_yo_and_ye_are_one_letter(self, cast, look, typed) -> None:
        cast.write("Про ёлку расскажете?", "Анна Яр")
        assert look(typed) == ["Про ёлку расскажете?"]

    @pytest.mark.parametrize("typed", ["89123456789", "+7 912 345-67-89", "(912) 345-67-89", "345-67-89"])
    def test_a_phone_is_found_in_any_spelling(self, cast, look, typed) -> None:
        cast.write("Мой номер 8 (912) 345-67-89", "Анна Яр")
        assert look(typed) == ["Мой номер 8 (912) 345-67-89"]

    @pytest.mark.parametrize("typed", ["ДГ-2026/15", "дг202615", "дг 2026 15"])
    def test_a_number_of_a_contract_too(self, cast, look, typed) -> None:
        cast.write("Договор ДГ-2026/15 оплачен", "Анна Яр")
        assert look(typed) == ["Договор ДГ-2026/15 оплачен"]

    def test_a_begun_word(self, cast, look) -> None:
        cast.write("Преподаватель молчит", "Анна Яр")
        assert look("препод*") == ["Преподаватель молчит"]
        assert look("препод") == []

    def test_synonyms_of_the_table_and_back(self, cast, look, database) -> None:
        cast.write("Хочу деньги назад", "Анна Яр")
        cast.write("Верните всё", "Борис Лунин")
        assert len(look("возврат")) == len(look("деньги назад")) == 2
        with database.write.begin() as session:
            set_synonyms(session, cast.head, "сбой, не работает\n\nодно")
            assert synonyms(session) == (("сбой", "не работает"),)
        cast.write("Плеер не работает", "Вера Сон")
        assert look("сбой") == ["Плеер не работает"]
        assert look("возврат") == []

    def test_only_who_edits_settings_edits_synonyms(self, cast, database) -> None:
        with database.write.begin() as session, pytest.raises(Forbidden):
            set_synonyms(session, cast.smm, "а, б")

    @pytest.mark.parametrize(
        "typed",
        ["", "  ", '"', "«", "-", "*", "от:", "до:никогда", "AND OR NOT", "a:b", "'; --", '"" ""', "(", "<->"],
    )
    def test_nothing_typed_breaks_it(self, cast, look, typed) -> None:
        cast.write("Когда вебинар?", "Анна Яр")
        assert look(typed) == []


class TestFilters:
    def test_who_wrote(self, cast, look) -> None:
        cast.write("Где Анна?", "Борис Лунин")
        cast.write("Где запись?", "Анна Яр")
        assert look("от:анна") == ["Где запись?"]
        assert look('от:"Анна Яр" запись') == ["Где запись?"]
        assert look("анна") == ["Где запись?", "Где Анна?"]

    def test_a_new_name_is_found_at_once(self, cast, look) -> None:
        cast.store(replace(cast.incoming("Первое"), author=Person("a-1", "Анна Яр")))
        cast.store(replace(cast.incoming("Второе"), author=Person("a-1", "Анна Зимина")))
        assert look("от:зимина") == ["Второе", "Первое"]
        assert look("от:яр") == []

    def test_where(self, cast, look, database) -> None:
        cast.write("Когда вебинар?", "Анна Яр")
        assert look("площадка:сайт") == look("площадка:wordpress вебинар") == ["Когда вебинар?"]
        assert look("площадка:ютуб вебинар") == []
        assert look("площадка:блог") == ["Когда вебинар?"]

    def test_kind_of_the_case(self, cast, look, database) -> None:
        cast.write("Когда вебинар?", "Анна Яр")
        cast.write("Не работает вебинар?", "Борис Лунин")
        label_all(database)
        with database.write.begin() as session:
            for case in session.scalars(select(Case)):
                case.label, case.sure = ("question" if case.id == 1 else "complaint"), True
        assert look("вебинар вид:вопросы") == ["Когда вебинар?"]
        assert look("вид:жалоба") == ["Не работает вебинар?"]

    def test_days_take_themselves_in(self, cast, look) -> None:
        for days, said in enumerate(("Сегодня", "Вчера", "Позавчера")):
            cast.write(f"{said} урок", "Анна Яр", published_at=NOON - timedelta(days=days))
        assert look("урок после:24.11.2026") == ["Сегодня урок", "Вчера урок"]
        assert look("урок до:2026-11-24") == ["Вчера урок", "Позавчера урок"]
        assert look("после:24.11.2026 до:24.11.2026") == ["Вчера урок"]

    def test_the_department_that_was_asked(self, cast, look, database) -> None:
        cast.write("Когда проверят?", "Анна Яр")
        cast.write("Где запись?", "Борис Лунин")
        label_all(database)
        with database.write.begin() as session:
            ask_department(session, cast.smm, 1, cast.departments["curators"], "Когда?", "r1")
        assert look("отдел:кураторы") == look("отдел:curators") == ["Когда проверят?"]
        assert look("отдел:бухгалтерия") == []

    def test_what_is_not_understood_is_said(self, page) -> None:
        assert page("урок вид:фиолетовый до:вечером").query.unclear == ("вид:фиолетовый", "до:вечером")


class TestPages:
    def test_pages_by_key_lose_and_repeat_nothing(self, cast, database) -> None:
        cast.store(*(cast.incoming(f"Урок {n}", f"Зритель {n}") for n in range(60)))
        seen: list[int] = []
        after = None
        for _ in range(3):
            with database.read.begin() as session:
                found = find(session, cast.smm, "урок", zone="UTC", after=after)
            seen += [hit.key for group in found.groups for hit in group.hits]
            after = found.after
        assert after is None
        assert len(set(seen)) == 60
        assert seen == sorted(seen, reverse=True)

    def test_hits_are_counted_up_to_a_thousand(self, cast, page) -> None:
        cast.store(*(cast.incoming("Урок", f"Зритель {n}") for n in range(1010)))
        assert page("урок").count == 1001

    def test_hits_of_one_case_stand_together(self, cast, page, database) -> None:
        cast.write("Где запись?", "Анна Яр")
        cast.write("Запись не пришла", "Анна Яр")
        label_all(database)
        groups = page("запись").groups
        assert [len(group.hits) for group in groups] == [2]
        assert groups[0].row is not None
        assert groups[0].row.author == "Анна Яр"

    def test_best_puts_the_fitting_one_first(self, cast, page) -> None:
        cast.write("Возврат, возврат, когда возврат?", "Анна Яр")
        cast.write("Много всего сказано было на уроке, и про возврат тоже один раз, но недолго", "Борис Лунин")
        found = page("возврат", best=True)
        assert [hit.author for group in found.groups for hit in group.hits] == ["Анна Яр", "Борис Лунин"]

    def test_a_broken_key_is_refused(self, page) -> None:
        with pytest.raises(Refused):
            page("урок", after="x")


class TestSnippet:
    def test_what_was_looked_for_is_marked(self, cast, page) -> None:
        cast.write("Деньги не вернули, верните 12 345 рублей!", "Анна Яр")
        (group,) = page("вернуть 12345").groups
        assert [piece for piece, hit in group.hits[0].pieces if hit] == ["вернули", "верните", "12 345"]

    def test_a_long_text_is_cut_around_the_hit(self, cast, page) -> None:
        cast.write("слово " * 300 + "и вот возврат наконец " + "слово " * 300, "Анна Яр")
        (group,) = page("возврата").groups
        pieces = group.hits[0].pieces
        assert ("возврат", True) in pieces
        assert sum(len(piece) for piece, _ in pieces) < 260


class TestGuesses:
    @pytest.mark.parametrize("typed", ["вазврат", "возрват", "возврт", "возвратт"])
    def test_one_letter_is_corrected(self, cast, page, database, typed) -> None:
        cast.write("Жду возврата", "Анна Яр")
        run_index(database)
        with database.write.begin() as session:
            set_synonyms(session, cast.head, "")
        found = page(typed)
        assert found.is_guessed
        assert found.guess == "возврат"
        assert len(found.groups) == 1
        assert page(typed, exactly=True).groups == ()

    def test_nothing_near_is_nothing_found(self, cast, page, database) -> None:
        cast.write("Жду возврата", "Анна Яр")
        run_index(database)
        found = page("синхрофазотрон")
        assert (found.guess, found.count) == (None, 0)


class TestIndex:
    def test_notes_are_found_under_who_wrote_them(self, cast, look, database) -> None:
        cast.write("Когда вебинар?", "Анна Яр")
        label_all(database)
        with database.write.begin() as session:
            add_note(session, cast.smm, 1, "Перезвонить маме", "n1")
        assert look("перезвонила") == look("от:дарья") == ["Перезвонить маме"]

    def test_an_edit_is_found_by_its_present_words(self, cast, look) -> None:
        item = cast.write("Когда вебинар?", "Анна Яр")
        cast.store(replace(item, text="Когда марафон?", edited_at=NOON + timedelta(hours=1)))
        assert look("вебинар") == []
        assert look("марафон") == ["Когда марафон?"]

    def test_the_walk_behind_makes_the_same_index(self, cast, look, database) -> None:
        for number in range(30):
            cast.write(f"Урок {number} про возврат?", f"Зритель {number % 7}")
        label_all(database)
        with database.write.begin() as session:
            add_note(session, cast.smm, 1, "Про возврат спросить", "n1")
        with database.read.begin() as session:
            before = list(session.execute(select(SearchEntry.id, SearchEntry.words, SearchEntry.extra)))
        hits = look("возврат")
        with database.write.begin() as session:
            session.execute(delete(SearchEntry))
        assert look("возврат") == []
        run_index(database)
        with database.read.begin() as session:
            assert list(session.execute(select(SearchEntry.id, SearchEntry.words, SearchEntry.extra))) == before
            assert session.scalar(select(func.count()).select_from(SearchLemma))
        assert look("возврат") == hits
        assert run_index(database) == 0

    def test_other_rules_make_it_anew(self, cast, database, monkeypatch) -> None:
        cast.write("Когда вебинар?", "Анна Яр")
        run_index(database)
        with database.write.begin() as session:
            session.execute(select(SearchEntry)).scalars().one().words = "старое"
        monkeypatch.setattr("services.search_index.RULES", 99)
        run_index(database)
        with database.read.begin() as session:
            assert session.scalars(select(SearchEntry.words)).one() == "когда вебинар"
            assert session.scalars(select(Setting.value).where(Setting.name == SEARCH_STATE)).one()["rules"] == 99

    def test_a_rolled_back_message_is_not_found(self, cast, look, database) -> None:
        with database.write() as session:
            store_messages(session, cast.source_id, "wordpress", [cast.incoming("Пропавшее слово")])
            session.rollback()
        assert look("пропавшее") == []

    def test_keys_grow_with_time(self) -> None:
        assert key_of(NOON, "note", 5) < key_of(NOON + timedelta(seconds=1), "message", 1)
        assert key_of(NOON, "message", 5) != key_of(NOON, "note", 5)

    def test_the_full_text_table_agrees_with_the_entries(self, cast, database) -> None:
        if not database.is_sqlite:
            pytest.skip("SQLite only")
        cast.write("Когда вебинар?", "Анна Яр")
        with database.write.begin() as session:
            session.execute(text("INSERT INTO search_fts(search_fts, rank) VALUES ('integrity-check', 1)"))


class TestRights:
    def test_a_department_finds_nothing(self, cast, look) -> None:
        cast.write("Когда вебинар?", "Анна Яр")
        with pytest.raises(Forbidden):
            look("вебинар", cast.curator)

    def test_nor_a_number(self, cast, database) -> None:
        with database.read.begin() as session, pytest.raises(Forbidden):
            cases_by_number(session, cast.curator, "1")


@pytest.mark.parametrize("typed", ["ОБ-2026-000001", "об 2026 1", "1", "000001", "2026-000001"])
def test_a_case_is_found_by_its_number(cast, database, typed) -> None:
    cast.write("Когда вебинар?", "Анна Яр")
    label_all(database)
    with database.read.begin() as session:
        assert [row.case.number for row in cases_by_number(session, cast.smm, typed)] == ["ОБ-2026-000001"]
        assert cases_by_number(session, cast.smm, "когда") == []
        assert session.scalar(select(func.count()).select_from(Note)) == 0
        assert session.scalar(select(func.count()).select_from(Message)) == 1
