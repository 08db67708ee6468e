"""How WordPress writes its resources: comments, posts, users; and how it turns text into HTML."""

import re
from datetime import UTC, datetime
from typing import Any

from flask import request

from sandbox import keys
from sandbox.ground import SCHOOL_ZONE, store
from sandbox.store import Item, Publication

STATUS = {"published": "approved", "held": "hold", "spam": "spam", "trash": "trash"}
STATES = {
    "approve": "published", "approved": "published", "1": "published", "untrash": "published",
    "unspam": "published", "hold": "held", "0": "held", "spam": "spam", "trash": "trash",
}  # fmt: skip
TOLD = {"published": "approved", "held": "unapproved", "spam": "spam", "trash": "trash"}
"""How WordPress calls a state to itself; to set a comment to the very same word fails there."""
_KEPT_TAGS = re.compile(r"<(?!/?(?:a|b|strong|i|em|code|pre|blockquote|p|br|del|q|cite|s)\b)")
_LONE_AMPERSAND = re.compile(r"&(?!#?\w+;)")
_LINK = re.compile(r"(?<![\"'=>])\bhttps?://[^\s<]+")


def rendered(text: str) -> str:
    """Text as WordPress's comment filters show it: paragraphs, clickable links, typographic dashes and dots."""
    html = _KEPT_TAGS.sub("&lt;", _LONE_AMPERSAND.sub("&#038;", text.strip()))
    html = _LINK.sub(lambda found: f'<a href="{found[0]}" rel="nofollow ugc">{found[0]}</a>', html)
    html = html.replace("...", "&#8230;").replace(" - ", " &#8211; ")
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", html) if part.strip()]
    return "".join(f"<p>{part.replace(chr(10), '<br />' + chr(10))}</p>\n" for part in paragraphs)


def dates(at: float) -> tuple[str, str]:
    """The site's own time and UTC, both written without a zone, as WordPress does."""
    form = "%Y-%m-%dT%H:%M:%S"
    moment = datetime.fromtimestamp(int(at), UTC)
    return moment.astimezone(SCHOOL_ZONE).strftime(form), moment.strftime(form)


def api() -> str:
    return f"{request.host_url}blog/wp-json/wp/v2"


def post_link(post: Publication) -> str:
    return f"{request.host_url}blog/{post.slug}/"


def author_id(item: Item) -> int:
    """The user's number, or 0 for a guest, whose identity here is the e-mail address."""
    return int(item.author) if item.author.isdigit() else 0


def comment(item: Item, edit: bool) -> dict[str, Any]:
    """A comment object; ``edit`` adds what only moderators see."""
    author = store().person("wordpress", item.author)
    post = store().publication("wordpress", "article", item.publication)
    local, gmt = dates(item.at)
    answer: dict[str, Any] = {
        "id": int(item.id),
        "post": int(item.publication),
        "parent": int(item.parent or 0),
        "author": author_id(item),
        "author_name": author.name,
        "author_url": "",
        "date": local,
        "date_gmt": gmt,
        "content": {"rendered": rendered(item.text)},
        "link": f"{post_link(post)}#comment-{item.id}" if post else "",
        "status": STATUS.get(item.state, item.state),
        "type": "comment",
        "author_avatar_urls": {
            size: f"https://secure.gravatar.example/avatar/?s={size}" for size in ("24", "48", "96")
        },
        "meta": [],
    }
    if edit:
        answer["content"]["raw"] = item.text
        mail = "" if item.author.isdigit() else item.author
        answer |= {"author_email": mail, "author_ip": "192.0.2.7", "author_user_agent": ""}
    links: dict[str, Any] = {
        "self": [{"href": f"{api()}/comments/{item.id}"}],
        "collection": [{"href": f"{api()}/comments"}],
        "up": [{"embeddable": True, "post_type": "post", "href": f"{api()}/posts/{item.publication}"}],
    }
    return answer | {"_links": links}


def post(one: Publication) -> dict[str, Any]:
    local, gmt = dates(one.at)
    return {
        "id": int(one.id),
        "date": local,
        "date_gmt": gmt,
        "guid": {"rendered": f"{request.host_url}blog/?p={one.id}"},
        "modified": local,
        "modified_gmt": gmt,
        "slug": one.slug,
        "status": "publish",
        "type": "post",
        "link": post_link(one),
        "title": {"rendered": one.title},
        "content": {"rendered": rendered(one.text), "protected": False},
        "excerpt": {"rendered": rendered(one.text), "protected": False},
        "author": int(keys.BLOG_USER_ID),
        "featured_media": 0,
        "comment_status": "open" if one.open else "closed",
        "ping_status": "closed",
        "sticky": one.pinned,
        "format": "standard",
        "categories": [1],
        "tags": [],
        "_links": {
            "self": [{"href": f"{api()}/posts/{one.id}"}],
            "replies": [{"embeddable": True, "href": f"{api()}/comments?post={one.id}"}],
        },
    }


def picked(content: dict[str, Any]) -> dict[str, Any]:
    """Only the asked ``_fields`` (a comma list; ``content.rendered`` reaches one level down)."""
    asked = [name for name in request.args.get("_fields", "").split(",") if name]
    if not asked:
        return content
    answer: dict[str, Any] = {}
    for name in asked:
        outer, _, inner = name.partition(".")
        if outer not in content:
            continue
        if inner and isinstance(content[outer], dict) and inner in content[outer]:
            answer.setdefault(outer, {})[inner] = content[outer][inner]
        elif not inner:
            answer[outer] = content[outer]
    return answer
