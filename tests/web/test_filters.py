"""The address bar: words it knows, words it does not, and what it writes is read back as it was."""

import string

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from models import Case, Tag
from services.filters import MOST_CONDITIONS, MOST_GROUPS, Condition
from web.filters import VALUES, query_of, read_filters, read_groups, write_groups

KNOWN = st.sampled_from(
    [
        Condition(field, value, negated=negated)
        for field, value in (
            ("label", "question"), ("label", "unsure"), ("platform", "vk"), ("source", "7"), ("tag", "3"),
            ("kind", "application"), ("theme", "payment"), ("signal", "any"), ("assignee", "me"),
            ("assignee", "12"),
            ("department", "2"), ("stage", "wait"), ("visibility", "private"), ("older", "3"), ("urgent", "1"),
            ("newer", "30"), ("unended", "1"), ("author", "9"), ("lift", "failed"),
        )
        for negated in (False, True)
    ]
)  # fmt: skip


def test_every_field_of_a_condition_has_its_values() -> None:
    from services.filters import FIELDS

    assert set(VALUES) == set(FIELDS)


@given(st.lists(st.lists(KNOWN, min_size=1, max_size=MOST_CONDITIONS), max_size=MOST_GROUPS))
def test_groups_are_read_as_they_were_written(groups) -> None:
    wanted = tuple(map(tuple, groups))
    assert read_groups(write_groups(wanted)) == wanted
    filters = read_filters({"any": write_groups(wanted), "tag": "4"})
    assert read_filters(query_of(filters)) == filters


@given(st.text(alphabet=string.ascii_lowercase + string.digits + ":;|-«№\x00 ", max_size=200))
def test_anything_else_is_left_out(text) -> None:
    groups = read_groups(text)
    assert len(groups) <= MOST_GROUPS
    assert all(0 < len(group) <= MOST_CONDITIONS for group in groups)
    assert read_groups(write_groups(groups)) == groups


def test_a_mark_and_an_or_in_the_inbox(enter, open_case, database) -> None:
    case_id, smm = open_case(), enter("smm")
    assert smm.post(f"/inbox/{case_id}/tags", htmx=True, name="Вебинар").status_code == 204
    assert smm.post(f"/inbox/{case_id}/tags", htmx=True, name=" ").status_code == 422
    with database.read.begin() as session:
        tag = session.scalars(select(Tag)).one()
    assert "Вебинар" in smm.get("/inbox").text
    assert "Поставлена метка" in smm.get(f"/inbox/{case_id}", htmx=True).text
    listed = f'id="row-{case_id}"'
    assert listed in smm.get(f"/inbox?tag={tag.id}").text
    found = f"/inbox?any=tag:{tag.id};stage:new|label:spam"
    assert listed in smm.get(found).text
    assert "Считаем" in smm.get(found).text
    assert "Подходит 1 обращение" in smm.get(found.replace("?", "/count?"), htmx=True).text
    assert listed not in smm.get(f"/inbox?any=-tag:{tag.id}").text
    assert smm.post(f"/inbox/{case_id}/tags/{tag.id}/remove", htmx=True).status_code == 204
    assert enter("curator").post(f"/inbox/{case_id}/tags", htmx=True, name="Чужая").status_code == 403
    with database.read.begin() as session:
        assert session.scalars(select(Case.id)).all() == [case_id]
