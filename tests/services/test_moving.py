"""The move to PostgreSQL: killed after any batch it goes on; what differs, lives or is another's is refused."""

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select, text, update

from models import Attachment, Case, Lease, Message, Setting, utc_now
from models.database import Database
from services.errors import DeskError
from services.moving import compare, is_moved, moved_tables, run_move
from services.processes import note_alive
from services.replies import write_reply
from services.search import find
from services.search_index import run_index
from tests.conftest import Cast, _postgres, fresh_database
from tests.services.test_cases import label_all


@pytest.fixture
def source(request, tmp_path) -> Iterator[Database]:
    yield from fresh_database(request, tmp_path, "sqlite")


@pytest.fixture
def target(request) -> Iterator[Database]:
    yield from _postgres(request, template="template0")


@pytest.fixture
def cast(source) -> Cast:
    cast = Cast(source)
    for number in range(30):
        cast.write(f"Когда вебинар номер {number}? 🙂\x00 =1+1", f"Автор {'а' * number}")
    label_all(source)
    with source.write.begin() as session:
        case = session.scalars(select(Case).order_by(Case.id)).first()
        write_reply(session, cast.smm, case.id, "В среду.", "f", undo_seconds=0)
        for number in range(3):
            session.add(Attachment(message_id=1, kind="photo", content=bytes(range(256)) * 50 * (number + 1)))
    return cast


def silent(_table: str, _done: int, _total: int) -> None:
    pass


def test_everything_is_there_and_the_desk_goes_on(cast, source, target) -> None:
    heard: dict[str, tuple[int, int]] = {}
    found = run_move(source, target, lambda table, done, total: heard.update({table: (done, total)}))
    assert all(one.equal and one.here == one.there for one in found)
    assert heard["message"] == (30, 30)
    with source.read.begin() as session:
        assert is_moved(session)
    run_index(target)
    with target.write.begin() as session:
        assert find(session, cast.smm, "вебинары", zone="UTC").count == 30
        session.add(Setting(name="new", value={}))
        session.flush()
        assert session.scalar(select(func.max(Setting.id))) > 1
    with target.read.begin() as session:
        assert not is_moved(session)


def test_a_kill_after_any_batch_costs_nothing(cast, source, target, monkeypatch) -> None:
    monkeypatch.setattr("services.moving.ROWS", 7)

    class Killed(BaseException):
        pass

    def after(count: int):
        left = [count]

        def tell(*_given: object) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise Killed

        return tell

    kills = 0
    for at in (3, 20, 25, 30, 60, 75):
        with pytest.raises(Killed):
            run_move(source, target, after(at))
        kills += 1
    assert all(one.equal for one in run_move(source, target, silent))
    assert kills == 6


def test_a_desk_that_lives_is_not_moved(cast, source, target) -> None:
    with source.write.begin() as session:
        note_alive(session, "all", "host:1")
    with pytest.raises(DeskError) as refused:
        run_move(source, target, silent)
    assert refused.value.code == "move.alive"
    with source.write.begin() as session:
        session.execute(update(Lease).values(until=utc_now()))
    assert run_move(source, target, silent)


def test_what_differs_switches_nothing(cast, source, target) -> None:
    with pytest.raises(ZeroDivisionError):
        run_move(source, target, lambda table, *_: 1 / (table != "reply"))
    with target.engine.begin() as connection:
        connection.execute(text("UPDATE message SET text = 'Никогда' WHERE id = 12"))
    with pytest.raises(DeskError) as refused:
        run_move(source, target, silent)
    assert (refused.value.code, refused.value.data["tables"]) == ("move.differs", "message")
    with source.read.begin() as session:
        assert not is_moved(session)
    [differing] = [one.table for one in compare(source, target, moved_tables()) if not one.equal]
    assert differing == Message.__tablename__


def test_another_desk_is_not_written_over(cast, source, target, request) -> None:
    run_move(source, target, silent)
    with source.write.begin() as session:
        session.execute(update(Message).where(Message.id == 1).values(text="Другой стол"))
    with pytest.raises(DeskError) as refused:
        run_move(source, target, silent)
    assert refused.value.code == "move.filled"
    with pytest.raises(DeskError) as refused:
        run_move(target, source, silent)
    assert refused.value.code == "move.kind"
