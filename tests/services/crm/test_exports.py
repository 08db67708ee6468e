"""Cards into a file: a reason, a watermark, the head's word above fifty, every taking written down."""

import io
from datetime import timedelta

import pytest
import time_machine
from openpyxl import load_workbook

from models import ClientExport, Event, utc_now
from services.crm import exports
from services.crm.clients import create_client
from services.errors import Forbidden, NotFound, Refused


def make(cast, database, count: int) -> None:
    with database.write.begin() as session:
        for number in range(count):
            create_client(session, cast.head, name=f"=Клиент {number}", contact=f"8916{number:07d}", note="+7")


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_a_small_export_is_made_at_once_with_its_mark(cast, database, kind) -> None:
    make(cast, database, 3)
    with database.write.begin() as session:
        with pytest.raises(Refused):
            exports.ask_export(session, cast.head, " ", {}, kind)
        row = exports.ask_export(session, cast.head, "сверка с бухгалтерией", {}, kind)
        assert row.state == "allowed"
    assert exports.run_exports(database) == 1
    with database.write.begin() as session:
        row, content = exports.take_export(session, cast.head, row.id)
        assert session.query(Event).filter_by(kind="export.taken").count() == 1
        assert session.query(Event).filter_by(kind="client.exported").count() == 3
        mark = row.mark
    if kind == "xlsx":
        lines = [[cell or "" for cell in line] for line in load_workbook(io.BytesIO(content)).active.values]
    else:
        lines = [line.split(";") for line in content.decode("utf-8-sig").splitlines()]
        assert mark in lines[-1][0]
    assert mark in lines[0][0]
    assert "Марина Котова" in lines[0][0]
    assert lines[2][2].lstrip("'") == "=Клиент 0"
    assert lines[2][3].lstrip("'") == "+7 916 000-00-00"


def test_above_fifty_the_head_has_to_agree(cast, database) -> None:
    make(cast, database, 51)
    with database.write.begin() as session:
        row = exports.ask_export(session, cast.head, "рассылка о переезде", {}, "csv").id
    assert exports.run_exports(database) == 0
    with database.write.begin() as session:
        with pytest.raises(Forbidden):
            exports.decide_export(session, cast.smm, row, allow=True)
        exports.decide_export(session, cast.head, row, allow=True)
        with pytest.raises(Refused):
            exports.decide_export(session, cast.head, row, allow=False)
    assert exports.run_exports(database) == 1


def test_a_file_lives_a_day_and_is_its_askers(cast, database) -> None:
    make(cast, database, 1)
    with database.write.begin() as session:
        row = exports.ask_export(session, cast.head, "сверка", {}, "csv").id
        with pytest.raises(Refused):
            exports.ask_export(session, cast.head, "сверка", {"segment": "former"}, "csv")
    exports.run_exports(database)
    with database.write.begin() as session, pytest.raises((Forbidden, NotFound)):
        exports.take_export(session, cast.smm, row)
    with time_machine.travel(utc_now() + timedelta(hours=25)):
        exports.run_exports(database)
        with database.read.begin() as session:
            kept = session.get_one(ClientExport, row)
            assert (kept.state, kept.content) == ("gone", None)
