"""Who is who: links with how we know, suggestions with evidence, merges that come apart exactly."""

from datetime import date
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from collectors.base import Person
from models import Author, Base, Client, Contact, Identity, Merge
from services.crm.cards import beside
from services.crm.clients import add_contact, create_client, edit_client, end_contact, get_client
from services.crm.finding import Wanted, find_clients
from services.crm.identities import (
    authors_of,
    client_of_author,
    link_author,
    refuse_match,
    suggest_clients,
    unlink_author,
)
from services.crm.merging import links_to_clients, merge_clients, unmerge
from services.crm.segments import save_study
from services.crm.ties import lacks_guardian, tie_clients, ties_of, untie
from services.errors import Forbidden, Refused


def author_id(database, name: str = "Анна Яр") -> int:
    with database.read.begin() as session:
        return session.scalars(select(Author.id).where(Author.name == name)).one()


def test_a_link_says_how_we_know(cast, database) -> None:
    cast.write("Когда вебинар?")
    author = author_id(database)
    with database.write.begin() as session:
        client = create_client(session, cast.smm, name="Анна Яр")
        link_author(session, cast.smm, client.id, author, "said")
        assert client_of_author(session, author) is client
        assert [link.basis for link, _ in authors_of(session, client.id)] == ["said"]
        other = create_client(session, cast.smm, name="Олег Сом")
        with pytest.raises(Refused) as told:
            link_author(session, cast.smm, other.id, author, "confirmed")
        assert (told.value.code, told.value.data["client"]) == ("identity.taken", client.id)
        unlink_author(session, cast.smm, client.id, author)
        assert client_of_author(session, author) is None
        link_author(session, cast.smm, other.id, author, "confirmed")
        assert session.query(Identity).count() == 2


def test_a_card_begins_with_what_its_author_wrote(cast, database) -> None:
    cast.write("Пишите: anna@school.example")
    author = author_id(database)
    with database.read.begin() as session:
        assert beside(session, cast.smm, author).contact == "anna@school.example"
    cast.write("Или звоните: 8 916 777-11-22")
    with database.read.begin() as session:
        assert beside(session, cast.smm, author).contact == "+7 916 777-11-22"


def test_a_name_alone_suggests_nobody(cast, database) -> None:
    cast.write("Когда вебинар?")
    with database.write.begin() as session:
        create_client(session, cast.smm, name="Анна Яр", contact="89161234567")
        assert suggest_clients(session, cast.smm, author_id(database)) == []


def test_what_they_wrote_suggests_with_evidence_until_refused(cast, database) -> None:
    cast.private("Мой телефон 8 (916) 123-45-67, почта ANNA@school.example")
    author = author_id(database)
    with database.write.begin() as session:
        anna = create_client(session, cast.smm, name="Яр Анна", contact="+79161234567")
        add_contact(session, cast.smm, anna.id, "anna@school.example")
        create_client(session, cast.smm, name="Олег Сом", contact="89990000000")
        (found,) = suggest_clients(session, cast.smm, author)
        assert found.client is anna
        assert sorted(one.kind for one in found.evidence) == ["name", "wrote", "wrote"]
        assert found.basis == "said"
        refuse_match(session, cast.smm, anna.id, author)
        assert suggest_clients(session, cast.smm, author) == []


def test_an_address_that_a_visitor_typed_is_no_account_of_theirs(cast, database) -> None:
    """A guest of the blog names somebody else's Telegram as their site: that took the card over."""
    with database.write.begin() as session:
        client = create_client(session, cast.smm, name="Иван Лис", contact="@ivanlis")
        guest = Author(platform="wordpress", external_id="guest:1", name="Иван Лис", url="https://t.me/ivanlis")
        own = Author(platform="telegram", external_id="7", name="Ваня", url="https://t.me/ivanlis")
        session.add_all([guest, own])
        session.flush()
        assert suggest_clients(session, cast.smm, guest.id) == []
        [found] = suggest_clients(session, cast.smm, own.id)
        assert (found.client.id, found.evidence[0].kind) == (client.id, "messenger")


def test_a_letter_of_a_known_address_suggests_its_card(cast, database) -> None:
    cast.private("Добрый день", Person("mail:anna@school.example", "Анюта"))
    with database.write.begin() as session:
        anna = create_client(session, cast.smm, name="Яр Анна", contact="anna@school.example")
        author = session.scalars(select(Author).where(Author.name == "Анюта")).one()
        for platform, kind in (("mail", "own_mail"), ("form", "form")):
            author.platform = platform
            session.flush()
            (found,) = suggest_clients(session, cast.smm, author.id)
            assert (found.client, [one.kind for one in found.evidence]) == (anna, [kind])


def test_a_minor_needs_a_grown_up_guardian(cast, database) -> None:
    with database.write.begin() as session:
        child = create_client(session, cast.smm, name="Яр Пётр", birth_date=date(2015, 5, 1))
        mother = create_client(session, cast.smm, name="Яр Анна")
        assert lacks_guardian(session, child, date(2026, 11, 26))
        with pytest.raises(Refused):
            tie_clients(session, cast.smm, mother.id, child.id, "guardian")
        tie = tie_clients(session, cast.smm, child.id, mother.id, "guardian", "мать")
        assert not lacks_guardian(session, child, date(2026, 11, 26))
        assert [(one.other.id, one.mine) for one in ties_of(session, mother.id)] == [(child.id, False)]
        untie(session, cast.smm, tie.id)
        assert lacks_guardian(session, child, date(2026, 11, 26))


def test_only_some_may_merge(cast, database) -> None:
    with database.write.begin() as session:
        first, second = (create_client(session, cast.smm, name=name) for name in ("Анна", "Аня"))
        with pytest.raises(Forbidden):
            merge_clients(session, cast.smm, first.id, second.id)
        with pytest.raises(Refused):
            merge_clients(session, cast.head, first.id, first.id)


def test_a_merged_card_leads_to_the_one_that_stayed(cast, database) -> None:
    with database.write.begin() as session:
        kept = create_client(session, cast.smm, name="Яр Анна", contact="89161234567")
        gone = create_client(session, cast.smm, name="Лисова Анна", contact="anna@school.example", note="звонить")
        merge_clients(session, cast.head, kept.id, gone.id)
        assert get_client(session, cast.smm, gone.id) is kept
        assert kept.note == "звонить"
        for words in ("anna@school.example", "лисова"):
            page = find_clients(session, cast.smm, Wanted(words))
            assert [row.client.id for row in page.rows] == [kept.id], words


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["phone", "mail", "end", "study", "note", "birth", "tie", "link", "messenger"]),
        st.booleans(),
        st.integers(0, 5),
    ),
    max_size=12,
)


@given(ACTS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_unmerge_restores_both_exactly(cast, database, acts) -> None:
    with database.write.begin() as session:
        for table in reversed(Base.metadata.sorted_tables):
            if table.name in {"client", "merge", "client_word", *(one.name for one, _ in links_to_clients())}:
                session.execute(table.delete())
    with database.write.begin() as session:
        pair = [create_client(session, cast.smm, name=name).id for name in ("Анна", "Аня")]
        third = create_client(session, cast.smm, name="Мать").id
        for act, second, number in acts:
            _do(session, cast, act, pair[second], third, number)
    before = snapshot(database)
    with database.write.begin() as session:
        merge_id = merge_clients(session, cast.head, *pair).id
    with database.write.begin() as session:
        assert session.get_one(Client, pair[1]).state == "merged"
        unmerge(session, cast.head, merge_id)
        assert session.get_one(Merge, merge_id).undone_at is not None
    assert snapshot(database) == before


def _do(session, cast, act: str, client_id: int, third: int, number: int) -> None:
    client = session.get_one(Client, client_id)
    try:
        if act == "phone":
            add_contact(session, cast.smm, client_id, f"8916000000{number}")
        elif act == "mail":
            add_contact(session, cast.smm, client_id, f"a{number}@school.example")
        elif act == "messenger":
            add_contact(session, cast.smm, client_id, f"@anna{number}")
        elif act == "end":
            row = session.scalars(select(Contact).where(Contact.client_id == client_id)).first()
            if row is not None:
                end_contact(session, cast.smm, row.id)
        elif act == "study":
            save_study(session, cast.smm, client_id, course=f"Курс {number % 3}")
        elif act == "note":
            edit_client(session, cast.smm, client_id, client.version, {"note": f"заметка {number}"})
        elif act == "birth":
            edit_client(
                session,
                cast.smm,
                client_id,
                client.version,
                {"birth_date": date(1990, 1, 1 + number), "gender": "f"},
            )
        elif act == "tie":
            tie_clients(session, cast.smm, client_id, third, ("payer", "contact")[number % 2])
        elif act == "link":
            author = Author(platform="vk", external_id=str(uuid4()), name="А")
            session.add(author)
            session.flush()
            link_author(session, cast.smm, client_id, author.id, "said")
    except Refused:
        pass


def snapshot(database) -> dict:
    """Every row that says something of a client, but for versions and times of change."""
    with database.read.begin() as session:
        tables = {table for table, _ in links_to_clients()} | {
            Client.__table__,
            Base.metadata.tables["client_word"],
        }
        return {
            table.name: sorted(
                str({k: v for k, v in row.items() if k not in ("version", "updated_at")} | (
                    {"id": 0} if table.name == "client_word" else {}))
                for row in session.execute(select(table)).mappings()
            )
            for table in tables
        }  # fmt: skip
