"""An account of a messenger becomes somebody's, brings them questions, and what they reply there is the answer."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from collectors import CHANNELS, channel_class
from collectors.base import ChannelError
from models import (
    Case,
    Delivery,
    Event,
    MessengerAccount,
    Notice,
    OneTimeLink,
    Staff,
    utc_now,
)
from services.accounts import set_active
from services.bots import MESSENGERS, accounts_of, bots_of, keep_bot, reach_of
from services.choices import run_pass, save_choices, send_test
from services.deliveries import BOT_PAUSES
from services.errors import Forbidden, NotFound, Refused
from services.letters import fitted, letter_writer, short_words, veiled, words
from services.messengers import WORD, moved_lately, start_link, ties_of, unbind
from services.notices import notices_of
from services.reports.cut import Cut
from services.reports.morning import morning
from services.ways import choices_of, ways_of
from tests.services.talking import CURATOR, STRANGER, Bot, count, route
from tests.services.test_deliveries import later

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


def unreached(session, cast) -> tuple[tuple[str, str], ...]:
    today = utc_now().date()
    return morning(session, cast.head, Cut(today, today, "Europe/Moscow"), utc_now()).undelivered


def kinds(database) -> list[str]:
    with database.read.begin() as session:
        query = select(Event.kind).where(Event.kind.like("messenger.%")).order_by(Event.id)
        return list(session.scalars(query))


# binding


def test_a_press_makes_the_account_theirs_and_questions_come_there(bot, cast, database, send, messenger) -> None:
    word = bot.link()
    assert bot.owner() is None
    assert bot.press(word) == []
    assert bot.owner() == cast.curator.staff_id
    assert kinds(database) == ["messenger.link", "messenger.bound"]
    assert send() == 1
    assert messenger.letters[0][0] == CURATOR
    assert "Олег, готово" in messenger.letters[0][2]
    assert "Вопросы вашему отделу придут сюда" in messenger.letters[0][2]
    with database.read.begin() as session:
        staff = session.get_one(Staff, cast.curator.staff_id)
        assert ways_of(session, staff, "question") == (bot.platform,)
        assert session.scalars(select(OneTimeLink)).one().digest not in word
        assert [tie.works for tie in ties_of(session, staff.id)] == [True]


def test_a_press_told_twice_is_one(bot, database, send, messenger) -> None:
    word = bot.link()
    for _ in range(3):
        assert bot.press(word, external_id="u1") == []
    assert (count(database, MessengerAccount), count(database, Delivery)) == (1, 1)


def test_an_old_a_spent_and_a_strange_word(bot, cast, database, send, messenger) -> None:
    spent = bot.link()
    bot.press(spent)
    send()
    assert bot.press(spent, STRANGER) == []  # somebody else presses what the curator has used
    send()
    assert (messenger.letters[-1][0], "не действует" in messenger.letters[-1][2]) == (STRANGER, True)
    old, voided = bot.link(cast.tech), bot.link(cast.smm)
    bot.link(cast.smm)
    with time_machine.travel(utc_now() + timedelta(minutes=16), tick=False):
        assert bot.press(old, "7003") == []
    assert bot.press(voided, "7004") == []
    assert bot.press(WORD + "A" * 32, "7005") == []
    assert bot.press(WORD, "7006") == []
    assert [bot.owner(one) for one in (STRANGER, "7003", "7004", "7005", "7006")] == [None] * 5
    before = len(messenger.letters)
    later(database)
    send()
    assert {letter[0] for letter in messenger.letters[before:]} == {"7003", "7004"}  # nobody's word: no answer


def test_one_account_is_one_persons_and_a_new_one_replaces_it(bot, cast, database, send, messenger) -> None:
    bot.bind()
    assert bot.press(bot.link(cast.tech)) == []
    assert bot.owner() == cast.curator.staff_id
    send()
    assert "другому сотруднику" in messenger.letters[-1][2]
    bot.bind(account="7002")
    assert (bot.owner(), bot.owner("7002")) == (None, cast.curator.staff_id)
    assert len(bot.say("Здравствуйте, это снова я")) == 1  # not theirs any more: a message like any other


def test_a_second_messenger_brings_nothing_twice(cast, database, ask, send, messenger, box) -> None:
    for platform in ("telegram", "max"):
        Bot(cast, database, platform).bind()
    send()
    assert ["Вопросы вашему отделу" in text for _to, _subject, text, _token in messenger.letters] == [True, False]
    ask(urgent=True)
    assert send() == 1
    assert box.letters == []


def test_who_may_make_a_link_and_end_an_account(bot, cast, database) -> None:
    word = bot.link(cast.head, cast.curator.staff_id)
    with time_machine.travel(utc_now() + timedelta(hours=20), tick=False):  # a handed one lives for a day
        bot.press(word)
    assert bot.owner() == cast.curator.staff_id
    with database.write.begin() as session:
        for actor in (cast.smm, cast.tech):
            with pytest.raises(Forbidden):
                start_link(session, actor, cast.curator.staff_id, bot.platform)
            with pytest.raises(Forbidden):
                unbind(session, actor, cast.curator.staff_id, bot.platform)
        with pytest.raises(NotFound):
            start_link(session, cast.head, 999, bot.platform)
        with pytest.raises(Refused):
            start_link(session, cast.curator, cast.curator.staff_id, "vk")
        unbind(session, cast.head, cast.curator.staff_id, bot.platform)
        unbind(session, cast.head, cast.curator.staff_id, bot.platform)
    assert bot.owner() is None
    assert kinds(database).count("messenger.ended") == 1
    with database.read.begin() as session:
        staff = session.get_one(Staff, cast.curator.staff_id)
        assert ways_of(session, staff, "question") == ("mail",)
        assert not choices_of(staff).wants("question", bot.platform)


def test_whoever_is_switched_off_is_bound_no_more(bot, cast, database, ask, send, messenger) -> None:
    bot.bind()
    word = bot.link()
    with database.write.begin() as session:
        set_active(session, cast.head, cast.curator.staff_id, False)
    assert bot.owner() is None
    assert bot.press(word) == []
    assert bot.owner() is None
    with database.write.begin() as session:
        set_active(session, cast.head, cast.curator.staff_id, True)
    assert bot.owner() is None


def test_another_bot_knows_nobody(bot, cast, database, ask, send, messenger, box) -> None:
    bot.bind()
    send()
    with database.write.begin() as session:
        other = cast.add_source(session, bot.platform).id
        keep_bot(session, cast.head, bot.platform, other, "other_bot")
    with database.read.begin() as session:
        assert reach_of(session, cast.curator.staff_id) == {}
        assert list(accounts_of(session, cast.curator.staff_id)) == [bot.platform]
        assert [tie.works for tie in ties_of(session, cast.curator.staff_id)] == [False]
    ask(urgent=True)
    send()
    assert [letter[0] for letter in box.letters] == ["curator@school.example"]
    with database.write.begin() as session:
        keep_bot(session, cast.head, bot.platform, None, "")
        assert bots_of(session) == {}


# sending


def test_a_question_is_short_and_carries_no_contacts_and_no_sums(bot, ask, send, messenger, box) -> None:
    bot.bind()
    ask("Вернут ли 4 900 ₽ и 5 тысяч? anna@home.example, +7 912 345-67-89", urgent=True)
    send()
    (to, _subject, text, _token) = messenger.letters[-1]
    assert to == CURATOR
    assert text.startswith("Вопрос для вас\n\nВернут ли ••• и •••?")
    for said in ("Срочно.", "Спрашивает Дарья Лис", "Открыть вопросы: https://desk.example/a/", "смахните"):
        assert said in text, said
    for hidden in ("4 900", "912 345", "anna@", "Анна", "Здравствуйте", "Отклик"):
        assert hidden not in text, hidden
    assert box.letters == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Вернут 4 900 ₽?", "Вернут •••?"),
        ("за 5тыс. или 100 $", "за •••. или •••"),
        ("до 17:00 в группе 12", "до 17:00 в группе 12"),
        ("https://desk.example/a/89123456789abc 8 912 345-67-89", "https://desk.example/a/89123456789abc •••"),
    ],
)
def test_what_is_veiled(text, shown) -> None:
    assert veiled(text) == shown


def test_several_questions_are_five_and_a_number_of_others(bot, ask, send, database, messenger) -> None:
    bot.bind()
    for number in range(7):
        ask(f"Вопрос номер {number}?")
    later(database)
    send()
    text = messenger.letters[-1][2]
    assert text.startswith("Вопросы для вас: 5")
    assert "5. Вопрос номер 4?" in text
    assert "ждут ответа: 2" in text
    assert len(text) <= 3500


def test_the_longest_question_fits(bot, ask, send, messenger) -> None:
    bot.bind()
    ask("Очень длинный вопрос. " * 170, urgent=True)
    send()
    assert len(messenger.letters[-1][2]) < 2500
    assert "https://desk.example/a/" in messenger.letters[-1][2]


def test_whoever_blocked_the_bot_is_asked_by_mail_and_stands_on_the_morning(
    bot, cast, ask, send, database, messenger, box
) -> None:
    bot.bind()
    send()
    messenger.fail = ChannelError("Forbidden: bot was blocked by the user", code="closed", permanent=True)
    ask("Когда проверят?", urgent=True)
    assert [send(), send()] == [1, 1]
    assert [letter[0] for letter in box.letters] == ["curator@school.example"]
    assert "Когда проверят?" in box.letters[0][2]
    with database.read.begin() as session:
        columns = (Delivery.channel, Delivery.state, Delivery.error_code)
        states = session.execute(select(*columns).order_by(Delivery.id))
        assert [tuple(row) for row in states][1:] == [(bot.platform, "dead", "closed"), ("mail", "sent", None)]
        assert unreached(session, cast) == (("Олег Сомов", bot.platform),)
    with database.write.begin() as session:
        unbind(session, cast.curator, cast.curator.staff_id, bot.platform)
    with database.read.begin() as session:
        assert unreached(session, cast) == ()


def test_trouble_of_the_messenger_holds_up_no_mail_and_ends_in_one(
    bot, cast, ask, send, database, messenger, box
) -> None:
    bot.bind()
    send()
    messenger.fail = ChannelError("no", code="network")
    ask("Первый?", urgent=True)
    with database.write.begin() as session:
        send_test(session, cast.smm)
    assert send() == 2
    assert [letter[0] for letter in box.letters] == ["smm@school.example"]
    for _ in BOT_PAUSES:
        later(database)
        send()
    later(database)
    send()
    assert [letter[0] for letter in box.letters] == ["smm@school.example", "curator@school.example"]
    assert "Первый?" in box.letters[-1][2]


def test_too_often_waits_as_long_as_it_was_told(bot, database, send, messenger) -> None:
    bot.bind()
    messenger.fail = ChannelError("Too Many Requests", code="rate", retry_after=37)
    now = utc_now()
    with time_machine.travel(now, tick=False):
        assert send() == 1
    with database.read.begin() as session:
        row = session.scalars(select(Delivery)).one()
        assert (row.state, row.error_code) == ("queued", "rate")
        assert abs((row.due_at - now).total_seconds() - 37) < 1


def test_a_sender_that_died_sends_again_and_the_second_can_be_answered(bot, ask, database, send, messenger) -> None:
    bot.bind()
    route_id = ask(urgent=True)
    with database.write.begin() as session:
        for row in session.scalars(select(Delivery)):
            row.state, row.lease_until, row.attempts = "sending", utc_now() - timedelta(seconds=1), 1
    assert send() == 2
    assert bot.say("Завтра.", parent_external_id="1002") == []
    assert route(database, route_id).answer == "Завтра."


def test_each_event_by_each_channel(bot, cast, database, ask, send, messenger, box) -> None:
    bot.bind(cast.smm)
    send()
    ask()
    later(database)
    send()
    box.letters.clear()
    with database.write.begin() as session:
        save_choices(session, cast.smm, [("task", "mail"), ("task", bot.platform), ("call", bot.platform)], None)
        case_id = session.scalar(select(Case.id))
        for kind in ("task.due", "note.mention", "first.1"):
            session.add(Notice(staff_id=cast.smm.staff_id, kind=kind, case_id=case_id, show_at=utc_now()))
    run_pass(database)
    later(database)
    send()
    assert ["Задача" in text for _to, _subject, text, _token in box.letters] == [True]
    text = messenger.letters[-1][2]
    assert text.startswith("Уведомления: 2")
    assert ("Задача" in text, "Вас зовут" in text, "Срок:" in text) == (True, True, False)


def test_a_test_goes_only_where_it_arrives(bot, cast, database, send, messenger) -> None:
    with database.write.begin() as session, pytest.raises(Refused):
        send_test(session, cast.curator, bot.platform)
    bot.bind()
    with database.write.begin() as session:
        send_test(session, cast.curator, bot.platform)
    send()
    assert "Проверка: уведомления стола придут сюда." in messenger.letters[-1][2]


def test_five_of_the_longest_questions_leave_the_link_whole(bot, ask, send, database, messenger) -> None:
    bot.bind()
    for number in range(6):
        ask(f"{number}: " + "очень длинный вопрос. " * 100)
    later(database)
    send()
    text = messenger.letters[-1][2]
    assert len(text) <= 3500
    assert text.rpartition("\n\n")[2].startswith("Открыть вопросы: https://desk.example/a/")
    assert "5. 4: очень" in text


@pytest.mark.parametrize("lengths", [[10], [4000], [3000, 3000, 60], [100] * 60, [3499, 1]])
def test_paragraphs_are_cut_where_they_are_longest(lengths) -> None:
    parts = fitted(["x" * length for length in lengths])
    assert len("\n\n".join(parts)) <= 3500
    assert len(parts) == len(lengths)


def test_messengers_are_the_channels_that_have_bots() -> None:
    assert set(MESSENGERS) == {kind for kind in CHANNELS if channel_class(kind).can.bot}


def test_both_languages_say_the_same() -> None:
    for said in (words(), short_words()):
        assert set(said["ru"]) == set(said["en"])


def letters_of(database, kind: str) -> list[tuple[int, str, str]]:
    with database.read.begin() as session:
        rows = session.scalars(select(Delivery).where(Delivery.kind == kind).order_by(Delivery.id))
        return [(row.staff_id, row.channel, row.data.get("code", "")) for row in rows]


def test_another_account_in_place_of_one_is_told_by_mail_and_to_who_keeps_the_staff(bot, cast, database) -> None:
    bot.bind()
    assert letters_of(database, "moved") == []
    bot.bind(account=STRANGER)
    assert bot.owner(STRANGER) == cast.curator.staff_id
    assert letters_of(database, "moved") == [(cast.curator.staff_id, "mail", "changed")]
    with database.read.begin() as session:
        notices = session.scalars(select(Notice).where(Notice.kind == "messenger.moved")).all()
        assert [one.staff_id for one in notices] == [cast.head.staff_id]
        assert [line.notice.kind for line in notices_of(session, cast.head)] == ["messenger.moved"]
        assert len(moved_lately(session)) == 1
        row = session.scalars(select(Delivery).where(Delivery.kind == "moved")).one()
        for address in ("https://desk.example", None):
            letter = letter_writer(address, "Europe/Moscow")(
                session, row, session.get_one(Staff, row.staff_id), False
            )
            assert "другой аккаунт: Олег" in letter.text


def test_an_account_that_was_another_s_is_told_to_them_too(bot, cast, database) -> None:
    bot.bind()
    with database.write.begin() as session:
        unbind(session, cast.curator, cast.curator.staff_id, bot.platform)
    bot.bind(cast.smm)
    assert letters_of(database, "moved") == [(cast.curator.staff_id, "mail", "left")]
    with database.read.begin() as session:
        assert list(moved_lately(session)) == [accounts_of(session, cast.smm.staff_id)[bot.platform].id]
        kinds_ = session.scalars(select(Event.kind).where(Event.kind == "messenger.moved")).all()
        assert len(kinds_) == 1
    with time_machine.travel(utc_now() + timedelta(days=15)), database.read.begin() as session:
        assert moved_lately(session) == {}


def test_one_s_own_account_tied_anew_is_no_news(bot, cast, database) -> None:
    bot.bind()
    with database.write.begin() as session:
        unbind(session, cast.curator, cast.curator.staff_id, bot.platform)
    bot.bind()
    assert letters_of(database, "moved") == []
    with database.read.begin() as session:
        assert moved_lately(session) == {}
