"""The holding reply promises the end of the next working day, by the desk's own clock."""

from datetime import UTC, datetime

import pytest

from services.holding import holding_text, promised_until
from services.terms import save_terms


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (datetime(2026, 11, 25, 9, tzinfo=UTC), "2026-11-26T17:00"),  # Wednesday
        (datetime(2026, 11, 27, 9, tzinfo=UTC), "2026-11-30T17:00"),  # Friday
        (datetime(2026, 11, 25, 22, tzinfo=UTC), "2026-11-27T17:00"),  # already Thursday in Moscow
        (datetime(2026, 11, 3, 9, tzinfo=UTC), "2026-11-05T17:00"),  # before a holiday
        (datetime(2026, 12, 30, 9, tzinfo=UTC), "2027-01-11T17:00"),
    ],
)
def test_the_next_working_day(now, until) -> None:
    assert promised_until(now, "Europe/Moscow").strftime("%Y-%m-%dT%H:%M") == until


def test_the_text_names_the_day(database) -> None:
    with database.read.begin() as session:
        said = holding_text(session, "Europe/Moscow", datetime(2026, 11, 25, 9, tzinfo=UTC))
    assert said == "Взяли ваш вопрос в работу, вернёмся с ответом до четверга, 17:00."


def test_the_schools_own_days_off_are_not_promised(cast, database) -> None:
    with database.write.begin() as session:
        save_terms(session, cast.head, {"changes": {"2026-11-26": "off"}})
        said = holding_text(session, "Europe/Moscow", datetime(2026, 11, 25, 9, tzinfo=UTC))
    assert "до пятницы, 17:00" in said
