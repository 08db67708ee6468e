"""The sandbox's own small site in Russian: what a viewer sees on each platform, and a form to write as one."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from sandbox import getcourse, keys, posting, views
from sandbox.cast import MESSENGERS, STAFF, VIEWERS, Actor
from sandbox.ground import SCHOOL_ZONE, store
from sandbox.store import Publication

site = Blueprint("pages", __name__)

TABS = {
    "youtube": "YouTube",
    "vk": "ВКонтакте",
    "telegram": "Telegram",
    "wordpress": "Блог",
    "max": "MAX",
    "ok": "ОК",
    "feed": "Отзывы",
    "form": "Форма",
    "getcourse": "GetCourse",
}
MONTHS = (
    "января", "февраля", "марта", "апреля", "мая", "июня",
    "июля", "августа", "сентября", "октября", "ноября", "декабря",
)  # fmt: skip
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@site.app_template_filter("moment")
def moment(at: float) -> str:
    """School time in words: «сегодня, 19:42», «19 ноября, 18:22»."""
    when = datetime.fromtimestamp(at, UTC).astimezone(SCHOOL_ZONE)
    today = datetime.now(SCHOOL_ZONE).date()
    if when.date() == today:
        return when.strftime("сегодня, %H:%M")
    if when.date() == today - timedelta(days=1):
        return when.strftime("вчера, %H:%M")
    return f"{when.day} {MONTHS[when.month - 1]}, {when:%H:%M}"


@site.app_template_filter("counted")
def counted(number: int, one: str, few: str, many: str) -> str:
    """A number with its Russian noun: 1 комментарий, 2 комментария, 5 комментариев."""
    if number % 10 == 1 and number % 100 != 11:
        return f"{number} {one}"
    if number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14):
        return f"{number} {few}"
    return f"{number} {many}"


@site.app_template_global("address")
def address(one: Publication) -> str:
    """The permalink a reader would open."""
    kind = "article" if one.platform == "wordpress" else one.kind
    paths = {
        ("youtube", "video"): f"/watch/{one.id}",
        ("vk", "post"): f"/wall/{one.id}",
        ("vk", "video"): f"/video/{one.id}",
        ("vk", "photo"): f"/photo/{one.id}",
        ("telegram", "post"): f"/t/{one.id}",
        ("telegram", "chat"): "/t/chat",
        ("getcourse", "lesson"): f"/getcourse/pl/teach/control/lesson/view?id={one.id}",
        ("feed", "page"): f"/reviews/{one.slug}/",
        ("max", "chat"): f"/max/chat/{one.id}",
        ("ok", "topic"): f"/group/{keys.OK_GROUP}/topic/{one.id}",
        ("wordpress", "article"): f"/blog/{one.slug}/",
    }
    return paths.get((one.platform, kind), f"/dialog/{one.platform}/{one.id}")


def show(platform: str, chosen: Publication | None, refusal: str = "", status: int = 200) -> Response:
    """The whole page of one platform with one publication opened."""
    form = request.form
    content = render_template(
        "page.html",
        tabs=TABS,
        platform=platform,
        school=keys.SCHOOL,
        places=views.places(platform),
        chosen=chosen,
        threads=views.threads(chosen) if chosen else [],
        people=_viewers(),
        colleagues=list(STAFF.values()) if platform in MESSENGERS else [],
        author=form.get("author") or request.args.get("as", ""),
        stranger=form.get("stranger", ""),
        text=form.get("text", ""),
        answered=views.answered(chosen, form.get("parent") or request.args.get("to", "")),
        target=next((request.args[name] for name in ("lc", "reply", "comment") if name in request.args), ""),
        refusal=refusal,
        has_dialogs="dialog" in posting.HANDS[platform].kinds,
    )
    answer = make_response(content, status)
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["Cache-Control"] = "no-store"
    return answer


def opened(platform: str, kind: str, id_: str) -> Response:
    found = store().publication(platform, kind, id_)
    return show(platform, found) if found else abort(404)


@site.get("/")
def home() -> Response:
    """The publication that was commented on last stands open."""
    platform = request.args.get("tab", "youtube")
    if platform not in TABS:
        abort(404)
    return show(platform, views.liveliest(platform))


@site.get("/watch/<id_>")
def watch(id_: str) -> Response:
    return opened("youtube", "video", id_)


@site.get("/watch")
def watch_query() -> Response:
    """The address as the real platform writes it: /watch?v=…&lc=…"""
    return opened("youtube", "video", request.args.get("v", ""))


@site.get("/wall/<id_>")
def wall(id_: str) -> Response:
    return opened("vk", "post", id_)


@site.get("/video/<id_>")
def vk_video(id_: str) -> Response:
    return opened("vk", "video", id_)


@site.get("/photo/<id_>")
def vk_photo(id_: str) -> Response:
    return opened("vk", "photo", id_)


@site.get(f"/<any(wall,video,photo):what>-{keys.VK_GROUP}_<id_>")
def vk_address(what: str, id_: str) -> Response:
    """The address as the real platform writes it: /wall-1_2?reply=3."""
    return opened("vk", "post" if what == "wall" else what, id_)


@site.get("/t/<id_>")
@site.get(f"/{keys.SCREEN_NAME}/<id_>")
def channel_post(id_: str) -> Response:
    if id_ == "chat":
        return opened("telegram", "chat", str(keys.TELEGRAM_GROUP))
    return opened("telegram", "post", id_)


@site.get(f"/c/{str(keys.TELEGRAM_GROUP).removeprefix('-100')}/<message>")
def group_message(message: str) -> AnyResponse:
    """A message of a private group by its number, as t.me/c/… leads to it."""
    item = store().item("telegram", "group", message)
    found = store().publication("telegram", item.kind, item.publication) if item else None
    return redirect(f"{address(found)}?comment={message}#comment-{message}") if found else abort(404)


@site.get("/getcourse/pl/teach/control/lesson/view")
def lesson() -> Response:
    return opened("getcourse", "lesson", request.args.get("id", ""))


@site.get("/getcourse/user/control/user/update/id/<number>")
def student(number: str) -> AnyResponse:
    """A student's page leads to what they asked last."""
    who = next((one for one in store().persons("getcourse") if getcourse.number_of(one.id) == number), None)
    return redirect(f"/dialog/getcourse/{who.id}" if who else "/?tab=getcourse")


@site.get("/max/chat/<id_>")
def max_chat(id_: str) -> Response:
    return opened("max", "chat", id_)


@site.get("/reviews/<slug>/")
def review_page(slug: str) -> Response:
    found = next((one for one in store().publications("feed") if one.slug == slug), None)
    return show("feed", found) if found else abort(404)


@site.get(f"/group/{keys.OK_GROUP}/topic/<id_>")
def ok_topic(id_: str) -> Response:
    return opened("ok", "topic", id_)


@site.get("/dialog/<platform>/<id_>")
def dialog(platform: str, id_: str) -> Response:
    if platform not in TABS or "dialog" not in posting.HANDS[platform].kinds:
        abort(404)
    return show(platform, None) if id_ == "new" else opened(platform, "dialog", id_)


@site.get(f"/gim{keys.VK_GROUP}")
def community_dialog() -> Response:
    """A dialogue of the community, as vk.com/gim…?sel=… leads to it."""
    return opened("vk", "dialog", request.args.get("sel", ""))


@site.get(f"/{keys.TELEGRAM_BOT_NAME}", defaults={"platform": "telegram"})
@site.get(f"/m/{keys.TELEGRAM_BOT_NAME}", defaults={"platform": "max"})
def bot(platform: str) -> str:
    """Where a deep link leads: the dialogue with the school's bot before the first press."""
    return _bot_page(platform, request.args.get("start", ""))


def _bot_page(platform: str, word: str, refusal: str = "") -> str:
    return render_template(
        "start.html", platform=platform, title=TABS[platform], school=keys.SCHOOL, word=word, refusal=refusal,
        colleagues=list(STAFF.values()), viewers=_viewers(),
    )  # fmt: skip


@site.post("/_start/<platform>")
def start(platform: str) -> AnyResponse | tuple[str, int]:
    if platform not in TABS or not _from_this_page():
        abort(403)
    form = request.form
    try:
        place = posting.start(platform, form.get("author", ""), form.get("word", ""))
    except posting.Unwelcome as error:
        return _bot_page(platform, form.get("word", ""), str(error)), 422
    return redirect(address(place), 303)


def _viewers() -> list[Actor]:
    return [actor for actor in VIEWERS.values() if not actor.about.startswith("спам")]


@site.get("/channel/<id_>", defaults={"platform": "youtube"})
@site.get("/id<int:id_>", defaults={"platform": "vk"})
@site.get("/<id_>", defaults={"platform": "telegram"})
def profile(platform: str, id_: str | int) -> AnyResponse:
    """There are no pages of people here: a person's address leads to what they wrote last."""
    known = store().persons(platform)
    person = next((one for one in known if str(id_) in (one.id, one.handle)), None)
    wrote = store().items("platform = ? AND author = ?", (platform, person.id), "seq DESC", 1) if person else []
    found = store().publication(platform, wrote[0].kind, wrote[0].publication) if wrote else None
    return redirect(f"{address(found)}#comment-{wrote[0].id}") if found else abort(404)


@site.get("/blog/")
def blog() -> AnyResponse:
    id_ = request.args.get("p", "")
    found = store().publication("wordpress", "article", id_)
    if id_ and found:
        return redirect(address(found))
    answer = show("wordpress", views.liveliest("wordpress"))
    answer.headers["Link"] = f'<{request.host_url}blog/wp-json/>; rel="https://api.w.org/"'
    return answer


@site.get("/blog/<slug>/")
def article(slug: str) -> Response:
    found = next((one for one in store().publications("wordpress") if one.slug == slug), None)
    return show("wordpress", found) if found else abort(404)


@site.get("/_page/<platform>")
def fragment(platform: str) -> AnyResponse:
    """What changes while one watches: the list of publications and the opened threads; 304 when nothing did."""
    if platform not in TABS:
        abort(404)
    chosen = store().publication(platform, request.args.get("kind", ""), request.args.get("id", ""))
    answer = make_response(
        render_template(
            "fragment.html",
            platform=platform,
            places=views.places(platform),
            chosen=chosen,
            threads=views.threads(chosen) if chosen else [],
            has_dialogs="dialog" in posting.HANDS[platform].kinds,
            target="",
        )
    )
    answer.headers["Cache-Control"] = "no-cache"
    answer.add_etag()
    return answer.make_conditional(request)


@site.post("/_page/<platform>")
def write(platform: str) -> AnyResponse:
    """The form: a viewer writes, then stands before the page with the comment on it."""
    if platform not in TABS or not _from_this_page():
        abort(403)
    form = request.form
    kind, id_ = form.get("kind", ""), form.get("id", "")
    author = form.get("stranger", "").strip() or form.get("author", "")
    which = f"{kind}:{id_}" if id_ else "dialog"
    try:
        item = posting.write(platform, which, author, form.get("text", ""), form.get("parent") or None)
    except posting.Unwelcome as error:
        return show(platform, store().publication(platform, kind, id_), refusal=str(error), status=422)
    found = store().publication(platform, item.kind, item.publication)
    if found is None:
        abort(404)
    return redirect(f"{address(found)}?as={form.get('author', '')}#comment-{item.id}", 303)


def _from_this_page() -> bool:
    """A form on a foreign site must not write here through the viewer's browser."""
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


@site.get("/favicon.ico")
def favicon() -> AnyResponse:
    return redirect(url_for("static", filename="icon.svg"))
