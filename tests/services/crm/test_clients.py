"""Cards: three fields, one living holder of a contact, found in any spelling, two editors."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import Client, Event
from services.crm.clients import (
    add_contact,
    archive_client,
    contacts_of,
    create_client,
    edit_client,
    end_contact,
    holder_of,
    is_inn,
    is_minor,
)
from services.crm.contacts import mail_key, masked, phone_key, read_contact
from services.crm.finding import Wanted, count_clients, find_clients
from services.crm.names import parts_of
from services.errors import Forbidden, Refused, Stale

SPELLINGS = (
    "+79161234567", "89161234567", "8 (916) 123-45-67", "+7 916 123 45 67", "9161234567", "7-916-123-45-67",
    "8.916.123.45.67",
)  # fmt: skip


def names_of(page) -> list[str]:
    return [row.client.name for row in page.rows]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_a_phone_is_one_key(spelling) -> None:
    assert phone_key(spelling) == "+79161234567"


@given(st.text(max_size=40))
def test_a_phone_key_is_its_own_key(text) -> None:
    key = phone_key(text)
    assert key is None or phone_key(key) == key


@pytest.mark.parametrize(
    ("text", "key"),
    [("+375 29 123-45-67", "+375291234567"), ("375291234567", "+375291234567"), ("12", None), ("привет", None)],
)
def test_phones_from_elsewhere(text, key) -> None:
    assert phone_key(text) == key


def test_mail_is_one_in_small_letters() -> None:
    assert mail_key(" Anna.Yar@School.EXAMPLE ") == "anna.yar@school.example"
    assert mail_key("anna@") is None


def test_what_may_not_be_seen_is_masked() -> None:
    assert masked("phone", read_contact("89161234567").value) == "+7 ••• •••-••-67"
    assert masked("mail", "anna@school.example") == "a•••@school.example"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Яр Анна Петровна", ("Яр", "Анна", "Петровна")), ("Анна Петровна Яр", ("Яр", "Анна", "Петровна")),
        ("Анна Лисицына", ("Лисицына", "Анна", "")), ("Лисицына Анна", ("Лисицына", "Анна", "")),
        ("Анна", ("", "Анна", "")), ("", ("", "", "")),
    ],
)  # fmt: skip
def test_a_name_in_one_line_is_parted(name, parts) -> None:
    assert parts_of(name) == parts


@pytest.mark.parametrize(
    ("number", "good"),
    [("7707083893", True), ("7707083894", False), ("500100732259", True), ("500100732258", False), ("12", False)],
)
def test_inn_has_check_digits(number, good) -> None:
    assert is_inn(number) is good


def test_eighteen_comes_on_the_birthday() -> None:
    assert is_minor(date(2008, 11, 27), date(2026, 11, 26))
    assert not is_minor(date(2008, 11, 26), date(2026, 11, 26))


def test_a_card_starts_with_a_name_a_contact_and_a_note(cast, database) -> None:
    with database.write.begin() as session:
        client = create_client(session, cast.smm, name="Яр  Анна", contact="8 916 123-45-67", note="звонить днём")
        assert (client.name, client.first_name, client.segment) == ("Яр Анна", "Анна", "potential")
        assert [one.value for one in contacts_of(session, client.id)] == ["+7 916 123-45-67"]
        event = session.query(Event).filter_by(kind="client.created").one()
        assert (event.client_id, event.staff_id) == (client.id, cast.smm.staff_id)


def test_a_living_card_alone_holds_a_contact(cast, database) -> None:
    with database.write.begin() as session:
        first = create_client(session, cast.smm, name="Анна Яр", contact="89161234567").id
    with pytest.raises(Refused) as told, database.write.begin() as session:
        create_client(session, cast.smm, name="Олег Сом", contact="+7 (916) 123-45-67")
    assert (told.value.code, told.value.data["client"]) == ("contact.taken", first)
    with database.write.begin() as session:
        assert session.query(Client).count() == 1
        archive_client(session, cast.smm, first)
        create_client(session, cast.smm, name="Олег Сом", contact="89161234567")
        archive_client(session, cast.smm, first, back=True)
        assert holder_of(session, "9161234567").name == "Олег Сом"


def test_an_ended_contact_is_free(cast, database) -> None:
    with database.write.begin() as session:
        client = create_client(session, cast.smm, name="Анна Яр", contact="a@school.example")
        end_contact(session, cast.smm, contacts_of(session, client.id)[0].id)
        assert holder_of(session, "A@school.example") is None
        add_contact(session, cast.smm, client.id, "a@school.example")
        assert holder_of(session, "A@school.example") is client


def test_of_two_editors_the_second_is_told(cast, database) -> None:
    with database.write.begin() as session:
        client_id = create_client(session, cast.smm, name="Анна Яр").id
    with database.write.begin() as session:
        edit_client(session, cast.smm, client_id, 1, {"note": "первый"})
    with pytest.raises(Stale), database.write.begin() as session:
        edit_client(session, cast.head, client_id, 1, {"note": "второй"})
    with database.read.begin() as session:
        assert session.get_one(Client, client_id).note == "первый"


def test_found_by_name_phone_mail_and_inn(cast, database) -> None:
    with database.write.begin() as session:
        create_client(session, cast.smm, name="Семёнова Анна", contact="89161234567")
        create_client(session, cast.smm, name="Семенов Олег", contact="oleg@school.example")
        create_client(session, cast.smm, name="ООО Ромашка", kind="organisation", inn="7707083893")

    def found(words: str) -> list[str]:
        with database.read.begin() as session:
            return names_of(find_clients(session, cast.smm, Wanted(words)))

    assert found("семен") == ["Семенов Олег", "Семёнова Анна"]
    assert found("анна семёнова") == ["Семёнова Анна"]
    assert found("OLEG@sch") == ["Семенов Олег"]
    assert found("7707083893") == ["ООО Ромашка"]
    assert found("нет такого") == []
    for spelling in (*SPELLINGS, "4567", "123-45-67"):
        assert found(spelling) == ["Семёнова Анна"], spelling


def test_the_list_goes_on_by_its_key(cast, database) -> None:
    with database.write.begin() as session:
        for number in range(7):
            create_client(session, cast.smm, name=f"Клиент {number % 3}")
    seen, after = [], None
    with database.read.begin() as session:
        while True:
            page = find_clients(session, cast.smm, Wanted(), after, limit=2)
            seen += [row.client.id for row in page.rows]
            after = page.after
            if after is None:
                break
        assert len(seen) == len(set(seen)) == 7
        assert count_clients(session, cast.smm) == {"potential": 7}


def test_who_may_not_sees_nothing(cast, database) -> None:
    with database.read.begin() as session, pytest.raises(Forbidden):
        find_clients(session, cast.curator, Wanted())
    with database.write.begin() as session, pytest.raises(Forbidden):
        create_client(session, cast.curator, name="Анна")


def test_the_training_school_has_cards_once(cast, database) -> None:
    from services.crm.training import seed_clients

    for _ in range(2):
        with database.write.begin() as session:
            seed_clients(session)
    with database.read.begin() as session:
        assert count_clients(session, cast.smm) == {"active": 3, "potential": 3, "regular": 1}
