"""WordPress going out: what is written, what is known of it after a fault, and how it is found again."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import respx

from collectors.base import Act, ActKind, ChannelError, Sent, SourceState, Target, Verdict, Walk
from tests.collectors.desk import Desk
from tests.collectors.wordpress_platform import EPOCH, US, WordPressPlatform, channel


@pytest.fixture
def site() -> Iterator[WordPressPlatform]:
    platform = WordPressPlatform()
    with respx.mock:
        respx.route(host="blog.example", path__startswith="/wp-json").mock(side_effect=platform)
        yield platform


def target(one: Any) -> Target:
    return Target(container=str(one.post), external_id=str(one.id))


def act(kind: ActKind, one: Any, text: str = "", since: datetime | None = None) -> Act:
    return Act(kind, 7, "token", target(one), text, since)


def test_a_reply_stands_under_its_parent(site: WordPressPlatform) -> None:
    question = site.write(13, "Есть <скидки>?")
    receipt = channel().act(act(ActKind.REPLY, question, "Да: 5 < 6 & всё.\nСпасибо"))
    own = site.comments[int(str(receipt.external_id))]
    assert site.writes() == [{"post": 13, "parent": question.id, "content": "Да: 5 &lt; 6 &amp; всё.\nСпасибо"}]
    assert (own.parent, own.post, receipt.container, receipt.visible) == (question.id, 13, "13", True)
    assert receipt.url == f"https://blog.example/posts/13/#comment-{own.id}"
    assert receipt.at == datetime.fromtimestamp(own.at, UTC)
    desk = Desk(channel())
    desk.read(Walk.NEW)
    back = desk.messages()[str(own.id)]
    assert back.author is not None
    assert back.author.is_us
    assert back.text == "Да: 5 < 6 & всё.\nСпасибо"


def test_a_comment_of_its_own_stands_on_top(site: WordPressPlatform) -> None:
    receipt = channel().act(Act(ActKind.MESSAGE, 7, "t", Target(container="12"), "Завтра эфир"))
    assert site.comments[int(str(receipt.external_id))].parent == 0


@pytest.mark.parametrize("status", ["trash", "spam", None])
def test_nothing_is_written_under_a_comment_that_is_gone(site: WordPressPlatform, status: str | None) -> None:
    question = site.write(12, "Есть скидки?")
    if status:
        question.status = status
    else:
        del site.comments[question.id]
    with pytest.raises(ChannelError) as caught:
        channel().act(act(ActKind.REPLY, question, "Да"))
    assert (caught.value.code, caught.value.permanent, caught.value.sent) == ("gone", True, Sent.NO)
    assert site.writes() == []


def test_a_duplicate_is_our_earlier_attempt(site: WordPressPlatform) -> None:
    question = site.write(12, "Есть скидки?")
    first = channel().act(act(ActKind.REPLY, question, "Да & нет"))
    again = channel().act(act(ActKind.REPLY, question, "Да & нет", datetime.fromtimestamp(EPOCH, UTC)))
    assert again == first
    assert len(site.comments) == 2


def test_a_reply_may_wait_for_approval(site: WordPressPlatform) -> None:
    site.capabilities = {}
    question = site.write(12, "Есть скидки?")
    assert channel().act(act(ActKind.REPLY, question, "Да")).visible is False


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (ActKind.HIDE, "hold"),
        (ActKind.PUBLISH, "approved"),
        (ActKind.SPAM, "spam"),
        (ActKind.DELETE, "trash"),
    ],
)
def test_moderation_and_its_proof(site: WordPressPlatform, kind: ActKind, status: str) -> None:
    one = site.write(12, "Хм", status="approved" if kind is ActKind.HIDE else "hold")
    assert channel().lookup(act(kind, one)).verdict is Verdict.ABSENT
    assert channel().act(act(kind, one)).external_id == str(one.id)
    assert site.comments[one.id].status == status
    assert channel().lookup(act(kind, one)).verdict is Verdict.SEEN
    assert channel().act(act(kind, one)).external_id == str(one.id)  # once more changes nothing


@pytest.mark.parametrize("was", ["approved", "hold"])
def test_spam_goes_back_to_where_it_stood(site: WordPressPlatform, was: str) -> None:
    one = site.write(12, "Заработок", status=was)
    channel().act(act(ActKind.SPAM, one))
    desk = Desk(channel())
    desk.read(Walk.DEEP)
    assert desk.messages()[str(one.id)].state is SourceState.SPAM
    channel().act(act(ActKind.PUBLISH if was == "approved" else ActKind.HIDE, one))
    assert site.comments[one.id].status == was


def test_a_status_that_could_not_be_set_is_told(site: WordPressPlatform) -> None:
    """The same words of WordPress mean «nothing changed» and «a plugin forbids it»; the comment tells which."""
    one = site.write(12, "Заработок")
    site.faults = [httpx.Response(500, json={"code": "rest_comment_failed_edit", "message": "x"})]
    with pytest.raises(ChannelError) as caught:
        channel().act(act(ActKind.SPAM, one))
    assert (caught.value.code, caught.value.sent) == ("server", Sent.UNKNOWN)
    assert channel().lookup(act(ActKind.SPAM, one)).verdict is Verdict.ABSENT


def test_an_edit_and_its_proof(site: WordPressPlatform) -> None:
    own = site.write(12, "Да", author=US)
    edit = act(ActKind.EDIT, own, "Да, 5 < 6")
    assert channel().lookup(edit).verdict is Verdict.ABSENT
    channel().act(edit)
    assert site.comments[own.id].text == "Да, 5 &lt; 6"
    assert channel().lookup(edit).verdict is Verdict.SEEN


def test_what_wordpress_cannot_is_said_so(site: WordPressPlatform) -> None:
    with pytest.raises(ChannelError) as caught:
        channel().act(act(ActKind.LIKE, site.write(12, "Спасибо!")))
    assert caught.value.code == "unsupported"


@pytest.mark.parametrize(
    ("status", "told", "code", "permanent"),
    [
        (401, "rest_not_logged_in", "auth", True),
        (401, "incorrect_password", "auth", True),
        (401, "rest_comment_login_required", "auth", True),
        (401, "rest_cannot_read", "rights", True),
        (403, "rest_cannot_edit", "rights", True),
        (403, "rest_comment_closed", "closed", True),
        (403, "rest_comment_draft_post", "closed", True),
        (403, "rest_comment_trash_post", "gone", True),
        (403, "rest_comment_invalid_post_id", "gone", True),
        (404, "rest_comment_invalid_id", "gone", True),
        (404, "rest_no_route", "settings", True),
        (410, "rest_already_trashed", "gone", True),
        (400, "rest_comment_content_invalid", "invalid", True),
        (400, "comment_content_column_length", "invalid", True),
        (400, "comment_flood", "rate", False),
        (429, "too_many", "rate", False),
        (501, "rest_trash_not_supported", "unsupported", True),
    ],
)
def test_an_error_that_wordpress_tells_means_not_sent(
    site: WordPressPlatform, status: int, told: str, code: str, permanent: bool
) -> None:
    site.faults = [httpx.Response(status, json={"code": told, "message": "<b>app pass word</b>", "data": {}})]
    with pytest.raises(ChannelError) as caught:
        channel().act(Act(ActKind.MESSAGE, 7, "t", Target(container="12"), "Здравствуйте"))
    error = caught.value
    assert (error.code, error.permanent, error.sent, error.message) == (code, permanent, Sent.NO, "***")
    assert (error.retry_after == 15) is (told == "comment_flood")


@pytest.mark.parametrize(
    ("fault", "code", "sent"),
    [
        (httpx.ReadTimeout("x"), "network", Sent.UNKNOWN),
        (httpx.RemoteProtocolError("reset"), "network", Sent.UNKNOWN),
        (httpx.ConnectError("x"), "network", Sent.NO),
        (httpx.Response(500, json={"code": "rest_comment_failed_create", "message": "x"}), "server", Sent.UNKNOWN),
        (httpx.Response(502, text="<html>"), "server", Sent.UNKNOWN),
        (httpx.Response(503, text="<html>", headers={"Retry-After": "30"}), "server", Sent.UNKNOWN),
        (httpx.Response(403, text="<html>firewall"), "server", Sent.UNKNOWN),
        (httpx.Response(200, text="<html>Fatal error"), "server", Sent.UNKNOWN),
        (httpx.Response(201, text='{"id": 5, "po'), "server", Sent.UNKNOWN),
        (httpx.Response(201, json={"id": 5}), "server", Sent.UNKNOWN),
        (httpx.Response(201, text="[" * 100_000), "server", Sent.UNKNOWN),
        (httpx.Response(429, text="<html>", headers={"Retry-After": "30"}), "rate", Sent.NO),
        (httpx.Response(301, headers={"Location": "https://www.blog.example/"}), "settings", Sent.NO),
    ],
)
def test_what_is_known_after_a_broken_answer(
    site: WordPressPlatform, fault: httpx.Response | Exception, code: str, sent: Sent
) -> None:
    refused = isinstance(fault, httpx.ConnectError) or (
        isinstance(fault, httpx.Response) and code in ("rate", "settings")
    )
    (site.faults if refused else site.lost).append(fault)
    message = Act(ActKind.MESSAGE, 7, "t", Target(container="12"), "Здравствуйте")
    with pytest.raises(ChannelError) as caught:
        channel().act(message)
    error = caught.value
    assert (error.code, error.sent, error.permanent) == (code, sent, code == "settings")
    assert error.__cause__ is None
    if isinstance(fault, httpx.Response) and "Retry-After" in fault.headers:
        assert error.retry_after == 30
    proof = channel().lookup(message)
    assert proof.verdict is (Verdict.ABSENT if refused else Verdict.SEEN)


def test_lookup_matches_parent_author_text_and_time(site: WordPressPlatform) -> None:
    question, other = site.write(12, "Есть скидки?"), site.write(12, "А рассрочка?")
    asked = act(ActKind.REPLY, question, "Да, пишите  нам", datetime.fromtimestamp(EPOCH + 1000, UTC))
    site.write(12, "Да, пишите нам", other.id, author=US)  # under another parent
    site.write(12, "Да, пишите нам", question.id)  # by somebody else
    site.write(12, "Да, пишите", question.id, author=US)  # another text
    early = site.write(12, "Да, пишите нам", question.id, author=US)
    early.at = EPOCH  # long before the first attempt
    assert channel().lookup(asked).verdict is Verdict.ABSENT
    own = site.write(12, "Да, пишите\nнам", question.id, author=US, status="spam")
    own.at = EPOCH + 1000 - 90  # the clocks differ a little
    proof = channel().lookup(asked)
    assert (proof.verdict, proof.external_id, proof.at) == (
        Verdict.SEEN, str(own.id), datetime.fromtimestamp(EPOCH + 1000, UTC) - timedelta(seconds=90)
    )  # fmt: skip


def test_absence_is_not_proven_to_one_who_may_not_see_all(site: WordPressPlatform) -> None:
    site.capabilities = {}
    question = site.write(12, "Есть скидки?")
    assert channel().lookup(act(ActKind.REPLY, question, "Да")).verdict is Verdict.UNKNOWN
