"""Sign-on against a real OpenID Connect provider: what proves an account, and whose it may become."""

import base64
import hashlib
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import select

from collectors.wire import Guard, Wire
from models import Event, Staff, StaffIdentity
from services.errors import Forbidden, NotFound, Refused
from services.rights import DESK
from services.sign_on import Account, Provider, SignOn, identities_of, link_account, person_of, unlink_account
from tests.sign_on import open_provider

BACK = "https://desk.example/login/sign-on/back"
ANNA = Account("https://id.example", "anna-1", "smm@school.example")


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    with open_provider() as address:
        yield address


@pytest.fixture
def sign_on(provider) -> SignOn:
    known = Provider(provider, "desk", "secret", "Школа")
    return SignOn(known, Wire(Guard(allow_private=frozenset({urlsplit(provider).netloc}))))


def approve(url: str, sub: str = "anna-1") -> dict[str, str]:
    """What a person does at the provider; the query it sends them back with."""
    answer = httpx.post(url, data={"sub": sub}, follow_redirects=False)
    assert answer.status_code == 302, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def test_the_code_flow_tells_who_it_is(sign_on) -> None:
    url, kept = sign_on.begin(BACK)
    asked = parse_qs(urlsplit(url).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["nonce"] == [kept["nonce"]]
    assert kept["verifier"] not in url
    digest = hashlib.sha256(kept["verifier"].encode()).digest()  # RFC 7636 §4.2: a stolen code is worth nothing
    assert asked["code_challenge"] == [base64.urlsafe_b64encode(digest).decode().rstrip("=")]
    account = sign_on.finish(BACK, kept, approve(url))
    assert (account.issuer, account.subject) == (sign_on.provider.issuer, "anna-1")


def test_what_was_begun_elsewhere_or_long_ago_proves_nothing(sign_on) -> None:
    url, kept = sign_on.begin(BACK)
    said = approve(url)
    for changed in ({**kept, "state": "another"}, {}, {**kept, "at": kept["at"] - 601}):
        with pytest.raises(Refused, match=r"sign_on\.stale"):
            sign_on.finish(BACK, changed, said)
    with pytest.raises(Refused, match=r"sign_on\.failed") as told:
        sign_on.finish(BACK, {**kept, "nonce": "another"}, said)
    assert told.value.data["why"] == "InvalidClaimError"
    # The code is spent by the last try: a provider gives a token for it once.
    with pytest.raises(Refused, match=r"sign_on\.refused"):
        sign_on.finish(BACK, kept, said)


def test_a_person_who_says_no(sign_on) -> None:
    _url, kept = sign_on.begin(BACK)
    with pytest.raises(Refused, match=r"sign_on\.refused"):
        sign_on.finish(BACK, kept, {"state": kept["state"], "error": "access_denied"})


def test_a_provider_by_plain_http_or_inside_is_not_asked(provider) -> None:
    known = Provider(provider, "desk", "secret", "Школа")
    with pytest.raises(Refused) as told:
        SignOn(known, Wire(Guard())).begin(BACK)
    assert told.value.data["why"] == "https"
    with pytest.raises(Refused):
        SignOn(Provider("https://127.0.0.1:1", "desk", "s", ""), Wire(Guard())).begin(BACK)


def test_a_provider_that_names_another(provider) -> None:
    wire = Wire(Guard(allow_private=frozenset({urlsplit(provider).netloc})))
    with pytest.raises(Refused) as told:
        SignOn(Provider(re.sub("127.0.0.1", "localhost", provider), "desk", "s", ""), wire).begin(BACK)
    assert told.value.data["why"] in ("issuer", "https")


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
