"""A file of the exchange's calls becomes the calls of its place, once."""

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from benchmarks.limits import NoLimits
from collectors.calls import Calls, Settings
from collectors.wire import Wire
from models import Call, Message
from services.call_files import run_import_calls
from services.errors import Refused

RUSSIAN = """Кто звонил;Кому;Дата и время;Длительность;Статус;Направление
8 999 000-10-02;+74950000000;25.11.2026 14:05;0;Пропущенный;Входящий
+79990001003;+74950000000;25.11.2026 14:20:30;125;Принятый;Входящий
+79990001003;+74950000000;когда-то;;гудки;Входящий
"""


@pytest.fixture
def take(cast, database):
    with database.write.begin() as session:
        place = cast.add_source(session, "calls", line="").id
    return lambda content: run_import_calls(
        database, place, Calls(Settings(secret=SecretStr("x")), Wire(), NoLimits()), content
    )


@pytest.mark.parametrize("encoding", ["utf-8", "cp1251"])
def test_a_file_is_taken_once(take, database, encoding) -> None:
    first, again = (take(RUSSIAN.encode(encoding)) for _ in range(2))
    assert (first.calls, first.known, first.skipped) == (2, 0, 1)
    assert (again.calls, again.known) == (0, 2)
    with database.read.begin() as session:
        rows = session.scalars(select(Message).order_by(Message.published_at)).all()
        assert [row.text for row in rows] == ["Пропущенный звонок", "Звонок принят, разговор 2:05"]
        assert rows[0].published_at.isoformat() == "2026-11-25T11:05:00+00:00"
        assert len(session.scalars(select(Call)).all()) == 2


def test_an_english_file_and_what_tells_of_no_call(take) -> None:
    taken = take(b"call_id,from,to,status,start\n7,+79990001002,+7495,missed,2026-11-25T12:00:00Z\n,,,missed,\n")
    assert (taken.calls, taken.skipped) == (1, 1)
    assert taken.refused[0][0] == 3


def test_an_empty_file_is_refused(take) -> None:
    with pytest.raises(Refused):
        take(b"call_id,from\n")
