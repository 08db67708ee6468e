"""The inbox: list, filters, pages by key, what changed since, the case and what people do with it."""

import html
import json
import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select, update

from collectors import channel_class
from models import Act, Case, Draft, Label, Message, Note, Reply, Route, Source, utc_now
from services.accounts import staff_by_session
from services.events import last_event_id
from services.routing import answer_route


def row_ids(page):
    return [int(found) for found in re.findall(r'id="row-(\d+)"', page)]


def rows(database, table):
    with database.read.begin() as session:
        return list(session.scalars(select(table).order_by(table.id)))


class TestList:
    def test_an_empty_desk_says_so(self, smm):
        assert "На всё ответили" in smm.get("/inbox").text

    def test_a_filter_without_cases_leads_back(self, smm):
        page = smm.get("/inbox?label=wish").text
        assert "Под эти фильтры ничего не подходит" in page

    def test_a_row_says_who_what_where_and_which_kind(self, smm, open_case):
        open_case("Когда вебинар?", "Анна Яр")
        page = smm.get("/inbox").text
        row = page[page.index('id="row-') :]
        for words in ("Анна Яр", "Когда вебинар?", "Как выучить сто слов", "Вопрос"):
            assert words in row

    def test_views_narrow_the_list(self, smm, open_case, cast, database):
        with database.write.begin() as session:  # history is never urgent
            session.get_one(Source, cast.source_id).created_at -= timedelta(days=9)
        question = open_case("Когда вебинар?", "Анна Яр")
        complaint = open_case("Кабинет не работает", "Борис Лунин")
        unsure = open_case("Сделайте... или нет", "Вера Соль")
        # A complaint is urgent and stands first although something newer came.
        assert row_ids(smm.get("/inbox").text) == [complaint, unsure, question]
        assert row_ids(smm.get("/inbox?label=complaint").text) == [complaint]
        assert row_ids(smm.get("/inbox?label=unsure").text) == [unsure]
        assert row_ids(smm.get("/inbox?platform=vk").text) == []
        assert row_ids(smm.get("/inbox?mine=1").text) == []
        smm.post(f"/inbox/{question}/assign", staff_id=smm_id(smm))
        assert row_ids(smm.get("/inbox?mine=1").text) == [question]

    def test_words_that_the_address_does_not_know_mean_any(self, smm, open_case):
        case_id = open_case()
        page = smm.get("/inbox?label=<b>&platform=nowhere&department=x&stage=late&lift=up")
        assert row_ids(page.text) == [case_id]

    def test_pages_follow_one_another_without_gap_or_double(self, smm, cast, label_all):
        for number in range(65):
            cast.write(f"Когда вебинар {number}?", f"Зритель {number}")
        label_all()
        page, met = smm.get("/inbox").text, []
        while True:
            met.extend(row_ids(page))
            more = re.search(r'hx-get="([^"]*after=[^"]*)"', page)
            if more is None:
                break
            page = smm.get(more.group(1).replace("&amp;", "&"), htmx=True).text
        assert len(met) == len(set(met)) == 65
        assert met == sorted(met, reverse=True)

    def test_a_broken_page_key_is_refused_in_words(self, smm):
        answer = smm.get("/inbox/rows?after=x", htmx=True)
        assert answer.status_code == 422
        assert "otklik:toasts" in answer.headers["HX-Trigger"]

    def test_without_a_classifier_cases_are_shown_as_they_come(self, smm, desk, cast):
        cast.write("Когда вебинар?")
        assert row_ids(smm.get("/inbox").text) == []
        desk.labeller.state = "training"
        desk.labeller.progress = 0.42
        page = smm.get("/inbox").text
        assert len(row_ids(page)) == 1
        assert "Классификатор учится: 42 %" in page
        desk.labeller.state = "ready"
        assert "Классификатор учится" not in smm.get("/labeller", htmx=True).text


def smm_id(visitor):
    with visitor.client.session_transaction() as session:
        key = session["key"]
    desk = visitor.client.application.extensions["otklik"]
    with desk.database.read.begin() as db:
        return staff_by_session(db, key).id


def refreshed(visitor, query="top=&ids="):
    return visitor.get(f"/inbox/refresh?{query}", htmx=True).text


class TestRefresh:
    def test_new_ones_wait_behind_the_pill(self, smm, open_case):
        first = open_case("Когда вебинар?", "Анна Яр")
        top = re.search(r'data-key="([^"]+)"', smm.get("/inbox").text).group(1)
        quiet = smm.get(f"/inbox/refresh?top={top}&ids={first}", htmx=True).text
        assert "Новые" not in quiet
        open_case("А где ссылка?", "Борис Лунин")
        page = smm.get(f"/inbox/refresh?top={top}&ids={first}", htmx=True).text
        assert "Новые: 1" in page
        assert row_ids(page) == [first]  # only the lines that were asked for

    def test_counters_come_along(self, smm, open_case):
        open_case()
        said = html.unescape(re.search(r'data-numbers="([^"]*)"', refreshed(smm)).group(1))
        assert json.loads(said)["question"] == 1

    def test_a_view_is_quiet_until_it_has_something(self, smm, open_case, database):
        open_case()
        assert re.search(r'<li data-quiet hidden>\s*<a [^>]*class="view-urgent"', smm.get("/inbox").text)
        with database.write.begin() as session:
            session.execute(update(Case).values(priority=0))
        assert re.search(r'<li data-quiet >\s*<a [^>]*class="view-urgent"', smm.get("/inbox").text)

    def test_new_ones_come_by_themselves_to_a_list_that_nobody_reads(self, smm, open_case):
        first = open_case("Когда вебинар?", "Анна Яр")
        top = re.search(r'data-key="([^"]+)"', smm.get("/inbox").text).group(1)
        assert row_ids(refreshed(smm, f"top={top}&ids={first}&unread=1")) == [first]  # nothing new: no page
        second = open_case("А где ссылка?", "Борис Лунин")
        news = refreshed(smm, f"top={top}&ids={first}&unread=1")
        fresh, rest = news.split("</template>")
        assert row_ids(fresh) == [second]
        assert "hx-swap-oob" not in fresh[fresh.index("<li") :]
        assert "data-whole" not in fresh
        assert row_ids(rest) == [first]
        assert "Новые" not in rest

    def test_an_empty_list_comes_whole(self, smm, open_case):
        open_case("Когда вебинар?", "Анна Яр")
        fresh = refreshed(smm, "top=&ids=&unread=1").split("</template>")[0]
        assert len(row_ids(fresh)) == 1
        assert "data-whole" in fresh

    def test_what_is_asked_together_is_read_for_each_who_sees_something_else(self, enter, open_case, desk):
        smm, other = enter("smm"), enter("head")
        case_id = open_case()
        with desk.database.write.begin() as session:
            session.execute(update(Case).values(assignee_id=smm_id(smm)))
        asked, together = [], desk.together

        def ask(key, read):
            asked.append(key)
            return together.ask(key, read)

        desk.together = SimpleNamespace(ask=ask)
        assert row_ids(refreshed(smm, "top=&ids=&mine=1&unread=1")) == [case_id]
        assert row_ids(refreshed(other, "top=&ids=&mine=1&unread=1")) == []
        refreshed(smm), refreshed(other)
        assert len(set(asked)) == 4  # the numbers, a list of each, and one of both


class TestCase:
    def test_the_whole_page_or_only_the_case(self, smm, open_case):
        case_id = open_case()
        whole, part = smm.get(f"/inbox/{case_id}").text, smm.get(f"/inbox/{case_id}", htmx=True).text
        assert 'id="views"' in whole
        assert 'id="case"' in whole
        assert 'id="views"' not in part
        assert part.lstrip().startswith("<article")

    def test_no_such_case(self, smm):
        assert smm.get("/inbox/77").status_code == 404
        assert "Такого обращения нет" in smm.get("/inbox/77").text

    def test_reasons_are_marked_in_the_text(self, smm, open_case):
        case_id = open_case("Личный кабинет не работает")
        page = smm.get(f"/inbox/{case_id}").text
        assert re.search(r"Личный кабинет <mark title=\"Говорит за «Жалоба»[^\"]*\">не работает</mark>", page)

    def test_a_wrong_span_is_not_marked(self, smm, open_case, database):
        case_id = open_case("Личный кабинет не работает")
        with database.write.begin() as session:
            session.scalars(select(Message)).one().text = "Уже всё хорошо, спасибо"
        assert "<mark" not in smm.get(f"/inbox/{case_id}").text

    def test_an_unsure_kind_offers_the_two_best(self, smm, open_case):
        page = smm.get(f"/inbox/{open_case('Сделайте... или нет')}").text
        assert "Вид не определён" in page
        assert "Пожелание 45 %" in page
        assert "Вопрос 4 %" in page

    def test_the_thread_is_nested_and_ours_is_ours(self, smm, cast, label_all, database):
        top = cast.write("Когда вебинар?", "Анна Яр")
        cast.write("Тоже жду", "Борис Лунин", parent_external_id=top.external_id, thread=top.external_id)
        label_all()
        page = smm.get(f"/inbox/{rows(database, Case)[0].id}").text
        assert page.index("msg-author") < page.index("msg-other")
        other = page[page.index("msg-other") :]
        assert "--depth: 1" in other[:200]

    def test_parents_in_a_circle_hide_nothing(self, smm, cast, label_all, database):
        cast.write("Когда вебинар?", "Анна Яр", external_id="x", parent_external_id="y", thread="x")
        cast.write("Вот и я думаю", "Борис Лунин", external_id="y", parent_external_id="x", thread="x")
        label_all()
        page = smm.get(f"/inbox/{rows(database, Case)[0].id}").text
        assert "Когда вебинар" in page
        assert "Вот и я думаю" in page

    def test_history_speaks_in_sentences(self, smm, open_case):
        case_id = open_case()
        smm.post(f"/inbox/{case_id}/close", reason="answered_in_thread")
        page = smm.get(f"/inbox/{case_id}").text
        assert "Закрыто: В ветке уже ответили" in page


class TestReply:
    def test_twice_the_same_form_is_one_act(self, smm, open_case, database):
        case_id = open_case()
        form = {"text": "В среду в 19:00", "form_key": "k1", "then": "solve", "version": "1"}
        first = smm.post(f"/inbox/{case_id}/reply", htmx=True, **form)
        second = smm.post(f"/inbox/{case_id}/reply", htmx=True, **form)
        assert (first.status_code, second.status_code) == (204, 204)
        assert "take-back" in first.headers["HX-Trigger"]
        assert len(rows(database, Reply)) == len(rows(database, Act)) == 1
        assert rows(database, Act)[0].state == "held"
        assert rows(database, Case)[0].state == "solved"

    def test_the_reply_stands_under_the_comment_with_its_state(self, smm, open_case):
        case_id = open_case()
        smm.post(f"/inbox/{case_id}/reply", text="В среду в 19:00", form_key="k1")
        page = smm.get(f"/inbox/{case_id}").text
        going = page[page.index("msg-going") :]
        assert "В среду в 19:00" in going
        assert "Отправляется" in going
        assert "Отменить отправку" in going

    def test_undo_brings_the_text_back(self, smm, open_case, database):
        case_id = open_case()
        smm.post(f"/inbox/{case_id}/reply", text="В среду", form_key="k1", then="wait")
        act = rows(database, Act)[0]
        answer = smm.post(f"/acts/{act.id}/take-back", htmx=True)
        assert answer.status_code == 204
        assert rows(database, Act)[0].state == "cancelled"
        assert ">В среду</textarea>" in smm.get(f"/inbox/{case_id}").text

    def test_a_changed_case_is_said_and_the_text_kept(self, smm, open_case, database):
        case_id = open_case()
        smm.post(f"/inbox/{case_id}/assign", staff_id="")
        with database.write.begin() as session:
            session.get_one(Case, case_id).version = 7
        answer = smm.post(f"/inbox/{case_id}/reply", htmx=True, text="Моё", form_key="k1", version="1")
        assert answer.status_code == 409
        assert answer.headers["HX-Reswap"] == "none"
        assert not rows(database, Reply)
        assert [draft.text for draft in rows(database, Draft)] == ["Моё"]

    @pytest.mark.parametrize(("text", "words"), [("  ", "Сначала напишите"), ("о" * 200_000, "площадка принимает")])
    def test_what_the_platform_cannot_take_is_refused(self, smm, open_case, text, words):
        case_id = open_case()
        answer = smm.post(f"/inbox/{case_id}/reply", text=text, form_key="k1")
        assert answer.status_code == 302
        assert words in smm.get("/inbox").text

    def test_a_draft_is_kept_and_forgotten(self, smm, open_case, database):
        case_id = open_case()
        assert smm.post(f"/inbox/{case_id}/draft", text="Начало").status_code == 204
        assert "Начало</textarea>" in smm.get(f"/inbox/{case_id}").text
        smm.post(f"/inbox/{case_id}/draft", text="")
        assert not rows(database, Draft)

    def test_a_failed_one_offers_to_repeat(self, smm, open_case, database):
        case_id = open_case()
        smm.post(f"/inbox/{case_id}/reply", text="В среду", form_key="k1")
        with database.write.begin() as session:
            act = session.scalars(select(Act)).one()
            act.state, act.error_code, act.error_text = "dead", "rights", "no permission"
        page = smm.get(f"/inbox/{case_id}").text
        assert "Отправить не удалось" in page
        assert "Нашей учётной записи там это нельзя" in page
        smm.post(f"/acts/{rows(database, Act)[0].id}/retry")
        assert rows(database, Act)[0].state == "queued"

    def test_an_unclear_one_asks_a_person(self, smm, open_case, database):
        case_id = open_case()
        smm.post(f"/inbox/{case_id}/reply", text="В среду", form_key="k1")
        with database.write.begin() as session:
            session.scalars(select(Act)).one().state = "review"
        page = smm.get(f"/inbox/{case_id}").text
        assert "Уже опубликовано" in page
        assert "Его там нет, отправить" in page
        smm.post(f"/acts/{rows(database, Act)[0].id}/confirm")
        assert rows(database, Act)[0].state == "accepted"

    def test_send_now_ends_the_wait(self, smm, open_case, database):
        case_id = open_case()
        smm.post(f"/inbox/{case_id}/reply", text="В среду", form_key="k1")
        before = rows(database, Act)[0].due_at
        smm.post(f"/acts/{rows(database, Act)[0].id}/now")
        assert rows(database, Act)[0].due_at < before

    def test_a_private_answer_is_called_so(self, smm, cast, label_all, database):
        cast.private("Когда вебинар?")
        label_all()
        page = smm.get(f"/inbox/{rows(database, Case)[0].id}").text
        assert "В личные сообщения" in page
        assert "Ответить под комментарием" not in page


class TestWork:
    def test_correcting_the_kind_is_one_click_and_kept(self, smm, open_case, database):
        case_id = open_case("Сделайте... или нет")
        message = rows(database, Message)[0]
        answer = smm.post(f"/inbox/{case_id}/label/{message.id}", htmx=True, label="complaint")
        assert answer.status_code == 204
        said = rows(database, Label)[-1]
        assert (said.label, said.weak, said.staff_id is not None) == ("complaint", False, True)
        assert "указал человек" in smm.get(f"/inbox/{case_id}").text

    def test_only_messages_of_the_case_are_labelled_through_it(self, smm, open_case, database):
        first = open_case("Когда вебинар?", "Анна Яр")
        open_case("А где ссылка?", "Борис Лунин", container="18", publication=None)
        stranger = rows(database, Message)[-1]
        assert smm.post(f"/inbox/{first}/label/{stranger.id}", htmx=True, label="spam").status_code == 404

    def test_a_question_goes_to_a_department_once(self, smm, open_case, database, cast):
        case_id = open_case()
        form = {"department_id": str(cast.departments["curators"]), "question": "Когда?", "form_key": "r1"}
        for _ in range(2):
            smm.post(f"/inbox/{case_id}/route", **form)
        assert len(rows(database, Route)) == 1
        page = smm.get(f"/inbox/{case_id}").text
        assert "Ждём отдел" in page
        assert "Отозвать вопрос" in page
        assert row_ids(smm.get(f"/inbox?department={cast.departments['curators']}").text) == [case_id]

    def test_an_answer_is_offered_to_the_composer(self, smm, open_case, database, cast):
        case_id = open_case()
        smm.post(f"/inbox/{case_id}/route", department_id=str(cast.departments["curators"]), question="Когда?",
                 form_key="r1")  # fmt: skip
        with database.write.begin() as session:
            answer_route(session, cast.curator, rows(database, Route)[0].id, "В среду в 19:00")
        page = smm.get(f"/inbox/{case_id}").text
        assert "Вставить в ответ" in page
        assert 'data-greeting="Здравствуйте, Анна!"' in page
        assert "Ответ пришёл" in smm.get("/inbox?lift=answer").text

    def test_what_the_author_asks_further_goes_to_them_again(self, smm, open_case, database, cast, label_all):
        case_id = open_case(parent_external_id="top", thread="top")
        unit = cast.departments["technical"]
        smm.post(f"/inbox/{case_id}/route", department_id=str(unit), question="Когда?", form_key="r1")
        with database.write.begin() as session:
            answer_route(session, cast.tech, rows(database, Route)[0].id, "В среду в 19:00")
        assert "Снова им же" not in smm.get(f"/inbox/{case_id}").text
        later = utc_now() + timedelta(minutes=1)
        cast.write("А в какой аудитории?", parent_external_id="top", thread="top", published_at=later)
        label_all()
        page = smm.get(f"/inbox/{case_id}").text
        assert "Снова им же" in page
        assert re.search(rf'name="department_id" value="{unit}" required checked', page)
        smm.post(f"/inbox/{case_id}/route", department_id=str(unit), question="Где?", form_key="r2")
        assert "Снова им же" not in smm.get(f"/inbox/{case_id}").text

    def test_a_case_with_an_open_question_does_not_close(self, smm, open_case, database, cast):
        case_id = open_case()
        smm.post(f"/inbox/{case_id}/route", department_id=str(cast.departments["curators"]), question="Когда?",
                 form_key="r1")  # fmt: skip
        assert smm.post(f"/inbox/{case_id}/close", htmx=True, reason="spam").status_code == 422
        smm.post(f"/inbox/{case_id}/routes/{rows(database, Route)[0].id}/recall")
        assert smm.post(f"/inbox/{case_id}/close", htmx=True, reason="spam").status_code == 204

    def test_a_note_is_written_once_and_seen_by_colleagues(self, smm, enter, open_case, database):
        case_id = open_case()
        for _ in range(2):
            smm.post(f"/inbox/{case_id}/note", text="Перезвонить", form_key="n1")
        assert len(rows(database, Note)) == 1
        assert "Перезвонить" in enter("head").get(f"/inbox/{case_id}").text

    def test_closing_and_opening_again(self, smm, open_case, database):
        case_id = open_case()
        answer = smm.post(f"/inbox/{case_id}/close", htmx=True, reason="no_answer_needed")
        assert "reopen" in answer.headers["HX-Trigger"]
        assert rows(database, Case)[0].stage == "closed"
        assert row_ids(smm.get("/inbox?stage=closed").text) == [case_id]
        smm.post(f"/inbox/{case_id}/reopen")
        assert rows(database, Case)[0].stage == "work"

    def test_closing_without_a_reason_is_refused(self, smm, open_case):
        assert smm.post(f"/inbox/{open_case()}/close", htmx=True, reason="tired").status_code == 422

    def test_what_a_platform_cannot_do_is_said_on_the_button(self, smm, open_case):
        page = smm.get(f"/inbox/{open_case()}").text
        for kind in ("hide", "spam", "delete", "ban", "like"):
            form = page[page.index(f"/{kind}") :].split("</form>")[0]
            able = kind in {act.value for act in channel_class("wordpress").can.acts}
            assert ("disabled" in form) is not able
            assert ("так не умеет" in form) is not able

    def test_moderation_goes_through_the_ledger(self, smm, open_case, database):
        case_id = open_case()
        message = rows(database, Message)[0]
        smm.post(f"/inbox/{case_id}/moderate/{message.id}/hide")
        acts = rows(database, Act)
        assert [(act.kind, act.state) for act in acts] == [("hide", "queued")]

    def test_moderation_is_taken_back_from_the_toast(self, smm, open_case, database):
        case_id = open_case()
        message = rows(database, Message)[0]
        told = smm.post(f"/inbox/{case_id}/moderate/{message.id}/spam", htmx=True).headers["HX-Trigger"]
        undo = json.loads(told)["otklik:toasts"]["toasts"][0]["undo"]
        assert undo.endswith("/moderate-back/published")
        smm.post(undo, htmx=True)
        assert [(act.kind, act.state) for act in rows(database, Act)] == [("spam", "cancelled")]
        told = smm.post(f"/inbox/{case_id}/moderate/{message.id}/delete", htmx=True).headers["HX-Trigger"]
        assert "undo" not in json.loads(told)["otklik:toasts"]["toasts"][0]

    @pytest.mark.parametrize(
        ("state", "offered"),
        [
            ("published", ["like", "hide", "spam", "delete", "ban"]),
            ("held", ["publish", "spam", "delete", "ban"]),
            ("spam", ["publish", "hide", "delete", "ban"]),
        ],
    )
    def test_what_is_offered_fits_how_the_message_stands(self, smm, open_case, database, state, offered):
        case_id = open_case()
        with database.write.begin() as session:
            session.scalars(select(Message)).one().state = state
        assert re.findall(r'action="[^"]*/moderate/\d+/(\w+)"', smm.get(f"/inbox/{case_id}").text) == offered

    def test_what_we_hid_can_be_published_before_it_is_read_back(self, smm, open_case, database):
        case_id = open_case()
        message = rows(database, Message)[0]
        smm.post(f"/inbox/{case_id}/moderate/{message.id}/spam")
        page = smm.get(f"/inbox/{case_id}").text
        assert f"/moderate/{message.id}/publish" in page
        assert "В спам" in page

    def test_reading_changes_nothing(self, smm, open_case, database):
        case_id = open_case()
        with database.read.begin() as session:
            before = last_event_id(session), session.scalar(select(func.sum(Case.version)))
        for address in ("/inbox", f"/inbox/{case_id}", "/rest", "/inbox/refresh?ids=1", "/inbox/rows"):
            smm.get(address)
        with database.read.begin() as session:
            assert before == (last_event_id(session), session.scalar(select(func.sum(Case.version))))


class TestRest:
    def test_praise_waits_there_and_is_read(self, smm, cast, label_all, database):
        cast.write("Спасибо за урок!", "Борис Лунин")
        label_all()
        page = smm.get("/rest").text
        assert "Спасибо за урок!" in page
        message = rows(database, Message)[0]
        assert smm.post("/rest/read", htmx=True, message_id=message.id).status_code == 204
        assert rows(database, Message)[0].read_at is not None
        assert "is-read" in smm.get("/rest").text

    def test_a_person_lifts_a_message(self, smm, cast, label_all, database):
        cast.write("Спасибо за урок!", "Борис Лунин")
        label_all()
        message = rows(database, Message)[0]
        answer = smm.post(f"/rest/{message.id}/lift", htmx=True)
        told = json.loads(answer.headers["HX-Trigger"])
        assert told["otklik:toasts"]["toasts"][0]["text"].startswith("Открыто обращение ОБ-")
        assert row_ids(smm.get("/inbox").text) == [rows(database, Case)[0].id]

    def test_a_correction_to_a_question_opens_a_case(self, smm, cast, label_all, database):
        cast.write("Спасибо за урок!", "Борис Лунин")
        label_all()
        smm.post(f"/rest/{rows(database, Message)[0].id}/label", label="question")
        assert len(rows(database, Case)) == 1

    def test_pages_by_key(self, smm, cast, label_all):
        for number in range(40):
            cast.write(f"Спасибо {number}!", f"Зритель {number}")
        label_all()
        page = smm.get("/rest").text
        more = re.search(r'hx-get="([^"]*before=[^"]*)"', page).group(1).replace("&amp;", "&")
        first, second = (
            set(re.findall(r'id="rest-(\d+)"', text)) for text in (page, smm.get(more, htmx=True).text)
        )
        assert (len(first), len(second), first & second) == (30, 10, set())
