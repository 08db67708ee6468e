"""Critical and high cases stand first in every order, and pages by key lose and repeat nothing."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from models import Author, Case, CaseTag, Message, Source, Tag, utc_now
from services.errors import Refused
from services.filters import Condition, Filters
from services.freshness import key_of, newer_ids
from services.inbox import count_cases, list_cases, next_case
from services.order import parse_place, place_of
from services.rights import DESK

BEGAN = utc_now().replace(microsecond=0)
LABELS = ("question", "complaint", "wish")
Drawn = tuple[int, int, int | None, str, bool]
cases = st.lists(
    st.tuples(
        st.integers(0, 3), st.integers(0, 4), st.none() | st.integers(0, 3), st.sampled_from(LABELS), st.booleans()
    ),
    max_size=14,
)
groups = st.lists(
    st.lists(
        st.builds(Condition, st.just("label"), st.sampled_from(LABELS), st.booleans())
        | st.builds(Condition, st.just("urgent"), st.just("1"), st.booleans())
        | st.builds(Condition, st.just("assignee"), st.sampled_from(("me", "none")), st.booleans()),
        min_size=1, max_size=2,
    ).map(tuple),
    max_size=3,
).map(tuple)  # fmt: skip


def put(session, drawn: list[Drawn], staff_id: int | None) -> None:
    """Cases as drawn instead of those there were: priority, minute, minute of the deadline, kind, led by us."""
    session.execute(update(Message).values(case_id=None))
    session.execute(delete(Case))
    source, author = session.scalars(select(Source.id)).first(), session.scalars(select(Author.id)).first()
    for number, (priority, minute, due, label, led) in enumerate(drawn):
        at = BEGAN - timedelta(minutes=minute)
        session.add(
            Case(
                number=f"ОБ-{number}", stage="new", subject_key=f"k{number}", open_key=f"k{number}", label=label,
                source_id=source, author_id=author, visibility="public", sure=True, priority=priority, opened_at=at,
                last_message_at=at, due_at=None if due is None else BEGAN + timedelta(minutes=due),
                assignee_id=staff_id if led else None,
            )
        )  # fmt: skip
    session.flush()


def holds(case: Case, one: Condition, me: int) -> bool:
    found = {
        "label": case.label == one.value, "urgent": case.priority <= 1,
        "assignee": case.assignee_id == (me if one.value == "me" else None),
    }[one.field]  # fmt: skip
    return found != one.negated


def expected(session, filters: Filters, me: int) -> list[int]:
    """By sorting everything, which no list does."""
    found = [
        case
        for case in session.scalars(select(Case))
        if (filters.sort != "due" or case.due_at)
        and (not filters.groups or any(all(holds(case, one, me) for one in group) for group in filters.groups))
    ]
    sign = -1 if filters.sort == "new" else 1

    def key(case: Case):
        place = place_of(case, filters.sort)
        return place.lane, sign * place.at.timestamp(), sign * case.id

    return [case.id for case in sorted(found, key=key)]


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(drawn=cases, sort=st.sampled_from(("new", "wait", "due")), size=st.integers(1, 5), wanted=groups)
def test_pages_by_key_are_the_whole_list_once(cast, database, drawn, sort, size, wanted) -> None:
    filters = Filters(sort=sort, groups=wanted)
    with database.write.begin() as session:
        put(session, drawn, cast.smm.staff_id)
        seen: list[int] = []
        after = None
        while True:
            page = list_cases(session, cast.smm, filters, after=after, limit=size)
            seen += [row.case.id for row in page.rows]
            after = page.after
            if after is None:
                break
        assert seen == expected(session, filters, cast.smm.staff_id)
        assert count_cases(session, cast.smm, filters) == len(seen)
        for here, below in zip(seen, [*seen[1:], None], strict=False):
            assert next_case(session, cast.smm, filters, session.get_one(Case, here)) == below
        session.rollback()


@pytest.fixture
def source(cast) -> None:
    cast.write("Первый?")


@pytest.fixture(autouse=True)
def _somebody(source) -> None:
    """A place and an author that the drawn cases hang on."""


def add(session, cast, number: int, priority: int, minute: int) -> Case:
    source, author = session.scalars(select(Source.id)).first(), session.scalars(select(Author.id)).first()
    at = BEGAN + timedelta(minutes=minute)
    case = Case(
        number=f"Н-{number}", stage="new", subject_key=f"n{number}", open_key=f"n{number}", source_id=source,
        author_id=author, visibility="public", priority=priority, opened_at=at, last_message_at=at,
    )  # fmt: skip
    session.add(case)
    session.flush()
    return case


def test_the_pill_counts_what_is_new_in_each_lane(cast, database) -> None:
    with database.write.begin() as session:
        put(session, [], None)
        high, other = add(session, cast, 1, 1, 10), add(session, cast, 2, 2, 0)
        top = f"{key_of(high)},{key_of(other)}"
        assert len(newer_ids(session, cast.smm, Filters(), top)) == 0
        add(session, cast, 3, 2, 1)  # above the other one, although below the urgent one
        assert len(newer_ids(session, cast.smm, Filters(), top)) == 1
        add(session, cast, 4, 0, 2)  # critical, where there was none
        assert len(newer_ids(session, cast.smm, Filters(), top)) == 2
        # The page was full of urgent ones: what comes under it is not new to whoever reads it.
        assert len(newer_ids(session, cast.smm, Filters(), f"{key_of(high)}|1")) == 1
        assert len(newer_ids(session, cast.smm, Filters(), "")) == 4
        session.rollback()


def test_a_tag_narrows_and_joins(cast, database) -> None:
    with database.write.begin() as session:
        put(session, [(2, 0, None, "question", False), (2, 1, None, "wish", False)], None)
        first, second = session.scalars(select(Case.id).order_by(Case.id))
        tag = Tag(name="Блогер", key="блогер")
        session.add(tag)
        session.flush()
        session.add(CaseTag(case_id=first, tag_id=tag.id))
        session.flush()
        shown = lambda filters: [row.case.id for row in list_cases(session, DESK, filters).rows]  # noqa: E731
        assert shown(Filters(tag_id=tag.id)) == [first]
        either = ((Condition("tag", str(tag.id)),), (Condition("label", "wish"),))
        assert shown(Filters(groups=either)) == [first, second]
        assert shown(Filters(groups=((Condition("tag", str(tag.id), negated=True),),))) == [second]
        session.rollback()


@pytest.mark.parametrize("key", ["", "1", "3:1.0:5", "-1:1.0:5", "0:x:5", "0:1.0:-5", "0:1e400:5"])
def test_a_wrong_key_is_refused(key) -> None:
    with pytest.raises(Refused):
        parse_place(key)
