"""Files with a reply: what may be added, how they go, and that they come back with the text."""

import hashlib
from datetime import timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from models import Act, Case, Draft, Event, Reply, ReplyFile, utc_now
from services.accounts import create_staff
from services.errors import Forbidden, NotFound, Refused
from services.replies import change_published, take_back, write_reply
from services.reply_files import (
    ENDINGS,
    add_file,
    drop_file,
    file_shown,
    files_beside,
    form_of,
    run_clear_files,
)
from services.rights import DESK, actor_of
from tests.platforms import meeting
from tests.sandbox.test_files import png
from tests.services.test_sending import question, settle, state

PDF = b"%PDF-1.4\n"


@pytest.fixture
def met(database, tmp_path):
    with meeting(database, tmp_path / "platforms") as found:
        yield found


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("a.JPG", b"\xff\xd8\xff\xe0", ("photo", "image/jpeg", "jpg")),
        ("счёт.pdf", PDF, ("document", "application/pdf", "pdf")),
        ("счёт.exe", PDF, ("document", "application/pdf", "pdf")),  # it is what it is, and called so
        ("clip.mov", b"\0\0\0\x18ftypqt  ", ("video", "video/mp4", "mov")),
        ("цены.csv", "имя;цена".encode(), ("document", "text/csv", "csv")),
        ("план.docx", b"PK\x03\x04....", ("document", "application/vnd.openxmlformats-officedocument"
                                          ".wordprocessingml.document", "docx")),
        ("архив.zip", b"PK\x03\x04....", None), ("page.html", b"<script>", None), ("a.svg", b"<svg/>", None),
        ("run.exe", b"MZ\x90", None), ("пусто.txt", b"", None), ("bin.txt", b"a\0b", None), ("", b"", None),
    ],
)  # fmt: skip
def test_a_file_is_what_its_first_bytes_say(name, content, form) -> None:
    assert form_of(name, content) == form


@given(st.text(max_size=80), st.binary(max_size=40))
def test_no_file_is_called_what_it_is_not(name, content) -> None:
    form = form_of(name, content)
    assert form is None or form[2] in ENDINGS


def test_what_the_platform_would_not_take_is_refused_before_it_is_sent(cast, database) -> None:
    cast.write("Когда вебинар?")  # on YouTube, which takes no files
    with database.write.begin() as session:
        case_id = session.scalars(select(Case.id)).one()
        with pytest.raises(Refused, match=r"file\.none"):
            add_file(session, cast.smm, case_id, "a.png", png())
        with pytest.raises(Refused, match=r"file\.type"):
            add_file(session, cast.smm, case_id, "a.exe", b"MZ")
        with pytest.raises(Forbidden):
            add_file(session, cast.curator, case_id, "a.png", png())
        with pytest.raises(NotFound):
            write_reply(session, cast.smm, case_id, "Текст", "k1", files=[77])


def test_a_photo_goes_with_the_reply_and_stands_there(met) -> None:
    message = question(met, "telegram")
    with met.database.write.begin() as session:
        added = add_file(session, met.smm, message.case_id, "Расписание на ноябрь.png", png()).id
        assert add_file(session, met.smm, message.case_id, "ещё раз.png", png()).id == added
        with pytest.raises(Refused, match=r"file\.many"):  # one goes with a text there
            add_file(session, met.smm, message.case_id, "второй.pdf", PDF)
        with pytest.raises(Refused, match=r"text\.long"):
            write_reply(session, met.smm, message.case_id, "я" * 1025, "k0", files=[added])
    with met.database.write.begin() as session:
        write_reply(
            session, met.smm, message.case_id, "Вот расписание", "k1", message_id=message.id, undo_seconds=0,
            files=[added],
        )  # fmt: skip
        assert files_beside(session, met.smm, message.case_id) == []
        act_id = session.scalars(select(Act.id)).one()
    met.send()
    assert state(met, act_id) == "accepted"
    [stands] = [item for item in met.running.truth("telegram") if item["text"] == "Вот расписание"]
    [file] = stands["files"]
    assert file["digest"] == hashlib.sha256(png()).hexdigest()
    assert httpx.get(f"{met.running.url}/files/{file['id']}", trust_env=False).content == png()
    with met.database.write.begin() as session:
        assert file_shown(session, met.smm, message.case_id, added).content == png()
        with pytest.raises(Refused, match=r"text\.long"):  # beside a photo it stays short when it is edited too
            change_published(session, met.smm, act_id, "e0", text="я" * 1025, undo_seconds=0)
        change_published(session, met.smm, act_id, "e1", text="Вот новое расписание", undo_seconds=0)
    met.send()
    [stands] = [item for item in met.running.truth("telegram") if item["text"] == "Вот новое расписание"]
    assert len(stands["files"]) == 1


def test_undo_gives_the_file_back_and_one_that_is_gone_is_said(met) -> None:
    message = question(met, "telegram")
    with met.database.write.begin() as session:
        added = add_file(session, met.smm, message.case_id, "a.pdf", PDF).id
        write_reply(session, met.smm, message.case_id, "Вот договор", "k1", message_id=message.id, files=[added])
    with met.database.write.begin() as session:
        take_back(session, met.smm, session.scalars(select(Act.id)).one())
        assert [row.id for row in files_beside(session, met.smm, message.case_id)] == [added]
    with met.database.write.begin() as session:
        write_reply(
            session, met.smm, message.case_id, "Вот договор", "k2", message_id=message.id, undo_seconds=0,
            files=[added],
        )  # fmt: skip
        act_id = session.scalars(select(Act.id).order_by(Act.id.desc())).first()
        session.execute(delete(ReplyFile))
    met.send()
    assert state(met, act_id) == "dead"
    assert [item for item in met.running.truth("telegram") if item["text"] == "Вот договор"] == []


def test_an_answer_with_a_photo_that_got_lost_is_not_sent_twice(met) -> None:
    message = question(met, "telegram")
    with met.database.write.begin() as session:
        added = add_file(session, met.smm, message.case_id, "a.png", png()).id
        write_reply(
            session, met.smm, message.case_id, "Вот", "k1", message_id=message.id, undo_seconds=0, files=[added]
        )
        act_id = session.scalars(select(Act.id)).one()
    met.running.strike("telegram", "sendPhoto", "reset_after")
    met.send()
    assert state(met, act_id) == "unknown"
    settle(met, act_id)
    met.send()
    assert state(met, act_id) == "review"
    assert len([item for item in met.running.truth("telegram") if item["text"] == "Вот"]) == 1


def test_a_draft_file_is_ones_own(met) -> None:
    message = question(met, "telegram")
    with met.database.write.begin() as session:
        made = create_staff(session, DESK, email="second@school.example", name="Ольга Ель", roles=("smm",))
        other = actor_of(made)
        added = add_file(session, other, message.case_id, "a.png", png()).id
        with pytest.raises(NotFound):
            file_shown(session, met.smm, message.case_id, added)
        with pytest.raises(NotFound):
            write_reply(session, met.smm, message.case_id, "Вот", "k1", files=[added])
        drop_file(session, met.smm, added)
        assert session.scalar(select(func.count()).select_from(ReplyFile)) == 1
        drop_file(session, other, added)
        drop_file(session, other, added)
        assert session.scalar(select(func.count()).select_from(ReplyFile)) == 0


def test_files_of_drafts_that_nobody_sent_go_after_a_week(cast, database) -> None:
    """Not what a person still writes about, and never what went out; the content is out of the database too."""
    now = utc_now()
    cast.write("Когда вебинар?")
    with database.write.begin() as session:
        case_id = session.scalars(select(Case.id)).one()
        reply = Reply(case_id=case_id, staff_id=cast.smm.staff_id, text="Вот", form_key="k")
        session.add(reply)
        session.flush()
        rows = [
            ("old", cast.smm.staff_id, 8, None), ("new", cast.smm.staff_id, 6, None),
            ("sent", cast.smm.staff_id, 300, reply.id), ("written", cast.head.staff_id, 30, None),
        ]  # fmt: skip
        for name, staff_id, days, reply_id in rows:
            session.add(
                ReplyFile(
                    case_id=case_id, staff_id=staff_id, reply_id=reply_id, kind="document", name=name,
                    content_type="application/pdf", size=len(PDF), digest=name, content=PDF,
                    created_at=now - timedelta(days=days),
                )
            )  # fmt: skip
        session.add(Draft(case_id=case_id, staff_id=cast.head.staff_id, text="Посмот", updated_at=now))
    assert run_clear_files(database, now) == 1
    assert run_clear_files(database, now) == 0
    with database.read.begin() as session:
        assert sorted(session.scalars(select(ReplyFile.name))) == ["new", "sent", "written"]
        assert session.scalars(select(Event).where(Event.kind == "files.cleared")).one().data == {"count": 1}
    assert run_clear_files(database, now + timedelta(days=8)) == 2
