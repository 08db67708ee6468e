"""A line for everybody and a private message are one press: both go, or neither."""

import pytest
from sqlalchemy import select, update

from collectors.base import SourceState
from models import Act, Case, Draft, Message, Reply, Source
from services.errors import Refused
from services.replies import Wish, save_draft, take_back
from services.split import private_line, write_split


@pytest.fixture
def cases(database, cast) -> tuple[int, int]:
    """The public case and the private one of the same author."""
    cast.private("Здравствуйте, это Анна", author="Анна Яр")
    cast.write("Почему с меня списали деньги?", author="Анна Яр")
    with database.read.begin() as session:
        found = {case.visibility: case.id for case in session.scalars(select(Case))}
    return found["public"], found["private"]


def split(
    database, cast, case_id, text="Написали вам лично", unseen="Списание от 3 ноября вернём", key="f1", **wishes
):
    with database.write.begin() as session:
        return write_split(session, cast.smm, case_id, text, unseen, key, Wish(**wishes))


def test_both_go_each_to_its_place(database, cast, cases) -> None:
    public, private = cases
    split(database, cast, public)
    with database.read.begin() as session:
        acts = {act.case_id: act for act in session.scalars(select(Act))}
        assert acts[public].text == "Написали вам лично"
        assert acts[private].text == "Списание от 3 ноября вернём"
        assert acts[private].target["container"] == "dialogue"
        assert session.get_one(Case, private).state == "work"


def test_the_same_press_twice_is_one_pair(database, cast, cases) -> None:
    split(database, cast, cases[0])
    split(database, cast, cases[0])
    with database.read.begin() as session:
        assert len(session.scalars(select(Act)).all()) == 2


def test_neither_goes_when_one_of_them_may_not(database, cast, cases) -> None:
    with pytest.raises(Refused, match=r"text\.lint"):
        split(database, cast, cases[0], text="Пишите на +7 916 555-12-34")
    with database.read.begin() as session:
        assert session.scalars(select(Reply)).all() == []


def test_one_undo_takes_both_back(database, cast, cases) -> None:
    public, private = cases
    split(database, cast, public)
    with database.write.begin() as session:
        act = session.scalars(select(Act).where(Act.case_id == public)).one()
        take_back(session, cast.smm, act.id)
        assert list(session.scalars(select(Act.state))) == ["cancelled", "cancelled"]
        drafts = {draft.case_id: draft.text for draft in session.scalars(select(Draft))}
    assert drafts == {public: "Написали вам лично", private: "Списание от 3 ноября вернём"}


def test_what_was_typed_for_the_author_alone_is_kept(database, cast, cases) -> None:
    public, private = cases
    with database.write.begin() as session:
        save_draft(session, cast.smm, private, "Вернём")
        line = private_line(session, cast.smm, session.get_one(Case, public))
        assert (line.case_id, line.draft) == (private, "Вернём")


@pytest.mark.parametrize(
    "change",
    [
        lambda session: session.execute(update(Source).values(state="paused")),
        lambda session: session.execute(update(Message).values(state=SourceState.DELETED.value)),
        lambda session: session.execute(update(Source).values(platform="feed")),
    ],
)
def test_without_a_conversation_that_can_be_answered_there_is_nothing_to_split(
    database, cast, cases, change
) -> None:
    with database.write.begin() as session:
        change(session)
        assert private_line(session, cast.smm, session.get_one(Case, cases[0])) is None
    with pytest.raises(Refused, match=r"reply\.no_private"):
        split(database, cast, cases[0])


def test_a_private_case_is_not_split(database, cast, cases) -> None:
    with database.read.begin() as session:
        assert private_line(session, cast.smm, session.get_one(Case, cases[1])) is None
