"""Whose an account of the provider may become."""

import pytest
from sqlalchemy import select

from collectors.sign_on import Account
from models import Event, Staff, StaffIdentity
from services.errors import Forbidden, NotFound, Refused
from services.rights import DESK
from services.sign_on import identities_of, link_account, person_of, unlink_account

BACK = "https://desk.example/login/sign-on/back"
ANNA = Account("https://id.example", "anna-1", "smm@school.example")


def test_the_address_alone_opens_nothing(cast, database) -> None:
    with database.write.begin() as session:
        assert session.get_one(Staff, cast.smm.staff_id).email == ANNA.label
        with pytest.raises(Refused, match=r"sign_on\.nobody"):
            person_of(session, ANNA)
        row = link_account(session, cast.smm, ANNA)
        assert link_account(session, cast.smm, ANNA) is row
        assert person_of(session, ANNA).id == cast.smm.staff_id
        with pytest.raises(Refused, match=r"sign_on\.taken"):
            link_account(session, cast.head, ANNA)
        with pytest.raises(NotFound):
            link_account(session, DESK, Account(ANNA.issuer, "x", ""))
        kinds = list(session.scalars(select(Event.kind).where(Event.kind.startswith("sign_on."))))
        assert kinds == ["sign_on.linked", "sign_on.used"]


def test_who_left_is_not_let_in_and_unlinking_ends_it(cast, database) -> None:
    with database.write.begin() as session:
        row = link_account(session, cast.smm, ANNA)
        staff = session.get_one(Staff, cast.smm.staff_id)
        staff.active = False
        with pytest.raises(Refused, match=r"sign_on\.nobody"):
            person_of(session, ANNA)
        staff.active = True
        with pytest.raises(NotFound):
            unlink_account(session, cast.curator, row.id)
        with pytest.raises(Forbidden):
            identities_of(session, cast.curator, cast.smm.staff_id)
        assert identities_of(session, cast.smm, cast.smm.staff_id) == [row]
        unlink_account(session, cast.smm, row.id)
        assert session.scalars(select(StaffIdentity)).all() == []
        with pytest.raises(Refused, match=r"sign_on\.nobody"):
            person_of(session, ANNA)
