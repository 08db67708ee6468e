"""Sign-on against a real OpenID Connect provider: what proves an account."""

import base64
import hashlib
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from collectors.sign_on import Provider, SignOn, SignOnError
from collectors.wire import Guard, Wire
from tests.sign_on import approve, open_provider

BACK = "https://desk.example/login/sign-on/back"


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    with open_provider() as address:
        yield address


@pytest.fixture
def sign_on(provider) -> SignOn:
    known = Provider(provider, "desk", "secret", "Школа")
    return SignOn(known, Wire(Guard(allow_private=frozenset({urlsplit(provider).netloc}))))


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
        with pytest.raises(SignOnError, match=r"stale"):
            sign_on.finish(BACK, changed, said)
    with pytest.raises(SignOnError, match=r"failed") as told:
        sign_on.finish(BACK, {**kept, "nonce": "another"}, said)
    assert told.value.why == "InvalidClaimError"
    # The code is spent by the last try: a provider gives a token for it once.
    with pytest.raises(SignOnError, match=r"refused"):
        sign_on.finish(BACK, kept, said)


def test_a_person_who_says_no(sign_on) -> None:
    _url, kept = sign_on.begin(BACK)
    with pytest.raises(SignOnError, match=r"refused"):
        sign_on.finish(BACK, kept, {"state": kept["state"], "error": "access_denied"})


def test_a_provider_by_plain_http_or_inside_is_not_asked(provider) -> None:
    known = Provider(provider, "desk", "secret", "Школа")
    with pytest.raises(SignOnError) as told:
        SignOn(known, Wire(Guard())).begin(BACK)
    assert told.value.why == "https"
    with pytest.raises(SignOnError):
        SignOn(Provider("https://127.0.0.1:1", "desk", "s", ""), Wire(Guard())).begin(BACK)


def test_a_provider_that_names_another(provider) -> None:
    wire = Wire(Guard(allow_private=frozenset({urlsplit(provider).netloc})))
    with pytest.raises(SignOnError) as told:
        SignOn(Provider(re.sub("127.0.0.1", "localhost", provider), "desk", "s", ""), wire).begin(BACK)
    assert told.value.why in ("issuer", "https")
