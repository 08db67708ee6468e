"""YouTube through Google's own client: paging, the shown part of replies, moderation, quota, the token."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from google.auth.exceptions import RefreshError
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from sandbox import keys
from tests.sandbox.running import Running

ALL = {"part": "id,snippet,replies", "allThreadsRelatedToChannelId": keys.YOUTUBE_CHANNEL}


def client(running: Running, refresh_token: str = keys.YOUTUBE_REFRESH_TOKEN) -> Any:
    source = keys.sources(running.url)[0]
    credentials = Credentials(
        None,
        refresh_token=refresh_token,
        token_uri=source["settings"]["token_url"],
        client_id=source["settings"]["client_id"],
        client_secret=source["secrets"]["client_secret"],
    )
    options = {"api_endpoint": source["settings"]["base_url"]}
    return build("youtube", "v3", credentials=credentials, client_options=options, static_discovery=True)


@pytest.fixture
def tube(world: Running) -> Iterator[Any]:
    with client(world) as service:
        yield service


def refused(call: Any) -> tuple[int, str]:
    with pytest.raises(HttpError) as caught:
        call.execute()
    return caught.value.status_code, caught.value.error_details[0]["reason"]


def walk(collection: Any, **asked: Any) -> list[dict[str, Any]]:
    found, call = [], collection.list(**asked)
    while call is not None:
        page = call.execute()
        found += page["items"]
        call = collection.list_next(call, page)
    return found


def reply(tube: Any, parent: str, text: str) -> Any:
    body = {"snippet": {"parentId": parent, "textOriginal": text}}
    return tube.comments().insert(part="snippet", body=body).execute()


def top_of(world: Running, text: str = "Вопрос для проверки", **more: Any) -> str:
    return str(world.says("youtube", "yt-german", text, **more)["external_id"])


def test_the_channel_leads_to_its_videos(world: Running, tube: Any) -> None:
    mine = tube.channels().list(part="id,contentDetails,snippet", mine=True).execute()["items"][0]
    assert mine["id"] == keys.YOUTUBE_CHANNEL
    uploads = mine["contentDetails"]["relatedPlaylists"]["uploads"]
    items = walk(tube.playlistItems(), part="snippet,contentDetails", playlistId=uploads, maxResults=4)
    ids = [item["contentDetails"]["videoId"] for item in items]
    assert len(ids) == 9
    videos = tube.videos().list(part="snippet,statistics", id=",".join(ids)).execute()["items"]
    closed = next(video for video in videos if video["id"] == "LpTrailer01")
    assert "commentCount" not in closed["statistics"]


def test_pages_give_every_published_thread_once_newest_first(world: Running, tube: Any) -> None:
    threads = walk(tube.commentThreads(), **ALL, maxResults=7, textFormat="plainText")
    ids = [thread["id"] for thread in threads]
    wanted = world.truth("youtube", state="published", root_external_id=None)
    assert len(set(ids)) == len(ids)
    assert set(ids) == {item["external_id"] for item in wanted}
    times = [thread["snippet"]["topLevelComment"]["snippet"]["publishedAt"] for thread in threads]
    assert times == sorted(times, reverse=True)


def test_page_size_is_twenty_unasked_and_at_most_a_hundred(tube: Any) -> None:
    page = tube.commentThreads().list(**ALL).execute()
    assert len(page["items"]) == 20
    assert page["pageInfo"]["resultsPerPage"] == 20
    assert refused(tube.commentThreads().list(**ALL, maxResults=101)) == (400, "invalidParameter")
    assert refused(tube.commentThreads().list(**ALL, maxResults=0)) == (400, "invalidParameter")
    assert refused(tube.commentThreads().list(**ALL, pageToken="nonsense")) == (400, "invalidPageToken")
    foreign = {"part": "id", "videoId": "LpSpeak7min", "pageToken": page["nextPageToken"]}
    assert refused(tube.commentThreads().list(**foreign)) == (400, "invalidPageToken")


def test_a_thread_shows_five_replies_and_counts_all(world: Running, tube: Any) -> None:
    dog = world.truth("youtube", key="y18")[0]["external_id"]
    thread = tube.commentThreads().list(part="snippet,replies", id=dog).execute()["items"][0]
    assert thread["snippet"]["totalReplyCount"] == 7
    assert len(thread["replies"]["comments"]) == 5
    replies = walk(tube.comments(), part="snippet", parentId=dog, maxResults=3, textFormat="plainText")
    assert len(replies) == 7
    assert all(one["id"].startswith(f"{dog}.") and one["snippet"]["parentId"] == dog for one in replies)


def test_text_is_html_unless_plain_is_asked(world: Running, tube: Any) -> None:
    id_ = top_of(world, "5 < 6 & https://a.example\nвот")
    asked = {"part": "snippet", "id": id_}
    html = tube.comments().list(**asked).execute()["items"][0]["snippet"]["textDisplay"]
    assert html == '5 &lt; 6 &amp; <a href="https://a.example">https://a.example</a><br>вот'
    snippet = tube.comments().list(**asked, textFormat="plainText").execute()["items"][0]["snippet"]
    assert snippet["textDisplay"] == "5 < 6 & https://a.example\nвот"
    assert "textOriginal" not in snippet
    assert "moderationStatus" not in snippet


def test_a_reply_stands_in_its_thread_and_a_reply_to_a_reply_is_refused(world: Running, tube: Any) -> None:
    top = top_of(world)
    written = reply(tube, top, "Добрый день! Во вторник.")
    assert written["snippet"]["textOriginal"] == "Добрый день! Во вторник."
    assert written["snippet"]["authorChannelId"]["value"] == keys.YOUTUBE_CHANNEL
    standing = world.truth("youtube", external_id=written["id"])[0]
    assert (standing["direction"], standing["root_external_id"]) == ("out", top)
    body = {"snippet": {"parentId": written["id"], "textOriginal": "Ещё"}}
    assert refused(tube.comments().insert(part="snippet", body=body)) == (400, "operationNotSupported")


@pytest.mark.parametrize(
    ("snippet", "reason"),
    [
        ({"parentId": "Ugnone", "textOriginal": "а"}, (404, "parentCommentNotFound")),
        ({"textOriginal": "а"}, (400, "parentIdMissing")),
        ({"parentId": "Ugnone", "textOriginal": "  "}, (400, "commentTextRequired")),
        ({"parentId": "Ugnone", "textOriginal": "а" * 10_001}, (400, "commentTextTooLong")),
    ],
)
def test_wrong_replies_are_named(tube: Any, snippet: dict[str, str], reason: tuple[int, str]) -> None:
    assert refused(tube.comments().insert(part="snippet", body={"snippet": snippet})) == reason


def test_own_comments_are_edited_and_foreign_ones_are_not(world: Running, tube: Any) -> None:
    top = top_of(world)
    own = reply(tube, top, "Опечтка")
    body = {"id": own["id"], "snippet": {"textOriginal": "Опечатка"}}
    tube.comments().update(part="snippet", body=body).execute()
    edited = world.truth("youtube", external_id=own["id"])[0]
    assert (edited["text"], edited["versions"][0]["text"]) == ("Опечатка", "Опечтка")
    body = {"id": top, "snippet": {"textOriginal": "чужое"}}
    assert refused(tube.comments().update(part="snippet", body=body)) == (403, "forbidden")


def test_a_new_thread_needs_a_video_with_comments(world: Running, tube: Any) -> None:
    def insert(video: str) -> Any:
        top = {"snippet": {"textOriginal": "Закреплённый ответ всем"}}
        snippet = {"channelId": keys.YOUTUBE_CHANNEL, "videoId": video, "topLevelComment": top}
        return tube.commentThreads().insert(part="snippet", body={"snippet": snippet})

    thread = insert("LpGerman1aa").execute()
    assert world.truth("youtube", external_id=thread["id"])[0]["direction"] == "out"
    assert refused(insert("LpTrailer01")) == (403, "commentsDisabled")
    assert refused(insert("LpNowhere00")) == (404, "videoNotFound")


def test_deleting_a_thread_takes_its_replies(world: Running, tube: Any) -> None:
    top = top_of(world)
    own = reply(tube, top, "ответ под удалённым")
    tube.comments().delete(id=top).execute()
    assert tube.comments().list(part="id", id=f"{top},{own['id']}").execute()["items"] == []
    assert refused(tube.comments().list(part="id", parentId=top)) == (404, "commentNotFound")
    assert refused(tube.comments().delete(id=top)) == (404, "commentNotFound")
    assert world.truth("youtube", external_id=own["id"])[0]["state"] == "deleted"


def test_hidden_held_and_spam_stand_in_lists_of_their_own(world: Running, tube: Any) -> None:
    top = top_of(world)
    tube.comments().setModerationStatus(id=top, moderationStatus="heldForReview").execute()
    assert top not in {thread["id"] for thread in walk(tube.commentThreads(), **ALL, maxResults=100)}
    held = walk(tube.commentThreads(), **ALL, moderationStatus="heldForReview")
    assert {top} < {thread["id"] for thread in held}
    snippet = next(thread for thread in held if thread["id"] == top)["snippet"]["topLevelComment"]["snippet"]
    assert snippet["moderationStatus"] == "heldForReview"
    assert len(walk(tube.commentThreads(), **ALL, moderationStatus="likelySpam")) >= 2
    call = tube.comments().setModerationStatus(id=top, moderationStatus="likelySpam")
    assert refused(call) == (400, "invalidParameter")
    call = tube.comments().setModerationStatus(id=top, moderationStatus="published", banAuthor=True)
    assert refused(call) == (400, "banWithoutReject")


def test_a_held_reply_brings_its_thread_into_the_held_list(world: Running, tube: Any) -> None:
    top = top_of(world)
    held = world.says("youtube", "yt-german", "спорный ответ", "boris", parent=top, state="held")["external_id"]
    threads = walk(tube.commentThreads(), **ALL, moderationStatus="heldForReview")
    thread = next(one for one in threads if one["id"] == top)
    assert [one["id"] for one in thread["replies"]["comments"]] == [held]
    assert thread["snippet"]["totalReplyCount"] == 0


def test_a_banned_author_can_write_no_more(alone: Running) -> None:
    top = top_of(alone, author="promo")
    with client(alone) as tube:
        tube.comments().setModerationStatus(id=top, moderationStatus="rejected", banAuthor=True).execute()
    entry = {"platform": "youtube", "publication": "yt-live", "author": "promo", "text": "снова я"}
    assert alone.http.post("/_sandbox/comment", json=entry).status_code == 400
    assert alone.truth("youtube", external_id=top)[0]["state"] == "hidden"


def test_one_filter_is_needed_and_id_stands_alone(tube: Any) -> None:
    assert refused(tube.commentThreads().list(part="id")) == (400, "missingRequiredParameter")
    call = tube.commentThreads().list(part="id", videoId="LpLiveAnswr", id="Ugx")
    assert refused(call) == (400, "missingRequiredParameter")
    assert refused(tube.commentThreads().list(part="id", id="Ugx", maxResults=5)) == (400, "incompatibleParameters")
    assert refused(tube.commentThreads().list(part="id", id="Ugx")) == (404, "commentThreadNotFound")
    assert refused(tube.commentThreads().list(part="id", videoId="LpTrailer01")) == (403, "commentsDisabled")
    assert refused(tube.commentThreads().list(part="id", videoId="nope")) == (404, "videoNotFound")


def test_a_withdrawn_consent_is_invalid_grant(world: Running) -> None:
    with client(world, "withdrawn") as tube, pytest.raises(RefreshError, match="invalid_grant"):
        tube.channels().list(part="id", mine=True).execute()


def test_an_api_key_reads_what_is_public_only(world: Running) -> None:
    def get(**params: str) -> httpx.Response:
        asked = {**ALL, "key": keys.YOUTUBE_API_KEY, **params}
        return world.http.get("/youtube/youtube/v3/commentThreads", params=asked)

    assert get().status_code == 200
    assert get(moderationStatus="heldForReview").json()["error"]["errors"][0]["reason"] == "forbidden"
    assert get(key="").status_code == 403
    answer = world.http.get(
        "/youtube/youtube/v3/channels", params={"part": "id"}, headers={"Authorization": "Bearer stale"}
    )
    assert answer.status_code == 401
    assert answer.json()["error"]["errors"][0]["reason"] == "authError"


def test_the_day_has_ten_thousand_units_and_a_write_costs_fifty(alone: Running) -> None:
    with client(alone) as tube:
        top = top_of(alone)
        for n in range(199):
            reply(tube, top, f"ответ {n}")
        for _ in range(50):
            tube.videos().list(part="id", id="LpLiveAnswr").execute()
        assert refused(tube.videos().list(part="id", id="LpLiveAnswr")) == (403, "quotaExceeded")
        body = {"snippet": {"parentId": top, "textOriginal": "через край"}}
        assert refused(tube.comments().insert(part="snippet", body=body)) == (403, "quotaExceeded")
