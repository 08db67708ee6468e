"""A site of reviews on loopback: people write under its pages, the world reads an Atom feed of what is newest."""

import hashlib
from xml.sax.saxutils import escape, quoteattr

from flask import Blueprint, Response, request
from werkzeug.wrappers import Response as AnyResponse

from sandbox import keys
from sandbox.faults import answered
from sandbox.ground import store, utc
from sandbox.store import Draft, Item, Store

wire = Blueprint("reviews", __name__, url_prefix="/reviews")

SPACE = "reviews"
SHOWN = 40
"""Entries that the feed shows at most."""


def publish(db: Store, draft: Draft) -> Item:
    parent = db.item("feed", SPACE, draft.parent) if draft.parent else None
    return db.add(
        draft, SPACE, str(db.count("feed:review", 1, 500)), (parent.root or parent.id) if parent else None
    )


def address(item: Item) -> str:
    page = store().publication("feed", "page", item.publication)
    return f"{request.host_url}reviews/{page.slug if page else item.publication}/#review-{item.id}"


def entry(item: Item) -> str:
    parent = store().item("feed", SPACE, item.parent) if item.parent else None
    answered_one = ""
    if parent is not None:
        answered_one = f"<thr:in-reply-to ref={quoteattr(_id(parent))} href={quoteattr(address(parent))}/>"
    return (
        f"<entry><id>{_id(item)}</id><title>{escape(item.text[:40])}</title>{answered_one}"
        f"<link href={quoteattr(address(item))}/><author><name>{escape(_name(item))}</name></author>"
        f"<published>{utc(item.at)}</published><updated>{utc(item.edited or item.at)}</updated>"
        f"<content type='text'>{escape(item.text)}</content></entry>"
    )


def _id(item: Item) -> str:
    return f"tag:reviews.example,2026:{item.id}#review"


def _name(item: Item) -> str:
    return store().person("feed", item.author).name


@wire.get("/feed.xml")
def feed() -> AnyResponse:
    def carry_out() -> Response:
        items = store().items("platform = 'feed' AND state = 'published'", (), "at DESC, seq DESC", SHOWN)
        newest = utc(max((one.edited or one.at for one in items), default=0))
        body = (
            '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom" '
            f'xmlns:thr="http://purl.org/syndication/thread/1.0"><title>Отзывы о школе «{keys.SCHOOL}»</title>'
            f"<id>tag:reviews.example,2026:feed</id><link href={quoteattr(request.host_url + 'reviews/')}/>"
            f"<updated>{newest}</updated>{''.join(map(entry, items))}</feed>"
        )
        answer = Response(body, mimetype="application/atom+xml")
        answer.set_etag(hashlib.sha256(body.encode()).hexdigest()[:20])
        return answer

    answer = answered("feed", "feed", carry_out, {})
    return answer.make_conditional(request) if answer.status_code == 200 else answer
