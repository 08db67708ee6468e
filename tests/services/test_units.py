"""A day's units: the plan adds up to the limit, hours stand side by side, the order of purposes is kept."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.airing import DayUnits
from models import Broadcast, BroadcastPlace, Source
from services.errors import Forbidden
from services.units import PURPOSES, _hours, day_of_units

NOW = datetime(2026, 11, 26, 18, 20, tzinfo=UTC)
TO_MIDNIGHT = (datetime(2026, 11, 27, 8, tzinfo=UTC) - NOW).total_seconds()


def told(**more: int) -> DayUnits:
    return DayUnits(**{"name": "youtube:c", "day": "2026-11-26", "limit": 10_000, "reserve": 2_000, "new": 3_000,
                       "seconds": TO_MIDNIGHT, **more})  # fmt: skip


def test_the_plan_of_a_day_with_a_broadcast(cast, database) -> None:
    spending = {("new", "2026-11-26T08"): 120, ("new", "2026-11-26T18"): 30, ("answers", "2026-11-26T18"): 50}
    with database.write.begin() as session:
        source = session.get_one(Source, cast.source_id)
        row = Broadcast(
            kind="stream", title="Эфир", state="duty", starts_at=NOW + timedelta(hours=1),
            ends_at=NOW + timedelta(hours=2),
        )  # fmt: skip
        session.add(row)
        session.flush()
        session.add(BroadcastPlace(broadcast_id=row.id, platform="youtube", source_id=source.id, chat="chat-1"))
        session.flush()
        found = day_of_units(session, cast.smm, source, told(), spending, NOW)
        planned = {share.purpose: share.planned for share in found.shares}
        assert planned == {"new": 3_000, "live": 3_600, "deep": 1_400, "answers": 2_000}
        assert (found.spent, found.ends_at) == (200, datetime(2026, 11, 27, 8, tzinfo=UTC))
        assert [at.hour for at, _ in found.hours] == [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]
        assert found.hours[0][1] == (120, 0, 0, 0)
        assert found.hours[-1][1] == (30, 0, 0, 50)
        assert not found.resting
        with pytest.raises(Forbidden):
            day_of_units(session, cast.curator, source, told(), spending, NOW)


@given(
    st.integers(100, 20_000), st.integers(0, 9_000), st.integers(0, 30_000), st.floats(1, 86_400),
    st.dictionaries(st.sampled_from(PURPOSES), st.integers(0, 9_000)),
)  # fmt: skip
def test_hours_and_sums(limit: int, reserve: int, new: int, seconds: float, parts: dict[str, int]) -> None:
    spending = {(purpose, NOW.strftime("%Y-%m-%dT%H")): units for purpose, units in parts.items()}
    hours = _hours(spending, NOW + timedelta(seconds=seconds), NOW)
    times = [at for at, _ in hours]
    assert times == sorted(set(times))
    assert all(at <= NOW for at in times)
    assert len(times) <= 25
    assert sum(sum(numbers) for _, numbers in hours) == sum(parts.values()) or not times
