"""WordPress REST on loopback: comments, posts and users of the school's blog, as core answers them."""

import math
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, request

from sandbox import keys, wordpress_forms
from sandbox.faults import answered
from sandbox.ground import SCHOOL_ZONE, number, store
from sandbox.store import Draft, Item, Publication, Store
from sandbox.wordpress_forms import STATES

wire = Blueprint("wordpress", __name__, url_prefix="/blog/wp-json")

SPACE = "blog"
FIRST_ID = 400
LONGEST_BYTES = 65_525
FLOOD_SECONDS = 15
USERS = {
    keys.BLOG_USER: (keys.BLOG_PASSWORD, keys.BLOG_USER_ID, "editor"),
    keys.BLOG_READER: (keys.BLOG_READER_PASSWORD, keys.BLOG_READER_ID, "subscriber"),
}
ORDERS = {
    "date": "at", "date_gmt": "at", "id": "CAST(id AS INTEGER)", "include": "CAST(id AS INTEGER)",
    "post": "CAST(publication AS INTEGER)", "parent": "CAST(coalesce(parent, '0') AS INTEGER)", "type": "kind",
}  # fmt: skip


class Refused(Exception):
    """An error in WordPress's shape; ``params`` names wrong parameters."""

    def __init__(self, status: int, code: str, message: str, params: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.params = status, code, params


def refusal(error: Refused) -> Response:
    data: dict[str, Any] = {"status": error.status}
    if error.params:
        data["params"] = error.params
    answer = jsonify(code=error.code, message=str(error), data=data)
    answer.status_code = error.status
    return answer


def _busy() -> Response:
    answer = Response("<html><body>Too Many Requests</body></html>", 429, mimetype="text/html")
    answer.headers["Retry-After"] = "1"
    return answer


REFUSALS: dict[str, Callable[[], Response]] = {
    "429": _busy,
    "quota": lambda: Response("<html><body>403 Forbidden (firewall)</body></html>", 403, mimetype="text/html"),
    "401": lambda: refusal(Refused(401, "rest_not_logged_in", "You are not currently logged in.")),
}


# Who calls


def user() -> tuple[str, str] | None:
    """(user id, role) by application password; a wrong one is nobody, not an error, on this platform."""
    given = request.authorization
    if given is None or given.type != "basic" or given.username not in USERS:
        return None
    password, id_, role = USERS[str(given.username)]
    # WordPress shows application passwords in groups and takes them with or without the spaces.
    return (id_, role) if (given.password or "").replace(" ", "") == password.replace(" ", "") else None


def moderates() -> bool:
    who = user()
    return who is not None and who[1] == "editor"


def forbidden(code: str, message: str) -> Refused:
    return Refused(403 if user() else 401, code, message)


# What a listing asks for


def invalid(name: str, message: str) -> Refused:
    return Refused(400, "rest_invalid_param", f"Invalid parameter(s): {name}", {name: message})


def whole(name: str, default: int, lowest: int, highest: int) -> int:
    value = number(request.args.get(name), default, lowest, highest)
    if value is None:
        raise invalid(name, f"{name} must be between {lowest} (inclusive) and {highest} (inclusive)")
    return value


def one_of(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = request.args.get(name, default)
    if value not in allowed:
        raise invalid(name, f"{name} is not one of {', '.join(allowed)}.")
    return value


def numbers(name: str) -> list[str]:
    texts = [*request.args.getlist(name), *request.args.getlist(f"{name}[]")]
    found = [one.strip() for text in texts for one in text.split(",") if one.strip()]
    if not all(one.isdigit() for one in found):
        raise invalid(name, f"{name}[0] is not of type integer.")
    return found


def moment(name: str) -> float | None:
    """A date without a zone is read in the site's own time zone, with ``Z`` or an offset as it says."""
    text = request.args.get(name)
    if not text:
        return None
    try:
        # A plus sign of an offset arrives as a space when the client did not escape it.
        found = datetime.fromisoformat(text.replace(" ", "+", 1) if "T" in text else text)
    except ValueError as error:
        raise invalid(name, "Invalid date.") from error
    return (found if found.tzinfo else found.replace(tzinfo=SCHOOL_ZONE)).timestamp()


def comments_where() -> tuple[str, list[Any]]:
    status = request.args.get("status", "approve")
    secret = [name for name in ("author", "author_exclude", "author_email") if request.args.get(name)]
    secret += ["status"] * (status not in ("approve", "approved")) + ["type"] * (
        request.args.get("type", "comment") != "comment"
    )
    if secret and not moderates():
        raise forbidden("rest_forbidden_param", f"Query parameter not permitted: {', '.join(secret)}")
    # "all" means approved and held; spam and trash are shown only by name.
    states = ["published", "held"] if status == "all" else [STATES.get(status, status)]
    where, values = f"platform = 'wordpress' AND state IN ({_marks(states)})", list[Any](states)
    columns = {"post": "publication", "parent": "coalesce(parent, '0')", "include": "id", "author": "author"}
    for name, column in columns.items():
        wanted = numbers(name)
        if wanted:
            where, values = f"{where} AND {column} IN ({_marks(wanted)})", [*values, *wanted]
    for name, column in {"exclude": "id", "parent_exclude": "coalesce(parent, '0')"}.items():
        unwanted = numbers(name)
        if unwanted:
            where, values = f"{where} AND {column} NOT IN ({_marks(unwanted)})", [*values, *unwanted]
    for name, sign in {"after": ">", "before": "<"}.items():
        at = moment(name)
        if at is not None:
            where, values = f"{where} AND CAST(at AS INTEGER) {sign} ?", [*values, at]
    if request.args.get("search"):
        where, values = f"{where} AND instr(text, ?) > 0", [*values, request.args["search"]]
    return where, values


def _marks(values: list[str]) -> str:
    return ", ".join("?" * len(values))


def in_edit_context() -> bool:
    if one_of("context", "view", ("view", "embed", "edit")) != "edit":
        return False
    if not moderates():
        raise forbidden("rest_forbidden_context", "Sorry, you are not allowed to edit comments.")
    return True


def paged(items: list[dict[str, Any]], total: int, page: int, size: int) -> Response:
    pages = math.ceil(total / size)
    answer = jsonify([wordpress_forms.picked(item) for item in items])
    answer.headers["X-WP-Total"], answer.headers["X-WP-TotalPages"] = str(total), str(pages)
    links = []
    for name, number_ in (("prev", page - 1), ("next", page + 1)):
        if 1 <= number_ <= pages:
            query = [(key, value) for key, value in request.args.items(multi=True) if key != "page"]
            links.append(f'<{request.base_url}?{urlencode([*query, ("page", number_)])}>; rel="{name}"')
    if links:
        answer.headers["Link"] = ", ".join(links)
    return answer


# Comments


def comments_list() -> Response:
    edit, (where, values) = in_edit_context(), comments_where()
    page, size = whole("page", 1, 1, 2**31), whole("per_page", 10, 1, 100)
    direction = one_of("order", "desc", ("asc", "desc"))
    column = ORDERS[one_of("orderby", "date_gmt", tuple(ORDERS))]
    total = int(store().scalar(f"SELECT count(*) FROM items WHERE {where}", values))  # noqa: S608
    offset = whole("offset", (page - 1) * size, 0, 2**31)
    order = f"{column} {direction}, CAST(id AS INTEGER) {direction}"
    found = store().items(where, values, order, offset + size)[offset:]
    return paged([wordpress_forms.comment(item, edit) for item in found], total, page, size)


def standing(id_: str) -> Item:
    item = store().item("wordpress", SPACE, id_)
    if item is None or item.state == "deleted":
        raise Refused(404, "rest_comment_invalid_id", "Invalid comment ID.")
    return item


def comments_get(id_: str) -> Response:
    item = standing(id_)
    if item.state != "published" and not moderates():
        raise forbidden("rest_cannot_read", "Sorry, you are not allowed to read this comment.")
    return jsonify(wordpress_forms.picked(wordpress_forms.comment(item, in_edit_context())))


def body() -> dict[str, Any]:
    content = request.get_json(silent=True)
    return content if isinstance(content, dict) else {**request.args.to_dict(), **request.form.to_dict()}


def text_of(content: dict[str, Any]) -> str:
    text = content.get("content", "")
    text = text.get("raw", "") if isinstance(text, dict) else text
    if not isinstance(text, str) or not text.strip():
        raise Refused(400, "rest_comment_content_invalid", "Invalid comment content.")
    if len(text.encode()) > LONGEST_BYTES:
        raise Refused(400, "comment_content_column_length", "Your comment is too long.")
    return text


def publish(db: Store, draft: Draft) -> Item:
    """Gives a comment the next number of the blog; a parent of any depth is kept."""
    id_ = str(db.count("wordpress:comment", 1, FIRST_ID))
    parent = db.item("wordpress", SPACE, draft.parent) if draft.parent else None
    return db.add(draft, SPACE, id_, (parent.root or parent.id) if parent else None)


def _post_of(content: dict[str, Any]) -> Publication:
    post = store().publication("wordpress", "article", str(content.get("post", "")))
    if post is None:
        message = "Sorry, you are not allowed to create this comment without a post."
        raise Refused(403, "rest_comment_invalid_post_id", message)
    if not post.open:
        raise Refused(403, "rest_comment_closed", "Sorry, comments are closed for this item.")
    return post


def _refuse_repeats(author: str, post: Publication, parent: str | None, text: str) -> None:
    where = "platform = 'wordpress' AND publication = ? AND author = ? AND state NOT IN ('trash', 'deleted')"
    for item in store().items(where, (post.id, author)):
        if item.text == text and item.parent == parent:
            message = "Duplicate comment detected; it looks as though you&#8217;ve already said that!"
            raise Refused(409, "comment_duplicate", message)
        if not moderates() and item.at > time.time() - FLOOD_SECONDS:
            raise Refused(400, "comment_flood", "You are posting comments too quickly. Slow down.")


def comments_create() -> Response:
    who = user()
    if who is None:
        raise Refused(401, "rest_comment_login_required", "Sorry, you must be logged in to comment.")
    content = body()
    if content.get("id"):
        raise Refused(400, "rest_comment_exists", "Cannot create existing comment.")
    post, text = _post_of(content), text_of(content)
    parent = str(content.get("parent") or "") or None
    if parent is not None and not parent.isdigit():
        raise invalid("parent", "parent is not of type integer.")
    _refuse_repeats(who[0], post, parent, text)
    state = STATES.get(str(content.get("status", "approve")), "published") if moderates() else "held"
    draft = Draft("wordpress", "article", post.id, who[0], text, parent, state=state, ours=moderates())
    item = publish(store(), draft)
    store().accept("comments.create", item)
    answer = jsonify(wordpress_forms.comment(item, moderates()))
    answer.status_code = 201
    answer.headers["Location"] = f"{wordpress_forms.api()}/comments/{item.id}"
    return answer


def comments_update(id_: str) -> Response:
    item = standing(id_)
    if not moderates():
        raise forbidden("rest_cannot_edit", "Sorry, you are not allowed to edit this comment.")
    content = body()
    status = content.get("status")
    if status is not None and (str(status) not in STATES or status == wordpress_forms.TOLD.get(item.state)):
        raise Refused(500, "rest_comment_failed_edit", "Updating comment status failed.")
    if "content" in content:
        item = store().edit(item, text_of(content))
    if status is not None:
        item = store().set_state(item, STATES[str(status)])
    store().accept("comments.update", item, None if status is None else str(status))
    return jsonify(wordpress_forms.comment(item, True))


def comments_delete(id_: str) -> Response:
    item = standing(id_)
    if not moderates():
        raise forbidden("rest_cannot_delete", "Sorry, you are not allowed to delete this comment.")
    force = str(request.values.get("force", body().get("force", ""))).lower() in ("true", "1")
    if item.state == "trash" and not force:
        raise Refused(410, "rest_already_trashed", "The comment has already been trashed.")
    before = wordpress_forms.comment(item, True)
    item = store().set_state(item, "deleted" if force else "trash")
    store().accept("comments.delete", item)
    return jsonify(deleted=True, previous=before) if force else jsonify(wordpress_forms.comment(item, True))


# Posts, users, the index


def posts_list() -> Response:
    page, size = whole("page", 1, 1, 2**31), whole("per_page", 10, 1, 100)
    include, slugs = numbers("include"), [one for one in request.args.get("slug", "").split(",") if one]
    after, before = moment("after"), moment("before")
    found = [
        post
        for post in store().publications("wordpress", "article")
        if (not include or post.id in include)
        and (not slugs or post.slug in slugs)
        and (after is None or post.at > after)
        and (before is None or post.at < before)
    ]
    by_id = one_of("orderby", "date", ("date", "id", "modified", "slug", "title", "include")) == "id"
    newest_first = one_of("order", "desc", ("asc", "desc")) == "desc"
    found.sort(key=lambda post: int(post.id) if by_id else post.at, reverse=newest_first)
    if page > 1 and (page - 1) * size >= len(found):
        message = "The page number requested is larger than the number of pages available."
        raise Refused(400, "rest_post_invalid_page_number", message)
    shown = found[(page - 1) * size : page * size]
    return paged([wordpress_forms.post(post) for post in shown], len(found), page, size)


def posts_get(id_: str) -> Response:
    post = store().publication("wordpress", "article", id_)
    if post is None:
        raise Refused(404, "rest_post_invalid_id", "Invalid post ID.")
    return jsonify(wordpress_forms.picked(wordpress_forms.post(post)))


def users_me() -> Response:
    who = user()
    if who is None:
        raise Refused(401, "rest_not_logged_in", "You are not currently logged in.")
    person = store().person("wordpress", who[0])
    answer = {
        "id": int(who[0]),
        "name": person.name,
        "url": "",
        "description": "",
        "link": f"{request.host_url}blog/author/{person.handle}/",
        "slug": person.handle,
        "avatar_urls": {},
        "meta": [],
    }
    if request.args.get("context") == "edit":
        able = who[1] == "editor"
        capabilities = {"read": True} | (dict.fromkeys(("edit_posts", "moderate_comments"), True) if able else {})
        mail = f"{person.handle}@lingva-park.example"
        answer |= {"username": person.handle, "email": mail, "roles": [who[1]], "capabilities": capabilities}
    return jsonify(answer)


def index() -> Response:
    home = f"{request.host_url}blog"
    passwords = {"endpoints": {"authorization": f"{home}/wp-admin/authorize-application.php"}}
    return jsonify(
        name=f"Блог «{keys.SCHOOL}»",
        description="Учебная площадка",
        url=home,
        home=home,
        gmt_offset="3",
        timezone_string="Europe/Moscow",
        namespaces=["oembed/1.0", "wp/v2"],
        authentication={"application-passwords": passwords},
        routes={"/wp/v2/comments": {}, "/wp/v2/posts": {}, "/wp/v2/users/me": {}},
    )


ROUTES: dict[tuple[str, str], tuple[str, Callable[..., Response]]] = {
    ("GET", "comments"): ("comments.list", comments_list),
    ("POST", "comments"): ("comments.create", comments_create),
    ("GET", "comments/"): ("comments.get", comments_get),
    ("POST", "comments/"): ("comments.update", comments_update),
    ("PUT", "comments/"): ("comments.update", comments_update),
    ("PATCH", "comments/"): ("comments.update", comments_update),
    ("DELETE", "comments/"): ("comments.delete", comments_delete),
    ("GET", "posts"): ("posts.list", posts_list),
    ("GET", "posts/"): ("posts.get", posts_get),
    ("GET", "users/me"): ("users.me", users_me),
}


@wire.get("/")
def root() -> Response:
    return answered("wordpress", "index", index, REFUSALS)


@wire.route("/wp/v2/<path:resource>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def call(resource: str) -> Response:
    resource = resource.rstrip("/")
    noun, _, id_ = resource.partition("/")
    entry = ROUTES.get((request.method, resource)) or (
        ROUTES.get((request.method, f"{noun}/")) if id_.isdigit() else None
    )
    if entry is None:
        message = "No route was found matching the URL and request method."
        return refusal(Refused(404, "rest_no_route", message))
    method, act = entry
    given = (id_,) if id_.isdigit() else ()

    def carry_out() -> Response:
        try:
            if request.method == "GET":
                return act(*given)
            with store().writing():
                return act(*given)
        except Refused as error:
            return refusal(error)

    return answered("wordpress", method, carry_out, REFUSALS)
