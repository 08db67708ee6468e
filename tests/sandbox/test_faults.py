"""Scripted faults: what is written and lost, what is not written, and each platform's own shape of a refusal."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from sandbox import keys
from sandbox.faults import FAULTS
from tests.sandbox.running import Running


def token(world: Running) -> dict[str, str]:
    form = {
        "grant_type": "refresh_token",
        "client_id": keys.YOUTUBE_CLIENT_ID,
        "client_secret": keys.YOUTUBE_CLIENT_SECRET,
        "refresh_token": keys.YOUTUBE_REFRESH_TOKEN,
    }
    access = world.http.post("/youtube/token", data=form).json()["access_token"]
    return {"Authorization": f"Bearer {access}"}


def on_youtube(world: Running, text: str, patience: float = 10) -> httpx.Response:
    top = world.truth("youtube", key="y61")[0]["external_id"]
    body = {"snippet": {"parentId": top, "textOriginal": text}}
    path = "/youtube/youtube/v3/comments?part=snippet"
    return world.http.post(path, json=body, headers=token(world), timeout=patience)


def on_vk(world: Running, text: str, patience: float = 10) -> httpx.Response:
    form = {"owner_id": -keys.VK_GROUP, "post_id": 118, "message": text, "v": "5.199"}
    form["access_token"] = keys.VK_USER_TOKEN
    return world.http.post("/vk/method/wall.createComment", data=form, timeout=patience)


def on_telegram(world: Running, text: str, patience: float = 10) -> httpx.Response:
    params = {"chat_id": keys.TELEGRAM_GROUP, "text": text}
    return world.http.post(f"/telegram/bot{keys.TELEGRAM_TOKEN}/sendMessage", json=params, timeout=patience)


def on_wordpress(world: Running, text: str, patience: float = 10) -> httpx.Response:
    body = {"post": 34, "content": text}
    auth = (keys.BLOG_USER, keys.BLOG_PASSWORD)
    return world.http.post("/blog/wp-json/wp/v2/comments", json=body, auth=auth, timeout=patience)


SENDS: dict[str, tuple[str, Callable[..., httpx.Response]]] = {
    "youtube": ("comments.insert", on_youtube),
    "vk": ("wall.createComment", on_vk),
    "telegram": ("sendMessage", on_telegram),
    "wordpress": ("comments.create", on_wordpress),
}
LOST: dict[str, type[Exception]] = {"timeout": httpx.ReadTimeout, "reset": httpx.ReadError}


@pytest.mark.parametrize("platform", SENDS)
@pytest.mark.parametrize("fault", [one for one in FAULTS if "_" in one or one == "html200"])
def test_after_means_written_and_before_means_not(world: Running, platform: str, fault: str) -> None:
    method, send = SENDS[platform]
    text = f"проверка: {fault} на {platform}"
    world.strike(platform, method, fault)
    kind, _, when = fault.partition("_")
    if kind in LOST:
        with pytest.raises(LOST[kind]):
            send(world, text, 0.6 if kind == "timeout" else 10)
    else:
        answer = send(world, text)
        assert answer.status_code == int(kind[-3:])
        with pytest.raises(ValueError, match=r"."):
            answer.json()
    assert len(world.truth(platform, text=text)) == (when == "after")
    logged = [line for line in world.http.get("/_sandbox/log").json() if line["text"] == text]
    assert [line["method"] for line in logged] == [method] * (when == "after")
    assert send(world, f"{text}, второй раз").status_code in (200, 201)


@pytest.mark.parametrize(
    ("platform", "fault", "status", "mark"),
    [
        ("youtube", "quota", 403, "quotaExceeded"),
        ("youtube", "429", 429, "rateLimitExceeded"),
        ("youtube", "401", 401, "authError"),
        ("vk", "quota", 200, '"error_code":29'),
        ("vk", "429", 200, '"error_code":6'),
        ("vk", "401", 200, '"error_code":5'),
        ("telegram", "429", 429, '"retry_after":1'),
        ("telegram", "quota", 429, '"retry_after":30'),
        ("telegram", "401", 401, "Unauthorized"),
        ("wordpress", "429", 429, "Too Many Requests"),
        ("wordpress", "quota", 403, "<html>"),
        ("wordpress", "401", 401, "rest_not_logged_in"),
    ],
)
def test_refusals_have_the_platforms_own_shape(
    world: Running, platform: str, fault: str, status: int, mark: str
) -> None:
    method, send = SENDS[platform]
    text = f"отказ {fault}"
    world.strike(platform, method, fault)
    answer = send(world, text)
    assert answer.status_code == status
    assert mark in answer.text.replace(": ", ":")
    assert world.truth(platform, text=text) == []


def test_nth_counts_calls_and_times_repeats(world: Running) -> None:
    world.strike("telegram", "getMe", "500_before", nth=2, times=2)
    codes = [world.telegram("getMe").status_code for _ in range(4)]
    assert codes == [200, 500, 500, 200]


def test_a_star_strikes_any_method_and_others_stay_whole(world: Running) -> None:
    world.strike("vk", "*", "500_before")
    assert world.telegram("getMe").status_code == 200
    form = {"access_token": keys.VK_USER_TOKEN, "v": "5.199"}
    assert world.http.post("/vk/method/users.get", data=form).status_code == 500
    assert world.http.get("/_sandbox/faults").json() == []


@pytest.mark.parametrize(
    "entries", [{}, [{"platform": "vk"}], [{"platform": "vk", "method": "*", "fault": "flood"}]]
)
def test_a_wrong_fault_is_refused_in_words(world: Running, entries: Any) -> None:
    answer = world.http.post("/_sandbox/faults", json=entries)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_viewer_may_write_many_lines_in_one_go(world: Running) -> None:
    lines = [
        {"platform": "youtube", "publication": "video:LpPhrasal25", "author": "Пётр Новый", "text": f"строка {n}"}
        for n in range(5)
    ]
    written = world.http.post("/_sandbox/comment", json=lines).json()
    assert len({one["author_external_id"] for one in written}) == 1
    assert len({one["external_id"] for one in written}) == 5
    wrong = [*lines, {"platform": "youtube", "publication": "nowhere", "author": "alina", "text": "а"}]
    assert world.http.post("/_sandbox/comment", json=wrong).status_code == 400
    assert len(world.truth("youtube", text="строка 0")) == 1
