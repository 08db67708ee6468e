"""WordPress over HTTP: listings with their headers, rights, writing, duplicates, the bin."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from sandbox import keys
from tests.sandbox.running import Running


def refused(answer: httpx.Response) -> tuple[int, str]:
    content = answer.json()
    assert content["data"]["status"] == answer.status_code
    return answer.status_code, content["code"]


def ids(answer: httpx.Response) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [comment["id"] for comment in answer.json()]


def new(world: Running, text: str, **more: Any) -> int:
    return int(world.says("wordpress", "wp-plateau", text, **more)["external_id"])


def test_pages_are_told_in_headers(world: Running) -> None:
    def page(number: int) -> httpx.Response:
        return world.blog("GET", "comments", params={"post": 61, "per_page": 3, "page": number, "orderby": "id"})

    first = page(1)
    total, pages = int(first.headers["X-WP-Total"]), int(first.headers["X-WP-TotalPages"])
    assert total >= 8
    assert pages == -(-total // 3)
    assert 'rel="next"' in first.headers["Link"]
    assert 'rel="prev"' not in first.headers["Link"]
    following = first.headers["Link"].partition("<")[2].partition(">")[0]
    assert ids(world.http.get(following)) == ids(page(2))
    found = [id_ for number in range(1, pages + 1) for id_ in ids(page(number))]
    assert found == sorted(set(found), reverse=True)
    assert len(found) == total
    past = page(pages + 1)
    assert (ids(past), past.headers["X-WP-Total"]) == ([], str(total))


def test_ten_come_unasked_and_a_hundred_at_most(world: Running) -> None:
    assert len(ids(world.blog("GET", "comments"))) == 10
    assert refused(world.blog("GET", "comments", params={"per_page": 101})) == (400, "rest_invalid_param")
    assert refused(world.blog("GET", "comments", params={"per_page": 0})) == (400, "rest_invalid_param")
    assert refused(world.blog("GET", "comments", params={"orderby": "mood"})) == (400, "rest_invalid_param")


def test_filters_narrow_the_list(world: Running) -> None:
    def asked(**params: Any) -> list[int]:
        return ids(world.blog("GET", "comments", params={"per_page": 100, **params}))

    head = int(world.truth("wordpress", key="b01")[0]["external_id"])
    children = [int(item["external_id"]) for item in world.truth("wordpress", parent_external_id=str(head))]
    assert sorted(asked(parent=head)) == sorted(children)
    assert asked(include=f"{head},{children[0]}", orderby="id", order="asc") == [head, children[0]]
    assert head not in asked(exclude=head)
    assert head in asked(parent=0)
    assert not set(children) & set(asked(parent=0))
    assert asked(search="let me think about it") == children[1:2]


def test_dates_without_a_zone_are_the_sites_own(world: Running) -> None:
    id_ = new(world, "только что написано")
    hour_ahead = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S")
    asked = {"post": 34, "per_page": 100}
    # On a Moscow site an hour after now in UTC is two hours ago, unless the zone is said.
    assert id_ in ids(world.blog("GET", "comments", params={**asked, "after": hour_ahead}))
    assert id_ not in ids(world.blog("GET", "comments", params={**asked, "after": f"{hour_ahead}Z"}))
    assert id_ in ids(world.blog("GET", "comments", params={**asked, "before": f"{hour_ahead}Z"}))
    comment = world.blog("GET", f"comments/{id_}").json()
    local, gmt = (datetime.fromisoformat(comment[name]) for name in ("date", "date_gmt"))
    assert local - gmt == timedelta(hours=3)


def test_what_is_not_approved_needs_rights(world: Running) -> None:
    def listing(who: str | None, **params: str) -> httpx.Response:
        return world.blog("GET", "comments", who, params={"per_page": 100, **params})

    held = set(ids(listing("desk", status="hold")))
    spam = set(ids(listing("desk", status="spam")))
    assert len(held) >= 2
    assert len(spam) == 2
    everything = set(ids(listing("desk", status="all")))
    assert held < everything
    assert not spam & everything
    assert refused(listing(None, status="hold")) == (401, "rest_forbidden_param")
    assert refused(listing("reader", status="hold")) == (403, "rest_forbidden_param")
    assert refused(listing(None, context="edit")) == (401, "rest_forbidden_context")
    assert "raw" in listing("desk", context="edit").json()[0]["content"]
    one = held.pop()
    assert refused(world.blog("GET", f"comments/{one}", None)) == (401, "rest_cannot_read")
    assert world.blog("GET", f"comments/{one}").json()["status"] == "hold"
    assert refused(world.blog("GET", "comments/1")) == (404, "rest_comment_invalid_id")


def test_a_wrong_password_is_nobody_and_not_an_error(world: Running) -> None:
    assert len(ids(world.blog("GET", "comments", "stranger"))) == 10
    wrong = ("desk", "wrong")
    assert world.http.get("/blog/wp-json/wp/v2/comments", auth=wrong).status_code == 200
    answer = world.http.get("/blog/wp-json/wp/v2/users/me", auth=wrong)
    assert refused(answer) == (401, "rest_not_logged_in")
    assert refused(world.blog("POST", "comments", None, json={"post": 34, "content": "а"})) == (
        401,
        "rest_comment_login_required",
    )


def test_the_users_own_page(world: Running) -> None:
    me = world.blog("GET", "users/me", params={"context": "edit"}).json()
    assert (str(me["id"]), me["roles"]) == (keys.BLOG_USER_ID, ["editor"])
    assert me["capabilities"]["moderate_comments"] is True
    unspaced = world.http.get("/blog/wp-json/wp/v2/users/me", auth=("desk", keys.BLOG_PASSWORD.replace(" ", "")))
    assert unspaced.status_code == 200


def test_an_answer_is_created_once(world: Running) -> None:
    parent = new(world, "А запись будет?")
    body = {"post": 34, "parent": parent, "content": "Будет, в пятницу."}
    answer = world.blog("POST", "comments", json=body)
    assert answer.status_code == 201
    created = answer.json()
    assert answer.headers["Location"].endswith(f"/comments/{created['id']}")
    assert (created["parent"], created["author"], created["status"]) == (parent, int(keys.BLOG_USER_ID), "approved")
    assert created["content"]["rendered"] == "<p>Будет, в пятницу.</p>\n"
    assert created["link"] == f"{world.url}/blog/kak-vybratsya-s-plato/#comment-{created['id']}"
    assert refused(world.blog("POST", "comments", json=body)) == (409, "comment_duplicate")
    assert world.blog("POST", "comments", json={**body, "parent": 0}).status_code == 201
    standing = world.truth("wordpress", external_id=str(created["id"]))[0]
    assert (standing["direction"], standing["parent_external_id"]) == ("out", str(parent))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"content": "а"}, (403, "rest_comment_invalid_post_id")),
        ({"post": 2, "content": "а"}, (403, "rest_comment_closed")),
        ({"post": 34, "content": " "}, (400, "rest_comment_content_invalid")),
        ({"post": 34, "content": "ы" * 40_000}, (400, "comment_content_column_length")),
        ({"post": 34, "content": "а", "id": 5}, (400, "rest_comment_exists")),
    ],
)
def test_wrong_comments_are_refused(world: Running, body: dict[str, Any], reason: tuple[int, str]) -> None:
    assert refused(world.blog("POST", "comments", json=body)) == reason


def test_a_reader_waits_for_approval_and_between_comments(world: Running) -> None:
    first = world.blog("POST", "comments", "reader", json={"post": 34, "content": "можно и мне сказать"})
    assert (first.status_code, first.json()["status"]) == (201, "hold")
    second = world.blog("POST", "comments", "reader", json={"post": 34, "content": "и ещё"})
    assert refused(second) == (400, "comment_flood")
    id_ = first.json()["id"]
    assert refused(world.blog("PUT", f"comments/{id_}", "reader", json={"content": "а"})) == (
        403,
        "rest_cannot_edit",
    )
    assert refused(world.blog("DELETE", f"comments/{id_}", "reader")) == (403, "rest_cannot_delete")


def test_edit_and_status_change(world: Running) -> None:
    id_ = new(world, "подозрительное")
    assert world.blog("POST", f"comments/{id_}", json={"status": "hold"}).json()["status"] == "hold"
    assert id_ not in ids(world.blog("GET", "comments", params={"post": 34, "per_page": 100}))
    assert world.blog("PUT", f"comments/{id_}", json={"status": "approved"}).json()["status"] == "approved"
    assert world.blog("POST", f"comments/{id_}", json={"status": "spam"}).json()["status"] == "spam"
    again = world.blog("POST", f"comments/{id_}", json={"status": "spam"})
    assert refused(again) == (500, "rest_comment_failed_edit")
    assert world.blog("POST", f"comments/{id_}", json={"status": "approve"}).json()["status"] == "approved"
    edited = world.blog("PATCH", f"comments/{id_}", json={"content": {"raw": "поправленное"}}).json()
    assert edited["content"]["raw"] == "поправленное"
    assert world.truth("wordpress", external_id=str(id_))[0]["versions"][0]["text"] == "подозрительное"


def test_the_bin_and_beyond(world: Running) -> None:
    id_ = new(world, "в корзину")
    assert world.blog("DELETE", f"comments/{id_}").json()["status"] == "trash"
    assert refused(world.blog("DELETE", f"comments/{id_}")) == (410, "rest_already_trashed")
    assert refused(world.blog("GET", f"comments/{id_}", None)) == (401, "rest_cannot_read")
    assert id_ in ids(world.blog("GET", "comments", params={"status": "trash"}))
    gone = world.blog("DELETE", f"comments/{id_}", params={"force": "true"}).json()
    assert (gone["deleted"], gone["previous"]["id"]) == (True, id_)
    assert refused(world.blog("GET", f"comments/{id_}")) == (404, "rest_comment_invalid_id")


def test_text_becomes_html(world: Running) -> None:
    id_ = new(world, "1 < 2 & 3...\nстрока\n\nабзац <script>alert(1)</script>")
    rendered = world.blog("GET", f"comments/{id_}").json()["content"]["rendered"]
    assert "<p>1 &lt; 2 &#038; 3&#8230;<br />\nстрока</p>\n<p>абзац &lt;script>" in rendered


def test_posts_and_the_index(world: Running) -> None:
    answer = world.blog("GET", "posts", None, params={"per_page": 3, "_fields": "id,slug,title.rendered"})
    assert answer.headers["X-WP-Total"] == "8"
    assert answer.json()[0] == {
        "id": 64,
        "slug": "kak-uchitsya-posle-raboty",
        "title": {"rendered": "Как учиться после работы и не засыпать над тетрадью"},
    }
    past = world.blog("GET", "posts", None, params={"page": 99})
    assert refused(past) == (400, "rest_post_invalid_page_number")
    assert world.blog("GET", "posts/34", None).json()["link"] == f"{world.url}/blog/kak-vybratsya-s-plato/"
    index = world.http.get("/blog/wp-json/").json()
    assert "wp/v2" in index["namespaces"]
    assert refused(world.blog("GET", "pages")) == (404, "rest_no_route")
    home = world.http.get("/blog/")
    assert home.headers["Link"] == f'<{world.url}/blog/wp-json/>; rel="https://api.w.org/"'
