"""«Подключить»: consent, code, token, renewal and the warning before the end, against the sandbox's pages."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from sqlalchemy import func, select

from collectors.base import ChannelError
from models import Notice, Setting, Source, Staff, utc_now
from sandbox import keys
from services.access import begin_access, run_come_back, run_renew, run_warn_of_ends
from services.accounts import create_staff
from services.errors import Forbidden, Refused
from services.notices import notices_of
from services.rights import DESK, Actor, actor_of
from tests.platforms import Meeting, meeting

BACK = "http://127.0.0.1:8670/places/connected"


@pytest.fixture
def met(database, tmp_path) -> Iterator[Meeting]:
    with meeting(database, tmp_path / "platforms") as found:
        yield found


@pytest.fixture
def head(met, database) -> Actor:
    with database.write.begin() as session:
        staff = create_staff(session, DESK, email="h@school.example", name="Марина", roles=("administrator",))
        return actor_of(session.get_one(Staff, staff.id))


def values(met: Meeting, platform: str) -> dict[str, object]:
    root = met.running.url
    if platform == "vk":
        return {"group_id": keys.VK_GROUP, "app_id": keys.VK_APP, "consent_url": f"{root}/vkid",
                "base_url": f"{root}/vk/"}  # fmt: skip
    return {
        "client_id": keys.YOUTUBE_CLIENT_ID, "client_secret": keys.YOUTUBE_CLIENT_SECRET,
        "consent_url": f"{root}/youtube/consent", "token_url": f"{root}/youtube/token",
        "base_url": f"{root}/youtube/",
    }  # fmt: skip


def begin(
    met: Meeting, actor: Actor, platform: str, *, source_id: int | None = None, depth: str = "", **more: object
) -> str:
    with met.database.write.begin() as session:
        return begin_access(
            session, actor, met.keyring, met.wire, platform=platform, values={**values(met, platform), **more},
            source_id=source_id, title="", redirect=BACK, depth=depth,
        )  # fmt: skip


def press(address: str, which: str = "allow") -> dict[str, str]:
    """What the browser brings back after a press on the platform's page."""
    page = httpx.get(address, trust_env=False)
    assert page.status_code == 200, page.text
    link = page.text.partition(f'id="{which}" href="')[2].partition('"')[0].replace("&amp;", "&")
    root = f"http://{urlsplit(address).netloc}"
    moved = httpx.get(root + link, follow_redirects=False, trust_env=False)
    assert moved.headers["Location"].startswith(BACK)
    return dict(parse_qsl(urlsplit(moved.headers["Location"]).query))


def come_back(met: Meeting, actor: Actor, answer: dict[str, str]) -> int:
    state = answer.get("state", "")
    return run_come_back(met.database, met.keyring, lambda _platform: met.wire, actor, state, answer)


def source_of(met: Meeting, source_id: int) -> Any:
    return met.one(select(Source).where(Source.id == source_id))


@pytest.mark.parametrize("platform", ["youtube", "vk"])
def test_from_the_button_to_a_place_that_is_read(met, head, platform) -> None:
    source_id = come_back(met, head, press(begin(met, head, platform)))
    source = source_of(met, source_id)
    held = met.keyring.unseal(source.secrets)
    assert held["refresh_token"]
    assert held["refresh_token"] not in str(source.settings)
    channel = met.open_channel(source)
    check = channel.check()
    channel.close()
    assert check.account
    met.sources["new"] = source_id
    assert met.collect("new") > 0
    if platform == "youtube":
        assert (source.settings["channel_id"], source.token_until) == (keys.YOUTUBE_CHANNEL, None)
        assert timedelta(days=6) < source.consent_until - utc_now() <= timedelta(days=7)
    else:
        assert timedelta(0) < source.token_until - utc_now() <= timedelta(hours=1)
        assert {right.name for right in check.missing} == {"messages"}


def test_the_chosen_depth_goes_along(met, head) -> None:
    source_id = come_back(met, head, press(begin(met, head, "youtube", depth="month")))
    with met.database.read.begin() as session:
        source = session.get_one(Source, source_id)
        assert source.history_from is not None
        assert timedelta(days=30) < utc_now() - source.history_from < timedelta(days=32)


def test_vk_tokens_are_renewed_before_they_end(met, head) -> None:
    source_id = come_back(met, head, press(begin(met, head, "vk")))
    before = met.keyring.unseal(source_of(met, source_id).secrets)["refresh_token"]
    assert run_renew(met.database, met.keyring, met.open_channel) == 0, "an hour is long"
    for times in range(2):
        with met.database.write.begin() as session:
            session.get_one(Source, source_id).token_until = utc_now() + timedelta(minutes=times)
        assert run_renew(met.database, met.keyring, met.open_channel) == 1
    source = source_of(met, source_id)
    assert met.keyring.unseal(source.secrets)["refresh_token"] != before
    assert source.token_until > utc_now() + timedelta(minutes=50)


def test_a_renewal_that_is_refused_stops_the_place_with_words(met, head) -> None:
    source_id = come_back(met, head, press(begin(met, head, "vk")))
    with met.database.write.begin() as session:
        source = session.get_one(Source, source_id)
        source.token_until = utc_now()
        source.secrets = met.keyring.seal({**met.keyring.unseal(source.secrets), "refresh_token": "withdrawn"})
    assert run_renew(met.database, met.keyring, met.open_channel) == 0
    source = source_of(met, source_id)
    assert (source.state, source.error_code, source.token_until) == ("stopped", "auth", None)
    assert "withdrawn" not in source.error_text


def test_a_state_counts_once_and_for_whoever_began(met, head) -> None:
    answer = press(begin(met, head, "youtube"))
    with pytest.raises(Forbidden):
        come_back(met, met.smm, answer)
    with met.database.write.begin() as session:
        staff = create_staff(session, DESK, email="o@school.example", name="Олег", roles=("administrator",))
        other = actor_of(session.get_one(Staff, staff.id))
    for actor, given in ((other, answer), (head, {**answer, "state": "forged"})):
        with pytest.raises(Refused) as refused:
            come_back(met, actor, given)
        assert refused.value.code == "access.state"
    come_back(met, head, answer)
    with pytest.raises(Refused):
        come_back(met, head, answer)


def test_a_no_changes_nothing_and_a_spent_code_neither(met, head) -> None:
    with pytest.raises(Refused) as refused:
        come_back(met, head, press(begin(met, head, "youtube"), "deny"))
    assert refused.value.code == "access.denied"
    good = press(begin(met, head, "youtube"))
    stolen = press(begin(met, head, "youtube"))
    with pytest.raises(ChannelError) as failed:  # another's code: PKCE proves who began
        come_back(met, head, {**good, "code": stolen["code"]})
    assert failed.value.code == "auth"
    with met.database.read.begin() as session:
        assert session.scalar(select(func.count()).where(Source.platform == "youtube")) == 1


def test_what_is_missing_and_where_it_may_lead(met, head) -> None:
    with pytest.raises(Refused) as refused:
        begin(met, head, "youtube", client_secret="")
    assert refused.value.data["fields"] == ["client_secret"]
    for address in ("https://accounts.google.com/o/oauth2/v2/auth", "http://evil.example/", "javascript:x"):
        with pytest.raises(ChannelError):
            begin(met, head, "youtube", consent_url=address)
    with met.database.read.begin() as session:
        assert session.scalars(select(Setting.name).where(Setting.name.startswith("access."))).all() == []


def test_connecting_again_keeps_the_place(met, head) -> None:
    source_id = met.sources["youtube"]
    with met.database.write.begin() as session:
        source = session.get_one(Source, source_id)
        source.state, source.error_code = "stopped", "auth"
    assert come_back(met, head, press(begin(met, head, "youtube", source_id=source_id))) == source_id
    assert source_of(met, source_id).state == "active"


def test_the_end_is_told_once_and_no_more_after_a_new_consent(met, head) -> None:
    source_id = come_back(met, head, press(begin(met, head, "youtube")))
    assert [run_warn_of_ends(met.database) for _ in range(2)] == [1, 0]
    with met.database.read.begin() as session:
        assert {one.staff_id for one in session.scalars(select(Notice))} == {head.staff_id}
        (line,) = notices_of(session, head, utc_now() + timedelta(days=1))
        assert line.notice.source_id == source_id
    with met.database.write.begin() as session:
        session.get_one(Source, source_id).consent_until = utc_now() + timedelta(days=90)
    with met.database.read.begin() as session:
        assert notices_of(session, head, utc_now() + timedelta(days=1)) == []
    assert run_warn_of_ends(met.database) == 0
