"""Logging in by the school's provider, on the pages, with a real one behind them."""

from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import pytest
from sqlalchemy import select

from collectors.wire import Guard, Wire
from config import OidcConfig
from models import StaffIdentity
from tests.sign_on import approve, open_provider

BACK = "/login/sign-on/back"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with open_provider() as found:
        yield found


@pytest.fixture
def provider(desk, address) -> str:
    desk.config = desk.config.model_copy(
        update={"oidc": OidcConfig(issuer=address, client_id="desk", client_secret="s", title="Школа ID")}
    )
    desk.mode = "work"
    desk.wire = Wire(Guard(allow_private=frozenset({urlsplit(address).netloc})))
    return address


@pytest.fixture
def stranger(visitor):
    return visitor


def come_back(answer) -> str:
    """The address to which the provider sends a person who approved."""
    assert answer.status_code in (204, 302), answer.text
    led = answer.headers.get("HX-Redirect") or answer.headers["Location"]
    return f"{BACK}?{urlencode(approve(led))}"


def link(person):
    """A form may not lead to the provider, so the page goes there itself."""
    return person.post("/sign-on", htmx=True)


def test_without_a_provider_nothing_of_it_is_there(enter, stranger) -> None:
    smm = enter("smm")
    assert "/sign-on" not in smm.get("/inbox").text
    assert smm.get("/sign-on").status_code == 404
    assert stranger.get("/login/sign-on").status_code == 404


def test_in_training_nothing_leaves_for_a_provider(provider, desk, stranger) -> None:
    desk.mode = "training"
    assert "/sign-on" not in stranger.get("/login").text
    assert stranger.get("/login/sign-on").status_code == 404


def test_linked_by_who_is_in_and_used_by_who_is_not(provider, enter, stranger, cast, database) -> None:
    assert "Войти через «Школа ID»" in stranger.get("/login").text
    refused = stranger.get(come_back(stranger.get("/login/sign-on")))
    assert (refused.status_code, "ни к кому не привязана" in refused.text) == (422, True)

    smm = enter("smm")
    assert "пока не привязана" in smm.get("/sign-on").text
    assert f'href="{provider}' in smm.post("/sign-on").text  # without scripts by a link
    assert smm.get(come_back(link(smm))).headers["Location"].endswith("/sign-on")
    assert "anna-1" in smm.get("/sign-on").text

    answer = stranger.get(come_back(stranger.get("/login/sign-on?next=/inbox")))
    assert answer.headers["Location"].endswith("/inbox")
    assert stranger.get("/inbox").status_code == 200
    with database.read.begin() as session:
        [row] = session.scalars(select(StaffIdentity))
        assert row.staff_id == cast.smm.staff_id
        assert row.used_at is not None
    smm.post(f"/sign-on/{row.id}/unlink")
    assert "пока не привязана" in smm.get("/sign-on").text


def test_what_was_not_begun_here_links_and_opens_nothing(provider, enter, stranger, database) -> None:
    assert stranger.get(f"{BACK}?state=s1&code=c").status_code == 422
    address = come_back(stranger.get("/login/sign-on"))
    assert stranger.get(f"{BACK}?state=other&code=c").status_code == 422
    assert stranger.get(address).status_code == 422  # what was kept is used up
    smm = enter("smm")
    assert smm.get(come_back(stranger.get("/login/sign-on"))).status_code == 422  # begun by somebody else
    with database.read.begin() as session:
        assert session.scalars(select(StaffIdentity)).all() == []


def test_a_foreign_next_is_not_followed(provider, enter, stranger) -> None:
    smm = enter("smm")
    smm.get(come_back(link(smm)))
    answer = stranger.get(come_back(stranger.get("/login/sign-on?next=https://evil.example/")))
    assert answer.status_code == 302
    assert "evil" not in answer.headers["Location"]
