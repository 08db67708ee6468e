"""What the desk does on YouTube: the right parent, the error table, and what is known of a lost answer."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from socket import create_server
from typing import Any

import httpx
import pytest
import respx

from collectors.base import Act, ActKind, ChannelError, Sent, Target, Verdict, Walk
from collectors.wire import Guard, Wire
from collectors.youtube import YouTube
from collectors.youtube.api import seconds_to_reset
from tests.collectors.desk import Desk
from tests.collectors.youtube_platform import BASE, EPOCH, US, Refused, YouTubePlatform, channel

NOW = datetime.fromtimestamp(EPOCH, UTC)
TEXT = "Добрый день! Вебинар завтра."


@pytest.fixture
def tube() -> Iterator[YouTubePlatform]:
    platform = YouTubePlatform()
    platform.write("vid0", "Когда вебинар?")
    platform.write("vid0", "И мне скажите", "Ug0001")
    with respx.mock:
        respx.route(host="tube.example").mock(side_effect=platform)
        yield platform


def act(kind: ActKind = ActKind.REPLY, id_: str | None = "Ug0001", text: str = TEXT, **more: Any) -> Act:
    top = more.pop("thread", "Ug0001" if id_ else None)
    return Act(kind, 1, "token", Target("vid0", id_, thread=top), text, **more)


def failure(of: Act, channel_: YouTube | None = None) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        (channel_ or channel()).act(of)
    return caught.value


# What is sent


def test_a_reply_goes_under_the_first_comment_of_the_thread(tube: YouTubePlatform) -> None:
    receipt = channel().act(act(id_="Ug0001.r2"))
    assert tube.log[-1] == (
        "comments.insert",
        {"part": "snippet"},
        {"snippet": {"parentId": "Ug0001", "textOriginal": TEXT}},
    )
    sent = tube.comments[str(receipt.external_id)]
    assert (sent.top, sent.author, sent.text) == ("Ug0001", US, TEXT)
    assert receipt.url == f"https://site.example/watch?v=vid0&lc={sent.id}"
    assert receipt.at == NOW + timedelta(seconds=sent.at)
    assert receipt.visible
    assert receipt.container == "vid0"
    desk = Desk(channel())
    desk.read(Walk.NEW)
    author = desk.messages()[sent.id].author
    assert author is not None
    assert author.is_us


def test_the_thread_is_known_from_the_id_when_nothing_else_tells(tube: YouTubePlatform) -> None:
    channel().act(act(id_="Ug0001.r2", thread=None))
    assert tube.log[-1][2]["snippet"]["parentId"] == "Ug0001"


def test_a_reply_held_by_the_platform_is_not_visible(tube: YouTubePlatform) -> None:
    snippet = {"publishedAt": "2026-11-02T09:00:09Z", "moderationStatus": "heldForReview"}
    tube.canned["comments.insert"] = {"id": "Ug0001.x", "snippet": snippet}
    assert not channel().act(act()).visible


@pytest.mark.parametrize(
    ("kind", "method", "told", "body"),
    [
        (
            ActKind.MESSAGE,
            "commentThreads.insert",
            {"part": "snippet"},
            {
                "snippet": {
                    "channelId": US,
                    "videoId": "vid0",
                    "topLevelComment": {"snippet": {"textOriginal": TEXT}},
                }
            },
        ),
        (ActKind.EDIT, "comments.update", {"part": "snippet"}, {"id": "Ug0001", "snippet": {"textOriginal": TEXT}}),
        (ActKind.DELETE, "comments.delete", {"id": "Ug0001"}, None),
        (
            ActKind.HIDE,
            "comments.setModerationStatus",
            {"id": "Ug0001", "moderationStatus": "heldForReview"},
            None,
        ),
        (
            ActKind.PUBLISH,
            "comments.setModerationStatus",
            {"id": "Ug0001", "moderationStatus": "published"},
            None,
        ),
        (
            ActKind.BAN,
            "comments.setModerationStatus",
            {"id": "Ug0001", "moderationStatus": "rejected", "banAuthor": "true"},
            None,
        ),
    ],
)
def test_each_act_is_the_schemas_own_call(
    tube: YouTubePlatform, kind: ActKind, method: str, told: dict[str, str], body: Any
) -> None:
    receipt = channel().act(act(kind, None if kind is ActKind.MESSAGE else "Ug0001"))
    assert tube.log == [(method, told, body)]
    assert receipt.external_id


def test_what_youtube_has_no_method_for_is_refused_unasked(tube: YouTubePlatform) -> None:
    assert failure(act(ActKind.LIKE)).code == "unsupported"
    assert failure(act(ActKind.REPLY, None)).code == "invalid"
    assert tube.log == []


# Errors


@pytest.mark.parametrize(
    ("status", "reason", "code", "permanent"),
    [
        (403, "quotaExceeded", "quota", False),
        (403, "rateLimitExceeded", "rate", False),
        (403, "userRateLimitExceeded", "rate", False),
        (429, "rateLimitExceeded", "rate", False),
        (403, "commentsDisabled", "closed", True),
        (403, "forbidden", "rights", True),
        (403, "ineligibleAccount", "rights", True),
        (404, "videoNotFound", "gone", True),
        (404, "commentNotFound", "gone", True),
        (404, "parentCommentNotFound", "gone", True),
        (400, "processingFailure", "server", False),
        (400, "commentTextRequired", "invalid", True),
        (400, "commentTextTooLong", "invalid", True),
        (400, "invalidCommentMetadata", "invalid", True),
        (400, "parentIdMissing", "invalid", True),
        (400, "operationNotSupported", "closed", True),
        (400, "parentCommentIsPrivate", "closed", True),
    ],
)
def test_the_error_table(tube: YouTubePlatform, status: int, reason: str, code: str, permanent: bool) -> None:
    def refuse(name: str, told: dict[str, str]) -> None:
        raise Refused(status, reason, "said <b>so</b>")

    tube.before = refuse
    error = failure(act())
    assert (error.code, error.permanent, error.sent) == (code, permanent, Sent.NO)
    assert reason in error.message


def test_an_expired_access_token_is_renewed_once(tube: YouTubePlatform) -> None:
    own = channel()
    own.check()
    tube.access = "access-2"
    assert own.act(act()).external_id
    assert tube.tokens_given == 2

    def refuse(name: str, told: dict[str, str]) -> None:
        raise Refused(401, "authError")

    tube.before = refuse
    error = failure(act(), own)
    assert (error.code, error.permanent, error.sent) == ("auth", True, Sent.NO)
    assert tube.tokens_given == 3


def test_a_withdrawn_consent_is_an_auth_error_that_tells_no_secret(tube: YouTubePlatform) -> None:
    error = failure(act(), channel(refresh_token="revoked-token-value"))
    assert (error.code, error.permanent, error.sent) == ("auth", True, Sent.NO)
    assert "invalid_grant" in error.message
    assert "revoked-token-value" not in error.message
    with pytest.raises(ChannelError) as caught:
        channel(client_id="").check()
    assert caught.value.code == "settings"


def test_errors_tell_neither_key_nor_address(tube: YouTubePlatform) -> None:
    def refuse(name: str, told: dict[str, str]) -> None:
        raise Refused(400, "keyInvalid", "API key not valid: key is refused")

    tube.before = refuse
    own = channel(client_id="", client_secret=None, refresh_token=None, api_key="key")
    with pytest.raises(ChannelError) as caught:
        own.check()
    assert caught.value.code == "auth"
    assert "key is" not in caught.value.message
    assert "tube.example" not in caught.value.message


@pytest.mark.parametrize(
    ("answer", "code", "sent"),
    [
        (httpx.Response(500, html="<h1>500</h1>"), "server", Sent.UNKNOWN),
        (httpx.Response(503, json={"error": {"errors": [{"reason": "backendError"}]}}), "server", Sent.UNKNOWN),
        (httpx.Response(200, html="<html>Проверка браузера</html>"), "server", Sent.UNKNOWN),
        (httpx.Response(200, content=b'{"id": "Ug0001.x", "snip'), "server", Sent.UNKNOWN),
        (httpx.Response(200, content=b"[" * 100_000), "server", Sent.UNKNOWN),
        (httpx.Response(200, json=[]), "server", Sent.UNKNOWN),
        (httpx.Response(200, json={"kind": "youtube#comment"}), "server", Sent.UNKNOWN),
        (httpx.Response(200, content=b"\xff\xfe"), "server", Sent.UNKNOWN),
        (httpx.Response(302, headers={"Location": "https://elsewhere.example/"}), "server", Sent.UNKNOWN),
        (httpx.Response(403, html="<h1>Forbidden</h1>"), "server", Sent.UNKNOWN),
        (httpx.Response(429, html="slow down"), "rate", Sent.NO),
        (httpx.ReadTimeout("x"), "network", Sent.UNKNOWN),
        (httpx.ReadError("x"), "network", Sent.UNKNOWN),
        (httpx.RemoteProtocolError("x"), "network", Sent.UNKNOWN),
        (httpx.ConnectError("x"), "network", Sent.NO),
        (httpx.ConnectTimeout("x"), "network", Sent.NO),
    ],
)
def test_what_is_known_of_a_write_that_failed(
    tube: YouTubePlatform, answer: httpx.Response | Exception, code: str, sent: Sent
) -> None:
    respx.routes.clear()
    insert = respx.post(f"{BASE}youtube/v3/comments")
    insert.mock(side_effect=answer if isinstance(answer, Exception) else [answer])
    respx.route(host="tube.example").mock(side_effect=tube)
    error = failure(act())
    assert (error.code, error.sent) == (code, sent)
    assert insert.call_count == 1


def test_a_failure_while_the_token_is_fetched_never_reached_the_comment(tube: YouTubePlatform) -> None:
    respx.routes.clear()
    respx.post(f"{BASE}token").mock(side_effect=httpx.ReadTimeout("x"))
    error = failure(act())
    assert (error.code, error.sent) == ("network", Sent.NO)


@pytest.mark.parametrize(("header", "seconds"), [("17", 17.0), (None, None), ("soon", None)])
def test_retry_after_is_kept(tube: YouTubePlatform, header: str | None, seconds: float | None) -> None:
    respx.routes.clear()
    headers = {"Retry-After": header} if header else {}
    respx.post(f"{BASE}youtube/v3/comments").respond(429, headers=headers)
    respx.route(host="tube.example").mock(side_effect=tube)
    assert failure(act()).retry_after == seconds


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        ("2026-07-01T06:30:00+00:00", 0.5),  # summer: midnight is 07:00 UTC
        ("2026-12-01T06:30:00+00:00", 1.5),  # winter: 08:00 UTC
        ("2026-12-01T08:00:00+00:00", 24),
        ("2026-11-01T07:00:00+00:00", 25),  # the night on which the clocks go back
        ("2027-03-14T08:00:00+00:00", 23),  # and forward
    ],
)
def test_the_quota_comes_back_at_midnight_pacific(now: str, hours: float) -> None:
    assert seconds_to_reset(datetime.fromisoformat(now)) == hours * 3600


def test_a_cut_connection_never_sends_a_reply_twice(tube: YouTubePlatform) -> None:
    """httplib2 would: it writes the request again when the answer does not come."""
    respx.stop()
    seen: list[bytes] = []
    listener = create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    def serve() -> None:
        token = b'{"access_token":"a","expires_in":3600}'
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(token)}\r\n\r\n".encode()
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                while data := connection.recv(65536):
                    seen.append(data)
                    if data.startswith(b"POST /token"):
                        connection.sendall(head + token)
                    elif b"\r\n\r\n" in data:
                        break

    threading.Thread(target=serve, daemon=True).start()
    wire = Wire(Guard(allow_private=frozenset({f"127.0.0.1:{port}"})))
    own = channel(f"http://127.0.0.1:{port}/", wire)
    error = failure(act(), own)
    own.close()
    listener.close()
    assert (error.code, error.sent) == ("network", Sent.UNKNOWN)
    came = b"".join(seen)  # where one piece ends and the next begins is the network's matter
    assert came.count(b"POST /youtube/v3/comments") == 1


def test_the_address_guard_is_obeyed(tube: YouTubePlatform) -> None:
    respx.stop()
    error = failure(act(), channel("http://127.0.0.1:9/"))
    assert (error.code, error.sent) == ("address", Sent.NO)


# Who we are


def test_check_tells_rights_held_and_missing(tube: YouTubePlatform) -> None:
    check = channel().check()
    assert (check.account_id, check.account, check.missing) == (US, "Школа", ())
    tube.forbidden_states = {"heldForReview"}
    assert [right.without for right in channel().check().missing] == ["held"]
    tube.canned["channels.list"] = {}
    assert [right.without for right in channel().check().missing] == ["reply", "held", "own"]
    with pytest.raises(ChannelError) as caught:
        channel(client_id="", client_secret=None, refresh_token=None, api_key="key").check()
    assert caught.value.code == "settings"


# What became of it


def test_lookup_sees_a_reply_whose_answer_was_lost(tube: YouTubePlatform) -> None:
    for number in range(120):
        tube.write("vid0", f"ещё {number}", "Ug0001")
    sent = tube.write("vid0", f"  {TEXT.replace(' ', '  ')}\n", "Ug0001", US, at=1)
    proof = channel().lookup(act(since=NOW))
    assert (proof.verdict, proof.external_id, proof.at) == (Verdict.SEEN, sent.id, NOW + timedelta(seconds=1))
    assert proof.url == f"https://site.example/watch?v=vid0&lc={sent.id}"


def test_lookup_says_absent_for_others_text_time_and_parent(tube: YouTubePlatform) -> None:
    other = tube.write("vid0", "Другой вопрос")
    tube.write("vid0", TEXT, "Ug0001", "UCviewer")
    tube.write("vid0", TEXT, other.id, US)
    tube.write("vid0", "Другой ответ", "Ug0001", US)
    tube.write("vid0", TEXT, "Ug0001", US, at=-121)
    assert channel().lookup(act(since=NOW)).verdict is Verdict.ABSENT
    tube.write("vid0", TEXT, "Ug0001", US, at=-119)
    assert channel().lookup(act(since=NOW)).verdict is Verdict.SEEN


def test_of_two_equal_replies_the_nearest_in_time_is_meant(tube: YouTubePlatform) -> None:
    tube.write("vid0", TEXT, "Ug0001", US, at=400)
    near = tube.write("vid0", TEXT, "Ug0001", US, at=301)
    assert channel().lookup(act(since=NOW + timedelta(seconds=300))).external_id == near.id


def test_a_held_reply_is_seen_and_unreadable_held_ones_leave_it_unknown(tube: YouTubePlatform) -> None:
    sent = tube.write("vid0", TEXT, "Ug0001", US, state="heldForReview")
    assert channel().lookup(act(since=NOW)).external_id == sent.id
    tube.forbidden_states = {"heldForReview"}
    assert channel().lookup(act(since=NOW)).verdict is Verdict.UNKNOWN
    tube.forbidden_states = set()
    sent.text = "Не то"
    for number in range(5):
        tube.write("vid0", f"{number}", "Ug0001", state="heldForReview")
    assert channel().lookup(act(since=NOW)).verdict is Verdict.UNKNOWN


def test_a_reply_under_a_deleted_comment_is_absent(tube: YouTubePlatform) -> None:
    tube.remove("Ug0001")
    assert channel().lookup(act(since=NOW)).verdict is Verdict.ABSENT


def test_lookup_of_the_other_acts(tube: YouTubePlatform) -> None:
    own = channel()
    message = act(ActKind.MESSAGE, None, since=NOW)
    assert own.lookup(message).verdict is Verdict.ABSENT
    sent = own.act(message)
    assert own.lookup(message).external_id == sent.external_id
    edit = act(ActKind.EDIT, sent.external_id, "Исправлено", since=NOW)
    assert own.lookup(edit).verdict is Verdict.ABSENT
    own.act(edit)
    assert own.lookup(edit).verdict is Verdict.SEEN
    delete = act(ActKind.DELETE, sent.external_id, since=NOW)
    assert own.lookup(delete).verdict is Verdict.ABSENT
    own.act(delete)
    assert own.lookup(delete).verdict is Verdict.SEEN
    assert own.lookup(act(ActKind.HIDE)).verdict is Verdict.UNKNOWN


def test_importing_the_channel_does_not_import_googles_client() -> None:
    code = "import sys, collectors.youtube; print([m for m in sys.modules if m.startswith(('google', 'httplib2'))])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json="access"),
        httpx.Response(200, content=b'{"access_tok'),
        httpx.Response(200, html="<title>Just a moment</title>"),
        httpx.Response(403, html="<title>Blocked</title>"),
        httpx.Response(502, json={"error": "bad gateway"}),
    ],
)
def test_an_answer_about_the_token_that_is_not_googles_is_no_withdrawn_consent(
    tube: YouTubePlatform, monkeypatch: pytest.MonkeyPatch, answer: httpx.Response
) -> None:
    """Found by `bench lies`: a cut answer fell over the SDK, and an error page stopped the place for good."""
    monkeypatch.setattr(tube, "_token", lambda request: answer)
    error = failure(act())
    assert (error.code, error.permanent, error.sent) == ("server", False, Sent.NO)
