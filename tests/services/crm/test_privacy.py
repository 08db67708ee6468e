"""152-ФЗ: clocks of requests, sealed fields, and a person's canaries: all in her export, none after the erasure."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine
from sqlalchemy import func, select, text

from collectors.base import Attachment as File
from collectors.base import Person, Raw
from models import (
    Author,
    Base,
    Case,
    Client,
    ClientExport,
    Erasure,
    Event,
    Message,
    RawItem,
    RouteFile,
    RouteLine,
    utc_now,
)
from models.database import open_database
from services.backup import run_backup, run_restore
from services.cases import add_note
from services.crm import erasing, exports, imports, sensitive, subjects
from services.crm.calls import add_call, settle_call
from services.crm.clients import add_contact, create_client
from services.crm.consents import give_consent
from services.crm.erasing import run_erase, run_replay
from services.crm.holdings import as_json, holdings_of
from services.crm.identities import link_author
from services.crm.merging import merge_clients
from services.crm.notes import add_client_note
from services.crm.retention import dry_run, run_retention, save_retention
from services.crm.segments import save_study
from services.crm.tasks import add_task
from services.errors import Forbidden, NotFound, Refused
from services.intake import store_raws
from services.replies import save_draft, write_reply
from services.routing import ask_department
from services.secrets import open_keyring
from tests.services.test_cases import label_all

CANARIES = {name: f"канарейка{number:02d}ж" for number, name in enumerate(
    ("name", "note", "mail", "origin", "message", "old_text", "subject", "file", "raw", "case_note", "draft",
     "reply", "question", "client_note", "task", "call_topic", "call_note", "passport", "request", "import_cell",
     "merged_note", "author", "consent_proof", "curator", "dialogue",
     "route_line", "route_file"), 1
)}  # fmt: skip
HERS = set(CANARIES) - {"curator"}
"""A curator's name is the curator's, not hers: it may stay."""
OTHER = "чужаяптица"


@pytest.fixture
def keyring(tmp_path):
    return open_keyring(tmp_path / "key")


@pytest.fixture
def person(cast, database, keyring) -> int:
    """Somebody who is in every place that there is, and another person beside her."""
    c = CANARIES
    item = cast.incoming(
        c["old_text"], Person("a-anna", c["author"], url="https://vk.example/anna"), subject=c["subject"],
        attachments=(File("document", c["file"], content=c["file"].encode()),),
    )  # fmt: skip
    cast.store(item)
    cast.store(cast.incoming(c["message"], Person("a-anna", c["author"]), external_id=item.external_id,
                             container=item.container, edited_at=utc_now()))  # fmt: skip
    cast.private(f"лично {c['dialogue']}", Person("a-anna", c["author"]))
    cast.write(f"Я {OTHER}, тоже здесь?", Person("a-other", OTHER))
    label_all(database)
    with database.write.begin() as session:
        raw = Raw("comment", item.container, item.external_id, c["raw"].encode())
        store_raws(session, cast.source_id, (raw, Raw("comment", "17", "bad", b"a-anna " + c["raw"].encode())))
    with database.write.begin() as session:
        client = create_client(session, cast.head, name=f"Яр {c['name']}", contact="8 916 123-45-67",
                               note=c["note"], origin=c["origin"])  # fmt: skip
        other = create_client(session, cast.head, name=OTHER, contact="89990001122", note=OTHER)
        add_contact(session, cast.head, client.id, f"{'kanareika03'}@school.example")
        gone = create_client(session, cast.head, name="Дубль", note=c["merged_note"])
        merge_clients(session, cast.head, client.id, gone.id)
        author = session.scalars(select(Author).where(Author.external_id == "a-anna")).one()
        link_author(session, cast.head, client.id, author.id, "said")
        save_study(session, cast.head, client.id, course="Английский", curator=c["curator"])
        add_client_note(session, cast.head, client.id, c["client_note"], "n1")
        add_task(session, cast.head, text=c["task"], due_at=utc_now() + timedelta(days=1), client_id=client.id)
        call = add_call(session, cast.head, number="89161234567", direction="in", result="answered")
        settle_call(session, cast.head, call.id, outcome="solved", topic=c["call_topic"], note=c["call_note"])
        give_consent(
            session, cast.head, client.id, "marketing", "Согласна", how="paper", evidence=c["consent_proof"]
        )
        sensitive.set_field(session, keyring, cast.head, client.id, "passport", c["passport"])
        subjects.receive_request(session, cast.head, kind="erasure", client_id=client.id, text=c["request"])
        case = session.scalars(select(Case).where(Case.author_id == author.id).order_by(Case.id)).first()
        add_note(session, cast.smm, case.id, c["case_note"], "cn1")
        write_reply(session, cast.smm, case.id, c["reply"], "r1")
        route = ask_department(session, cast.smm, case.id, cast.departments["curators"], c["question"], "q1")
        session.add(RouteLine(route_id=route.id, staff_id=cast.curator.staff_id, text=c["route_line"]))
        session.add(RouteFile(route_id=route.id, staff_id=cast.curator.staff_id, kind="photo", name=c["route_file"],
                              content_type="image/png", size=3, digest="d", content=b"png"))  # fmt: skip
        save_draft(session, cast.head, case.id, c["draft"])
        sheet = f"Имя;Телефон;Прочее\n{'x' * 201};89161234567;{c['import_cell']}\n"
        started = imports.begin_import(session, cast.head, "x.csv", sheet.encode())
        imports.start_import(session, cast.head, started.id)
        exports.ask_export(session, cast.head, "проверка канареек", {}, "csv")
        assert other.id
        client_id = client.id
    imports.run_imports(database)
    exports.run_exports(database)
    return client_id


def found_in(database) -> set[str]:
    """Canaries that stand in any table, by the text of its rows."""
    seen: set[str] = set()
    with database.read.begin() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(select(table)).mappings():
                whole = " ".join(
                    value.decode("utf-8", "replace") if isinstance(value, bytes) else
                    json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
                    for value in row.values()
                )  # fmt: skip
                seen |= {name for name, canary in CANARIES.items() if canary in whole}
                seen |= {"phone"} if "9161234567" in whole or "123-45-67" in whole else set()
                seen |= {"mail"} if "kanareika03" in whole else set()
    return seen


def test_all_that_is_held_is_hers_and_nobody_elses(cast, database, keyring, person) -> None:
    with database.write.begin() as session:
        whole = as_json(holdings_of(session, keyring, cast.head, person))
        assert session.query(Event).filter_by(kind="privacy.gathered").count() == 1
    missing = {name for name, canary in CANARIES.items() if canary not in whole}
    assert missing <= {"mail", "import_cell", "file"}, missing
    assert "kanareika03@school.example" in whole
    assert OTHER not in whole
    with database.write.begin() as session, pytest.raises(Forbidden):
        holdings_of(session, keyring, cast.smm, person)


def test_an_erasure_leaves_no_canary_and_all_counts(cast, database, person, tmp_path) -> None:
    assert {"message", "raw", "reply", "phone", "task", "author"} <= found_in(database)
    before = counts(database)
    row = run_erase(database, tmp_path / "var", cast.head, person, "request")
    left = found_in(database) - {"curator"}
    assert left == set()
    after = counts(database)
    gone = {name for name in before if before[name] != after[name]}
    assert gone <= {"contact", "client_word", "sensitive_field", "search_entry", "search_lemma", "draft", "event",
                    "erasure", "counter", "client_tie", "message_band"}, gone  # fmt: skip
    with database.read.begin() as session:
        assert OTHER in {one.name for one in session.scalars(select(Client))}
        act = session.get_one(Erasure, row.id)
        assert (act.ground, act.method, len(act.digest)) == ("request", "erased", 64)
        assert act.categories["messages"] == 2
        assert session.query(ClientExport).one().content is None
    if database.is_sqlite:
        file = database.engine.url.database
        whole = b"".join(Path(f"{file}{end}").read_bytes() for end in ("", "-wal"))
        assert not [name for name in HERS if CANARIES[name].encode() in whole]
    with database.write.begin() as session, pytest.raises(NotFound):
        erasing.erase_client(session, cast.head, person, "request")


def counts(database) -> dict[str, int]:
    with database.read.begin() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table))
            for table in Base.metadata.sorted_tables
        }


def test_what_the_platform_still_shows_comes_back_as_nobodys(cast, database, person, tmp_path) -> None:
    run_erase(database, tmp_path / "var", cast.head, person, "request")
    with database.read.begin() as session:
        row = session.scalars(select(Message).where(Message.container == "17").order_by(Message.id)).first()
    again = cast.incoming(CANARIES["message"], Person("a-anna", CANARIES["author"]), external_id=row.external_id)
    cast.store(again)
    assert found_in(database) - {"curator"} == set()
    cast.write("Я снова здесь", Person("a-anna", "Новая Анна"))
    with database.read.begin() as session:
        assert "Новая Анна" in {one.name for one in session.scalars(select(Author))}


def test_a_restored_backup_is_erased_again(cast, database, person, tmp_path) -> None:
    if not database.is_sqlite:
        pytest.skip("one database is enough: the archive is the same")
    path = run_backup(database, tmp_path / "backups")
    run_erase(database, tmp_path / "var", cast.head, person, "request")
    second = open_database(f"sqlite:///{tmp_path / 'restored.db'}")
    run_restore(second, path)
    assert "message" in found_in(second)
    assert run_replay(second, tmp_path / "var") == 1
    assert found_in(second) - {"curator"} == set()
    assert run_replay(second, tmp_path / "var") == 0
    second.engine.dispose()


def test_what_the_law_keeps_is_blocked_with_the_reason(cast, database, person, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(erasing, "KEEPERS", [lambda session, cards: ["договор до 2031 года"]])
    row = run_erase(database, tmp_path / "var", cast.head, person, "withdrawal")
    assert (row.method, row.kept) == ("blocked", ["договор до 2031 года"])
    assert not (tmp_path / "var" / erasing.LEDGER).exists()
    with database.write.begin() as session:
        assert session.get_one(Client, person).blocked_at is not None
        with pytest.raises(Refused):
            add_contact(session, cast.head, person, "x@school.example")


def test_sealed_fields_are_opened_one_by_one_and_each_look_is_written(cast, database, keyring) -> None:
    with database.write.begin() as session:
        client = create_client(session, cast.head, name="Анна Яр").id
        sensitive.set_field(session, keyring, cast.head, client, "snils", "112-233-445 95")
        assert [one.value for one in sensitive.kept_fields(session, cast.smm, client) if one.row] == [None]
        with pytest.raises(Forbidden):
            sensitive.see_field(session, keyring, cast.smm, client, "snils")
        assert sensitive.see_field(session, keyring, cast.head, client, "snils").value == "112-233-445 95"
        assert session.query(Event).filter_by(kind="client.sensitive_seen", client_id=client).count() == 1
        stored = session.execute(text("SELECT sealed FROM sensitive_field")).scalar_one()
        assert "112-233-445 95" not in stored  # three figures alone stand in a cipher now and then by chance
        sensitive.set_field(session, keyring, cast.head, client, "snils", "")
        assert not [one for one in sensitive.kept_fields(session, cast.head, client) if one.row]


@pytest.mark.parametrize(
    ("kind", "due"),
    [("access", "11.11.2026"), ("correction", "06.11.2026"), ("stop", "11.11.2026"), ("withdrawal", "26.11.2026")],
)
def test_the_clocks_of_the_law(cast, database, kind, due) -> None:
    at = datetime(2026, 10, 27, 9, 0, tzinfo=UTC)
    with database.write.begin() as session:
        row = subjects.receive_request(session, cast.head, kind=kind, received_at=at)
        assert row.due_at.astimezone(ZoneInfo("Europe/Moscow")).strftime("%d.%m.%Y") == due
        with pytest.raises(Refused):
            subjects.answer_request(session, cast.head, row.id, "вот")
        subjects.identify(session, cast.head, row.id, "по паспорту")
        if kind in ("access", "stop"):
            subjects.prolong(session, cast.head, row.id, "много данных")
            assert row.due_at.astimezone(ZoneInfo("Europe/Moscow")).strftime("%d.%m.%Y") == "18.11.2026"
        with pytest.raises(Refused):
            subjects.prolong(session, cast.head, row.id, "ещё")
        subjects.answer_request(session, cast.head, row.id, "вот всё")
        subjects.close_request(session, cast.head, row.id)
        assert row.state == "closed"


def test_authors_are_put_out_after_a_year_but_only_when_switched_on(cast, database) -> None:
    cast.write("Когда вебинар?", "Анна Яр")
    cast.write("Спасибо", "Олег Сом")
    with database.write.begin() as session:
        client = create_client(session, cast.head, name="Сом Олег").id
        link_author(session, cast.head, client, session.scalars(
            select(Author.id).where(Author.name == "Олег Сом")).one(), "said")  # fmt: skip
    with time_machine.travel(utc_now() + timedelta(days=400)):
        with database.read.begin() as session:
            assert dry_run(session, cast.head)["authors"] == 1
        assert run_retention(database) == 0
        with database.write.begin() as session:
            with pytest.raises(Refused):
                save_retention(session, cast.head, {"authors": 3}, on=True)
            save_retention(session, cast.head, {"authors": 365}, on=True)
        assert run_retention(database) == 1
    with database.read.begin() as session:
        names = {one.name: one.hidden_at for one in session.scalars(select(Author))}
        assert "Анна Яр" not in names
        assert names["Олег Сом"] is None
        assert session.query(Message).filter_by(text="Когда вебинар?").count() == 1
        assert session.query(RawItem).count() == 0
