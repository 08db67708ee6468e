"""«Публичные жалобы без видимого конца»."""

from sqlalchemy import select, update

from models import Act, Case, utc_now
from services.cases import close
from services.filters import Filters
from services.inbox import list_cases
from tests.services.test_cases import label_all


def test_a_public_complaint_without_a_visible_end_is_found(cast, database) -> None:
    """Closed without a word of ours that is to be seen there; neither a private one nor an answered one."""
    for text in ("Почему не могу войти?", "Почему нет урока?", "Почему нет чека?", "Почему нет записи?"):
        cast.write(text, text)
    cast.private("Почему нет записи?", "Анна")
    label_all(database)
    with database.write.begin() as session:
        session.execute(update(Case).values(label="complaint", sure=True))
        cases = list(session.scalars(select(Case).order_by(Case.id)))
        for case, reason in zip(cases, ("other", "answered", "answered_in_thread", "spam", "other"), strict=True):
            close(session, cast.smm, case.id, reason)
        session.add(
            Act(case_id=cases[1].id, source_id=cast.source_id, kind="reply", state="seen", token="t", target={},
                due_at=utc_now(), staff_id=cast.smm.staff_id)
        )  # fmt: skip
    with database.read.begin() as session:
        page = list_cases(session, cast.smm, Filters(stage="closed", unended=True))
        assert [row.case.id for row in page.rows] == [cases[0].id]
