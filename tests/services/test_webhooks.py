"""Web hooks: queued with the act, ids and codes alone, signed, at least once, again for a day, then off."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from itertools import pairwise

import pytest
import time_machine
from sqlalchemy import select

from collectors.webhook import Told
from collectors.wire import Guard
from models import Act, Case, Event, Notice, Webhook, WebhookCall, WebhookTry, utc_now
from services import cases, routing
from services.errors import Forbidden, NotFound, Refused
from services.notices import notices_of
from services.outcomes import record_receipt
from services.outreach import begin, way_to_publication
from services.parting import split_off
from services.replies import write_reply
from services.secrets import open_keyring
from services.settings.known import Tools, look, take_back
from services.webhook_calls import DAY, KEPT, run_forget, run_webhooks
from services.webhooks import (
    KINDS,
    MOST_HOOKS,
    add_hook,
    calls_of,
    check_url,
    drop_hook,
    dropped_hooks,
    edit_hook,
    list_hooks,
    renew_secret,
    send_again,
    send_test,
    switch_hook,
)
from tests.services.test_cases import label_all
from web.api_words import CALL_STATES, EVENTS, TROUBLES

URL = "https://robot.example/otklik"


class Robot:
    """Whoever is told: keeps what came, answers as told, and checks the signature as the standard says."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict, bytes]] = []
        self.answers: dict[str, Told] = {}
        self.dies = False

    def __call__(self, url, headers, body):
        self.heard.append((url, dict(headers), body))
        if self.dies:
            raise KeyboardInterrupt  # the worker is killed after the address has heard
        return self.answers.get(url, Told(204))

    def kinds(self) -> list[str]:
        return [json.loads(body)["type"] for _url, _headers, body in self.heard]


@pytest.fixture
def robot() -> Robot:
    return Robot()


@pytest.fixture
def keyring(tmp_path):
    return open_keyring(tmp_path / "key")


@pytest.fixture
def run(database, keyring, robot):
    return lambda: run_webhooks(database, keyring, robot)


@pytest.fixture
def hook(database, cast, keyring):
    def _hook(*events: str, url: str = URL) -> tuple[int, str]:
        with database.write.begin() as session:
            row, secret = add_hook(session, cast.head, keyring, Guard(), "Робот", url, events or tuple(KINDS))
            return row.id, secret

    return _hook


@pytest.fixture
def open_case(database, cast):
    def _open_case(text="Когда урок? Мой телефон +7 912 345-67-89", author="Анна Яр") -> int:
        cast.write(text, author)
        label_all(database)
        with database.read.begin() as session:
            return session.scalars(select(Case.id).order_by(Case.id.desc()).limit(1)).one()

    return _open_case


def calls(database) -> list[WebhookCall]:
    with database.read.begin() as session:
        return list(session.scalars(select(WebhookCall).order_by(WebhookCall.id)))


def state_of(database, webhook_id) -> Webhook:
    with database.read.begin() as session:
        return session.get_one(Webhook, webhook_id)


def test_the_tables_speak_the_same_words() -> None:
    assert set(KINDS) | {"webhook.test"} == set(EVENTS)
    assert {"queued", "sending", "sent", "dead", "cancelled"} == set(CALL_STATES)
    assert {"address", "dns", "refused", "tls", "timeout", "network", "key"} == set(TROUBLES)


def test_a_day_of_a_case_is_told_by_ids_and_codes(database, cast, hook, robot, run, open_case) -> None:
    hook()
    case_id = open_case()
    with database.write.begin() as session:
        route = routing.ask_department(session, cast.smm, case_id, cast.departments["curators"], "Когда?", "q")
        route_id = route.id
    with database.write.begin() as session:
        routing.answer_route(session, cast.curator, route_id, "Завтра, звоните Анне.")
    with database.write.begin() as session:
        reply_id = write_reply(session, cast.smm, case_id, "Завтра, Анна.", "r", undo_seconds=0).id
    with database.write.begin() as session:
        cases.reopen_case(session, cast.smm, case_id)
    assert run() == 8
    told = {one["type"]: one["data"] for one in (json.loads(body) for _u, _h, body in robot.heard)}
    assert set(told) == {
        "case.opened", "message.received", "case.assigned", "route.asked", "route.answered", "case.closed",
        "reply.written", "case.reopened",
    }  # fmt: skip
    assert told["case.opened"]["case_id"] == case_id
    assert told["case.opened"]["case_number"].startswith("ОБ-")
    assert told["route.answered"]["department"] == "curators"
    assert told["reply.written"]["reply_id"] == reply_id
    assert told["case.closed"]["reason"] == "answered"
    whole = b"".join(body for _u, _h, body in robot.heard).decode()
    for words in ("Анна", "912 345", "Когда", "Завтра", "Дарья"):
        assert words not in whole, words


def test_a_reply_that_was_taken_is_told_and_other_acts_are_not(database, cast, hook, robot, run, open_case) -> None:
    from collectors.base import Receipt

    hook("reply.sent")
    case_id = open_case()
    with database.write.begin() as session:
        write_reply(session, cast.smm, case_id, "Завтра.", "r", undo_seconds=0)
    with database.write.begin() as session:
        act = session.scalars(select(Act)).one()
        act.state, act.attempt = "sending", 1
        session.flush()
        record_receipt(session, act, Receipt("c-900", "https://blog.example/900"))
    run()
    assert robot.kinds() == ["reply.sent"]
    data = json.loads(robot.heard[0][2])["data"]
    assert (data["act_state"], data["reply_id"]) == ("accepted", 1)


def test_the_authors_next_message_is_told(database, cast, hook, robot, run, open_case) -> None:
    case_id = open_case()
    hook("message.received", "case.reopened")
    cast.write("А когда второй урок?")
    label_all(database)
    with database.write.begin() as session:
        cases.close(session, cast.smm, case_id, "other")
    cast.write("И когда третий?")
    label_all(database)
    run()
    assert robot.kinds().count("message.received") == 2
    ids = [
        json.loads(body)["data"].get("message_id") for _u, _h, body in robot.heard if b"message.received" in body
    ]
    assert ids == [2, 3]


def test_where_we_write_first_nobody_wrote(database, cast, hook, robot, run, open_case) -> None:
    case_id = open_case()
    hook("case.opened", "message.received", "reply.written")
    with database.write.begin() as session:
        publication_id = session.get_one(Case, case_id).publication_id
        way = way_to_publication(session, cast.smm, publication_id)
        ours = begin(session, cast.smm, [way], way.key)
        write_reply(session, cast.smm, ours.id, "Запись вебинара уже в кабинете.", "r", undo_seconds=0)
    run()
    assert sorted(robot.kinds()) == ["case.opened", "reply.written"]


def test_a_case_that_is_split_off_brings_no_message(database, cast, hook, robot, run, open_case) -> None:
    case_id = open_case("Когда урок? И почему не работает сайт?")
    hook("case.opened", "message.received")
    with database.write.begin() as session:
        message_id = session.get_one(Case, case_id).first_message_id
        split_off(session, cast.smm, case_id, message_id, "почему не работает сайт?", "s", None)
    run()
    assert robot.kinds() == ["case.opened"]


def test_what_is_rolled_back_is_not_told(database, cast, hook, open_case) -> None:
    case_id = open_case()
    hook()
    with database.write() as session:
        cases.close(session, cast.smm, case_id, "other")
        session.flush()
        session.rollback()
    assert calls(database) == []


def test_only_chosen_events_go_and_only_to_who_is_switched_on(database, cast, hook, robot, run, open_case) -> None:
    hook("case.closed")
    off, _secret = hook("case.opened", url="https://off.example/")
    with database.write.begin() as session:
        switch_hook(session, cast.head, off, False)
    case_id = open_case()
    assert calls(database) == []
    with database.write.begin() as session:
        cases.close(session, cast.smm, case_id, "other")
    run()
    assert robot.kinds() == ["case.closed"]


def test_it_is_signed_as_the_standard_says(database, cast, hook, robot, run, keyring) -> None:
    webhook_id, secret = hook()
    assert secret not in state_of(database, webhook_id).secret
    with database.write.begin() as session:
        send_test(session, cast.head, webhook_id)
    run()
    _url, headers, body = robot.heard[0]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    good = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{good}"
    assert abs(int(headers["webhook-timestamp"]) - utc_now().timestamp()) < 30
    with database.write.begin() as session:
        _hook, newer = renew_secret(session, cast.head, keyring, webhook_id)
    assert newer != secret


def test_the_example_of_the_standard_itself() -> None:
    # https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    from services.webhook_calls import sign

    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    assert sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_it_goes_again_under_the_same_id_with_growing_pauses(database, hook, robot, run, open_case) -> None:
    webhook_id, _secret = hook("case.opened")
    robot.answers[URL] = Told(500, "занят")
    start = utc_now()
    open_case()
    times = []
    with time_machine.travel(start, tick=False) as clock:
        while calls(database)[0].state == "queued":
            clock.move_to(max(calls(database)[0].due_at, utc_now()))
            assert run() == 1
            times.append((utc_now() - start).total_seconds())
    pauses = [round(later - before) for before, later in pairwise(times)]
    assert pauses[:-1] == sorted(pauses[:-1])
    assert DAY.total_seconds() <= times[-1] < DAY.total_seconds() + 60
    assert len({headers["webhook-id"] for _u, headers, _b in robot.heard}) == 1
    assert len({headers["webhook-timestamp"] for _u, headers, _b in robot.heard}) == len(times)
    assert len({body for _u, _h, body in robot.heard}) == 1
    assert state_of(database, webhook_id).state == "failed"


def test_after_a_day_it_is_switched_off_and_the_administrator_hears(
    database, cast, hook, robot, run, open_case
) -> None:
    webhook_id, _secret = hook("case.opened")
    robot.answers[URL] = Told(None, code="refused")
    open_case()
    run()
    with time_machine.travel(utc_now() + DAY + timedelta(minutes=1), tick=False):
        open_case("Когда второй?", "Пётр")
        assert run() == 1
        assert state_of(database, webhook_id).state == "failed"
        assert {one.state for one in calls(database)} == {"dead"}
        open_case("Когда третий?", "Ольга")
        assert len(calls(database)) == 2
    with database.write.begin() as session:
        assert session.scalars(select(Event).where(Event.kind == "webhook.failed")).one().data["code"] == "refused"
        assert session.scalars(select(Notice.staff_id)).all() == [cast.head.staff_id]
        later = utc_now() + timedelta(days=3)
        assert [line.notice.kind for line in notices_of(session, cast.head, later)] == ["webhook.failed"]
        with pytest.raises(Refused):
            send_again(session, cast.head, 1)
        switch_hook(session, cast.head, webhook_id, True)
        send_again(session, cast.head, 1)
    robot.answers.clear()
    assert run() == 1
    assert [one.state for one in calls(database)] == ["sent", "dead"]
    assert state_of(database, webhook_id).failing_since is None


def test_one_that_gets_there_now_and_then_is_not_switched_off(database, hook, robot, run, open_case) -> None:
    webhook_id, _secret = hook("case.opened")
    robot.answers[URL] = Told(500)
    open_case()
    run()
    robot.answers.clear()
    with time_machine.travel(utc_now() + timedelta(hours=20), tick=False):
        open_case("Когда второй?", "Пётр")
        run()
        assert state_of(database, webhook_id).failing_since is None
    with time_machine.travel(utc_now() + timedelta(hours=30), tick=False):
        robot.answers[URL] = Told(500)
        open_case("Когда третий?", "Ольга")
        run()
    assert state_of(database, webhook_id).state == "on"


def test_whoever_is_gone_is_told_nothing_more(database, hook, robot, run, open_case) -> None:
    webhook_id, _secret = hook("case.opened")
    robot.answers[URL] = Told(410)
    open_case()
    run()
    assert state_of(database, webhook_id).state == "failed"


def test_a_worker_killed_in_the_middle_is_made_good_under_the_same_id(
    database, hook, robot, run, open_case
) -> None:
    hook("case.opened")
    open_case()
    robot.dies = True
    with pytest.raises(KeyboardInterrupt):
        run()
    robot.dies = False
    assert run() == 0  # its lease is not over
    with time_machine.travel(utc_now() + timedelta(minutes=6), tick=False):
        assert run() == 1
    first, second = (headers["webhook-id"] for _u, headers, _b in robot.heard)
    assert first == second
    assert calls(database)[0].state == "sent"


def test_a_late_sender_changes_nothing(database, keyring, hook, robot, run, open_case) -> None:
    hook("case.opened")
    open_case()

    def slow(url, headers, body):
        with time_machine.travel(utc_now() + timedelta(minutes=6), tick=False):
            run()  # another takes it over, and is heard
        return Told(500)

    run_webhooks(database, keyring, slow)
    call = calls(database)[0]
    assert (call.state, call.attempts) == ("sent", 2)


def test_one_address_that_fails_keeps_nobody_waiting(database, hook, robot, run, open_case) -> None:
    hook("case.opened", url="https://bad.example/")
    hook("case.opened")
    robot.answers["https://bad.example/"] = Told(None, code="timeout")
    for number in range(3):
        open_case(f"Когда урок {number}?", f"Автор {number}")
    run()
    assert [url for url, _h, _b in robot.heard].count("https://bad.example/") == 1
    assert [url for url, _h, _b in robot.heard].count(URL) == 3


def test_a_test_is_one_attempt_and_says_nothing_of_the_address(database, cast, hook, robot, run) -> None:
    webhook_id, _secret = hook()
    robot.answers[URL] = Told(404, "нет такого " * 100)
    with database.write.begin() as session:
        switch_hook(session, cast.head, webhook_id, False)
        send_test(session, cast.head, webhook_id)
    run()
    with database.read.begin() as session:
        [(call, tries)] = calls_of(session, cast.head, webhook_id)
        assert (call.state, tries[0].status, len(tries[0].answer)) == ("dead", 404, 300)
    assert state_of(database, webhook_id).failing_since is None


def test_what_was_heard_can_be_sent_again_under_its_id(database, cast, hook, robot, run, open_case) -> None:
    hook("case.opened")
    open_case()
    run()
    for _ in range(2):
        with database.write.begin() as session:
            send_again(session, cast.head, 1)
    run()
    assert len({headers["webhook-id"] for _u, headers, _b in robot.heard}) == 1
    assert len(robot.heard) == 2
    with database.read.begin() as session:
        assert [one.number for one in session.scalars(select(WebhookTry).order_by(WebhookTry.id))] == [1, 2]


def test_what_waits_is_given_up_with_its_address(database, cast, hook, robot, run, open_case) -> None:
    webhook_id, _secret = hook("case.opened")
    open_case()
    with database.write.begin() as session:
        drop_hook(session, cast.head, webhook_id)
    assert run() == 0
    assert calls(database)[0].state == "cancelled"
    assert state_of(database, webhook_id).secret == ""
    with database.read.begin() as session:
        assert list_hooks(session, cast.head) == []
        with pytest.raises(NotFound):
            calls_of(session, cast.head, webhook_id)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://robot.example/", "address"), ("ftp://robot.example/", "address"), ("https://", "address"),
        ("robot.example", "address"), ("https://a:b@robot.example/", "address"),
        ("https://robot.example/#x", "address"), ("https://robot.example/ x", "address"),
        ("https://robot.example:port/", "address"), ("https://[::1", "address"), ("https://..рф/", "address"),
        ("https://robot.example/" + "x" * 2000, "address"), ("https://робот.рф/путь", "address"),
        ("https://127.0.0.1/", "private"), ("https://10.0.0.5:8443/", "private"), ("https://[::1]/", "private"),
        ("https://[::ffff:10.0.0.1]/", "private"), ("https://169.254.169.254/", "private"),
        ("https://localhost/", "private"), ("https://100.64.0.1/", "private"), ("https://①②⑦.0.0.1/", "private"),
    ],
)  # fmt: skip
def test_an_address_that_may_not_be_told(url, code) -> None:
    with pytest.raises(Refused) as refused:
        check_url(url, Guard())
    assert refused.value.code == f"webhook.{code}"


def test_an_inner_address_that_the_configuration_names_may_be_told() -> None:
    guard = Guard(allow_private=frozenset({"10.0.0.5:8443"}))
    assert check_url(" https://10.0.0.5:8443/x ", guard) == "https://10.0.0.5:8443/x"
    assert check_url("https://робот.рф:8443/x", guard) == "https://xn--90azbfn.xn--p1ai:8443/x"


def test_what_is_not_said_right_is_refused(database, cast, hook, keyring) -> None:
    with database.write.begin() as session:
        for name, events, code in (
            ("", ("case.opened",), "name"),
            ("Р", (), "events"),
            ("Р", ("case.eaten",), "events"),
        ):
            with pytest.raises(Refused) as refused:
                add_hook(session, cast.head, keyring, Guard(), name, URL, events)
            assert refused.value.code == f"webhook.{code}"
    webhook_id, _secret = hook()
    with database.write.begin() as session:
        edit_hook(session, cast.head, Guard(), webhook_id, "Другой", "https://other.example/", ["case.closed"])
    assert state_of(database, webhook_id).events == ["case.closed"]
    for _ in range(MOST_HOOKS - 1):
        hook()
    with pytest.raises(Refused):
        hook()


def test_it_is_the_administrators(database, cast, hook, keyring) -> None:
    webhook_id, _secret = hook()
    with database.write.begin() as session:
        for act in (
            lambda: list_hooks(session, cast.smm), lambda: calls_of(session, cast.smm, webhook_id),
            lambda: add_hook(session, cast.smm, keyring, Guard(), "Р", URL, ["case.opened"]),
            lambda: edit_hook(session, cast.smm, Guard(), webhook_id, "Р", URL, ["case.opened"]),
            lambda: renew_secret(session, cast.smm, keyring, webhook_id), lambda: send_again(session, cast.smm, 1),
            lambda: switch_hook(session, cast.smm, webhook_id, False),
            lambda: drop_hook(session, cast.smm, webhook_id),
            lambda: send_test(session, cast.smm, webhook_id), lambda: dropped_hooks(session, cast.smm),
            lambda: look(session, cast.smm, f"hook:{webhook_id}"),
            lambda: take_back(session, cast.smm, f"hook:{webhook_id}", 1, Tools(keyring, Guard())),
        ):  # fmt: skip
            with pytest.raises(Forbidden):
                act()


def test_a_secret_that_cannot_be_opened_is_told_of(database, hook, robot, open_case, tmp_path) -> None:
    hook("case.opened")
    open_case()
    run_webhooks(database, open_keyring(tmp_path / "other"), robot)
    assert robot.heard == []
    with database.read.begin() as session:
        assert session.scalars(select(WebhookTry.code)).one() == "key"


def test_the_log_is_kept_for_a_month(database, hook, robot, run, open_case) -> None:
    hook("case.opened")
    open_case()
    run()
    assert run_forget(database) == 0
    with time_machine.travel(utc_now() + KEPT + timedelta(minutes=1), tick=False):
        assert run_forget(database) == 1
    assert calls(database) == []
