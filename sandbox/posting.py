"""A viewer's hand on any platform: writes, edits and removes, and lets the platform send its events."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sandbox import cast, getcourse, ok, outside, reviews, telegram, vk_comments, vk_messages, wordpress, youtube
from sandbox import max as max_messenger
from sandbox.ground import store
from sandbox.store import Draft, Item, Person, Publication, Store


class Unwelcome(Exception):
    """What the viewer asked for cannot be done; the words are for the person at the page."""


@dataclass(frozen=True, slots=True)
class Hand:
    """How one platform takes a comment in, and whom it tells; ``kinds`` in the order a bare id is looked up in."""

    publish: Callable[[Store, Draft], Item]
    announce: Callable[[Item, str], None]
    kinds: tuple[str, ...]
    title: str


def _tell_nobody(item: Item, what: str) -> None:
    """YouTube, WordPress, OK and a feed send no events of comments."""


def _tell_vk(item: Item, what: str) -> None:
    if item.kind != "dialog":
        vk_comments.announce(item, what)
    elif what in ("new", "edit"):
        vk_messages.announce(item, edited=what == "edit")


HANDS = {
    "youtube": Hand(youtube.publish, _tell_nobody, ("video",), "YouTube"),
    "vk": Hand(vk_comments.publish, _tell_vk, ("post", "video", "photo", "dialog"), "ВКонтакте"),
    "telegram": Hand(telegram.publish, telegram.announce, ("post", "chat", "dialog"), "Telegram"),
    "wordpress": Hand(wordpress.publish, _tell_nobody, ("article",), "Блог"),
    "max": Hand(max_messenger.publish, max_messenger.announce, ("chat", "dialog"), "MAX"),
    "ok": Hand(ok.publish, _tell_nobody, ("topic", "dialog"), "Одноклассники"),
    "feed": Hand(reviews.publish, _tell_nobody, ("page",), "Отзывы"),
    "form": Hand(outside.publish, outside.announce, ("dialog",), "Форма на сайте"),
    "calls": Hand(outside.publish, outside.announce, ("dialog",), "Телефон"),
    "getcourse": Hand(getcourse.publish, getcourse.announce, ("lesson", "dialog"), "GetCourse"),
}


def hand(platform: str) -> Hand:
    if platform not in HANDS:
        raise Unwelcome(f"Нет такой площадки: {platform}")
    return HANDS[platform]


def find_person(platform: str, who: str) -> Person:
    """By the key of the cast, the platform's id, or the name; a new name becomes a new person."""
    name = " ".join(who.split())
    if not name:
        raise Unwelcome("Назовите имя")
    known = store().persons(platform)
    for same in (lambda one: one.key == name, lambda one: one.id == name, lambda one: one.name == name):
        found = next(filter(same, known), None)
        if found is not None:
            return found
    n = store().count(f"{platform}:stranger")
    ids = {
        "youtube": cast.youtube_id(f"stranger-{n}"),
        "vk": str(990_001_000 + n),
        "telegram": str(7_990_001_000 + n),
        "wordpress": f"stranger-{n}@people.example",
        "max": str(8_990_001_000 + n),
        "ok": str(990_000_001_000 + n),
        "feed": f"stranger-{n}@people.example",
        "getcourse": f"stranger-{n}@people.example",
        "form": f"stranger-{n}@people.example",
        "calls": f"+7999000{2000 + n}",
    }
    handle = "" if platform not in ("youtube", "vk", "telegram", "max") else f"viewer{n}"
    shown = f"@{name.replace(' ', '_')}" if platform == "youtube" else name
    person = next((one for one in known if one.name == shown), None)
    if person is None:
        person = Person(platform, ids[platform], shown, shown.lstrip("@") if platform == "youtube" else handle)
        store().add_person(person)
    return person


def find_publication(platform: str, which: str, author: Person) -> Publication:
    """By key, ``kind:id`` or id; ``dialog`` is the author's own private dialogue, made when there is none.

    ``dialog:`` with a key of the cast is that person's dialogue.
    """
    if which == "dialog" and "dialog" in hand(platform).kinds:
        title = f"Личные сообщения: {author.name}"
        dialog = Publication(
            platform, "dialog", author.id, f"{platform}-dialog-{author.id}", "", title, "", time.time()
        )
        store().add_publication(dialog)
        return dialog
    kind, _, id_ = which.rpartition(":")
    if kind == "dialog":
        id_ = next((one.id for one in store().persons(platform) if one.key == id_), id_)
    for one in store().publications(platform):
        if which == one.key or (kind, id_) == (one.kind, one.id):
            return one
    for known in hand(platform).kinds:
        found = store().publication(platform, known, which)
        if found is not None:
            return found
    raise Unwelcome(f"Нет такой публикации: {which}")


def write(
    platform: str, publication: str, author: str, text: str, parent: str | None = None, more: Draft | None = None
) -> Item:
    """A person writes; ``parent`` is the id of the comment answered; ``more`` lends at, state, label and key.

    Raises Unwelcome when the person is banned, comments are closed, or something named is not there.
    """
    acts = hand(platform)
    if not text.strip():
        raise Unwelcome("Напишите текст")
    with store().writing():
        person = find_person(platform, author)
        place = find_publication(platform, publication, person)
        if not place.open:
            raise Unwelcome("Комментарии здесь закрыты")
        if person.banned:
            raise Unwelcome(f"{person.name}: школа закрыла этому человеку возможность писать")
        if parent:
            answered = find_item(platform, parent, place.kind)
            if answered.publication != place.id:
                raise Unwelcome("Этот комментарий под другой публикацией")
        lent = more or Draft(platform, place.kind, place.id, person.id, text)
        draft = Draft(
            platform, place.kind, place.id, person.id, text, parent or None, lent.at, lent.state,
            person.key == "school", lent.label, lent.key,
        )  # fmt: skip
        item = acts.publish(store(), draft)
        if item.state == "published":
            acts.announce(item, "new")
    return item


def start(platform: str, who: str, word: str) -> Publication:
    """Somebody presses «Старт» in the dialogue with the school's bot; gives that dialogue."""
    if platform not in cast.MESSENGERS:
        raise Unwelcome("Здесь нет ботов")
    if len(word) > 64 or not word.isascii():
        raise Unwelcome("Ссылка испорчена")
    with store().writing():
        person = find_person(platform, who)
        place = find_publication(platform, "dialog", person)
        if platform == "max":
            max_messenger.start(person, word)
            return place
    write(platform, f"dialog:{place.id}", person.id, f"/start {word}".strip())
    return place


def find_item(platform: str, id_: str, kind: str | None = None) -> Item:
    found = store().items("platform = ? AND id = ? AND (? IS NULL OR kind = ?)", (platform, id_, kind, kind))
    if not found or found[-1].state in ("deleted", "trash"):
        raise Unwelcome(f"Нет такого комментария: {id_}")
    return found[-1]


def rewrite(platform: str, id_: str, text: str, kind: str | None = None) -> Item:
    """The author edits the comment."""
    with store().writing():
        item = store().edit(find_item(platform, id_, kind), text)
        hand(platform).announce(item, "edit")
    return item


def remove(platform: str, id_: str, kind: str | None = None) -> Item:
    """The author deletes the comment; on YouTube the replies under it go too."""
    with store().writing():
        item = store().set_state(find_item(platform, id_, kind), "deleted")
        if platform == "youtube" and item.root is None:
            for reply in store().items("platform = 'youtube' AND root = ?", (item.id,)):
                store().set_state(reply, "deleted")
        hand(platform).announce(item, "delete")
    return item
