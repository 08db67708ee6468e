"""Many rows by one statement: both databases keep the same, in the same order."""

from datetime import UTC, datetime

from sqlalchemy import select, update

from models import Author, Message, RawItem, UtcDateTime
from services.columns import among, for_each, insert_rows, insertion, rows_given

AT = datetime(2026, 11, 28, 12, tzinfo=UTC)


def raw(source_id: int, number: int, body: bytes) -> dict[str, object]:
    return {
        "source_id": source_id, "kind": "comment", "container": "v1", "external_id": f"r{number}", "body": body,
        "digest": "d", "received_at": AT, "state": "new", "attempts": number,
    }  # fmt: skip


def message(source_id: int, number: int, **more: object) -> dict[str, object]:
    return {
        "source_id": source_id, "container": "v1", "external_id": f"m{number}", "direction": "in",
        "state": "published", "visibility": "public", "text": f"О'Нил «{number}», {{\"\\}}, NULL", "subject": None,
        "context": {"of": [number]}, "published_at": AT, "automatic": False, **more,
    }  # fmt: skip


def test_rows_are_kept_as_they_were_given_and_numbered_in_their_order(database, cast) -> None:
    bodies = [b"", b"\x00\\x'\"{}", "я".encode() * 300]  # the last one lies packed
    with database.write.begin() as session:
        insert_rows(session, RawItem, [raw(cast.source_id, *each) for each in enumerate(bodies)])
    with database.read.begin() as session:
        kept = session.scalars(
            select(RawItem).where(RawItem.source_id == cast.source_id).order_by(RawItem.id)
        ).all()
        assert [(row.external_id, row.body, row.attempts) for row in kept][-3:] == [
            (f"r{number}", body, number) for number, body in enumerate(bodies)
        ]
        assert {row.received_at for row in kept[-3:]} == {AT}


def test_what_is_inserted_comes_back_as_objects(database, cast) -> None:
    rows = [message(cast.source_id, number) for number in range(3)]
    rows[1] |= {"subject": "нет\x00", "automatic": True}
    with database.write.begin() as session:
        made = insertion(session.get_bind().dialect.name, Message, tuple(rows[0])).returning(Message)
        kept = sorted(session.scalars(made, rows_given(session, rows)), key=lambda row: row.id)
        assert [row.external_id for row in kept] == ["m0", "m1", "m2"]
        assert [(row.subject, row.automatic) for row in kept] == [(None, False), ("нет\ufffd", True), (None, False)]
        assert [(row.text, row.context, row.work) for row in kept] == [
            (row["text"], row["context"], "received") for row in rows
        ]
        assert kept[0] in session  # an object of the session, and changed like any other
        kept[0].work = "rest"
    with database.read.begin() as session:
        assert session.get_one(Message, kept[0].id).work == "rest"


def test_what_somebody_has_taken_is_left_alone(database, cast) -> None:
    people = [{"platform": "vk", "external_id": f"p{n}", "name": f"Имя {n}", "is_us": False} for n in range(3)]
    with database.write.begin() as session:
        insert_rows(session, Author, people[1:2], ("platform", "external_id"))
    with database.write.begin() as session:
        insert_rows(session, Author, [{**one, "name": "Иной"} for one in people], ("platform", "external_id"))
        wanted = among(session, Author.external_id, {"p0", "p1", "p2", "p3"})
        kept = session.scalars(select(Author.name).where(wanted).order_by(Author.external_id)).all()
        assert kept == ["Иной", "Имя 1", "Иной"]
        assert session.scalars(select(Author).where(among(session, Author.external_id, ()))).all() == []


def test_each_row_changes_its_own(database, cast) -> None:
    table = RawItem.__table__
    changing = for_each(
        lambda row: update(table)
        .where(table.c.external_id == row.of, table.c.digest == row.seen)
        .values(received_at=row.at, state="parsed"),
        of=table.c.external_id.type, seen=table.c.digest.type, at=UtcDateTime(),
    )  # fmt: skip
    later = datetime(2026, 11, 28, 13, tzinfo=UTC)
    with database.write.begin() as session:
        insert_rows(session, RawItem, [raw(cast.source_id, number, b"b") for number in range(3)])
        given = [{"of": "r0", "seen": "d", "at": later}, {"of": "r2", "seen": "another", "at": later}]
        session.connection().execute(changing[session.get_bind().dialect.name], rows_given(session, given))
        kept = session.execute(
            select(RawItem.state, RawItem.received_at)
            .where(among(session, RawItem.external_id, ["r0", "r1", "r2"]))
            .order_by(RawItem.external_id)
        )
        assert [tuple(row) for row in kept] == [("parsed", later), ("new", AT), ("new", AT)]
