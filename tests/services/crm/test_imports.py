"""Import: mapping guessed, duplicates joined, refused rows told, undone as a whole but for what people touched."""

import io

import pytest
from openpyxl import Workbook
from sqlalchemy import select

from models import Client, ClientImport, Contact, Study
from services.crm import imports
from services.crm.clients import contacts_of, create_client, edit_client, holder_of
from services.crm.finding import Wanted, find_clients
from services.errors import Forbidden, Refused

GETCOURSE = (
    "id;Email;Тип регистрации;Создан;Имя;Фамилия;Телефон;Дата рождения;Курс;Группа\n"
    "101;anna@school.example;по ссылке;2026-01-02;Анна;Яр;8 916 123-45-67;05.12.1990;Английский;А-12\n"
    "102;oleg@school.example;;2026-01-02;Олег;Сом;+7 903 555 00 11;;;\n"
    "103;не почта;;2026-01-02;Пётр;Гусь;;;;\n"
    "104;;;2026-01-02;;;;;;\n"
    "105;anna@school.example;;2026-01-02;Анна;Яр;;;Клуб;\n"
    "106;oleg@school.example;;2026-01-02;Олег;Сом;89161234567;;;\n"
)


def take(cast, database, content: bytes, **options) -> int:
    with database.write.begin() as session:
        row = imports.begin_import(session, cast.head, "clients.csv", content)
        if options:
            imports.map_import(session, cast.head, row.id, row.mapping, options["duplicates"])
        imports.start_import(session, cast.head, row.id)
        return row.id


def counts(database, import_id: int) -> dict:
    with database.read.begin() as session:
        return session.get_one(ClientImport, import_id).counts


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
def test_a_getcourse_export_is_understood(cast, database, encoding) -> None:
    import_id = take(cast, database, GETCOURSE.encode(encoding))
    assert imports.run_imports(database) == 6
    assert counts(database, import_id) == {"made": 2, "joined": 1, "skipped": 0, "refused": 3}
    with database.read.begin() as session:
        anna = holder_of(session, "89161234567")
        assert (anna.name, anna.external_id, str(anna.birth_date)) == ("Яр Анна", "101", "1990-12-05")
        assert anna.segment == "active"
        assert {one.course for one in session.scalars(select(Study))} == {"Английский", "Клуб"}
        refused = list(imports.refused_lines(session, cast.head, import_id))
        assert [(number, code) for number, code, _ in refused] == [
            (3, "contact.unreadable"), (4, "client.name"), (6, "import.two"),
        ]  # fmt: skip
        assert refused[0][2]["Фамилия"] == "Гусь"
        page = find_clients(session, cast.head, Wanted("яр ан"))
        assert [row.client.id for row in page.rows] == [anna.id]


def test_a_workbook_is_the_same(cast, database) -> None:
    book = Workbook()
    for line in GETCOURSE.splitlines():
        book.active.append([int(cell) if cell.isdecimal() else cell for cell in line.split(";")])
    packed = io.BytesIO()
    book.save(packed)
    import_id = take(cast, database, packed.getvalue())
    imports.run_imports(database)
    assert counts(database, import_id)["made"] == 2


def test_the_preview_says_what_would_be(cast, database) -> None:
    with database.write.begin() as session:
        known = create_client(session, cast.head, name="Анна", contact="anna@school.example").id
        row = imports.begin_import(session, cast.head, "c.csv", GETCOURSE.encode())
        assert row.mapping == {"0": "external_id", "1": "mail", "4": "first_name", "5": "last_name", "6": "phone",
                               "7": "birth_date", "8": "course", "9": "group_name"}  # fmt: skip
        shown = imports.preview(session, cast.head, row.id)
        assert (shown.looked_at, shown.known, shown.refused) == (6, 2, 2)
        assert shown.cards[0][1].id == known
        assert session.query(Client).count() == 1
        with pytest.raises(Refused):
            imports.map_import(session, cast.head, row.id, {"3": "note"}, "join")


def test_an_undo_leaves_nothing_but_what_people_touched(cast, database) -> None:
    with database.write.begin() as session:
        known = create_client(session, cast.head, name="Анна", contact="anna@school.example").id
    before = snapshot(database)
    import_id = take(cast, database, GETCOURSE.encode())
    imports.run_imports(database)
    with database.write.begin() as session:
        anna = session.get_one(Client, known)
        assert (str(anna.birth_date), len(contacts_of(session, known))) == ("1990-12-05", 2)
        imports.undo_import(session, cast.head, import_id)
    imports.run_imports(database)
    assert snapshot(database) == before
    with database.write.begin() as session, pytest.raises(Refused):
        imports.undo_import(session, cast.head, import_id)


def test_cards_edited_since_are_kept_and_listed(cast, database) -> None:
    import_id = take(cast, database, GETCOURSE.encode())
    imports.run_imports(database)
    with database.write.begin() as session:
        anna = holder_of(session, "anna@school.example")
        edit_client(session, cast.smm, anna.id, anna.version, {"note": "своя правка"})
        imports.undo_import(session, cast.head, import_id)
    imports.run_imports(database)
    with database.read.begin() as session:
        assert [one.name for one in session.scalars(select(Client))] == ["Яр Анна"]
        kept = imports.rows_of(session, cast.head, import_id, "kept")
        assert [row.client_id for row in kept] == [anna.id]
        assert session.get_one(ClientImport, import_id).counts["undone"] == 1


def test_duplicates_may_be_skipped(cast, database) -> None:
    import_id = take(cast, database, GETCOURSE.encode(), duplicates="skip")
    imports.run_imports(database)
    assert counts(database, import_id)["skipped"] == 1


def test_a_killed_import_goes_on_where_it_was(cast, database, monkeypatch) -> None:
    lines = ["Имя;Телефон"] + [f"Клиент {number};8916{number:07d}" for number in range(25)]
    import_id = take(cast, database, "\n".join(lines).encode())
    monkeypatch.setattr(imports, "PIECE", 10)
    real, seen = imports._store, []

    def die_at_the_second(*given):
        seen.append(1)
        if len(seen) == 2:
            raise RuntimeError("killed")
        return real(*given)

    monkeypatch.setattr(imports, "_store", die_at_the_second)
    with pytest.raises(RuntimeError):
        imports.run_imports(database)
    assert imports.run_imports(database) == 15
    assert counts(database, import_id)["made"] == 25


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"PK\x03\x04rubbish", "Имя;Телефон\n".encode()])
def test_what_is_no_list_is_refused(cast, database, content) -> None:
    with database.write.begin() as session, pytest.raises(Refused):
        imports.begin_import(session, cast.head, "x", content)


def test_only_some_may_import(cast, database) -> None:
    with database.write.begin() as session, pytest.raises(Forbidden):
        imports.begin_import(session, cast.smm, "x", GETCOURSE.encode())


def snapshot(database) -> dict:
    with database.read.begin() as session:
        return {
            "clients": sorted((one.name, one.note, str(one.birth_date), one.external_id, one.version)
                              for one in session.scalars(select(Client))),
            "contacts": sorted(one.key for one in session.scalars(select(Contact))),
            "studies": sorted(one.course for one in session.scalars(select(Study))),
        }  # fmt: skip
