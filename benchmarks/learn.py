"""Learning: how much the corrections of one new place help there, and whether they harm elsewhere.

A place is a family of parts of our own corpus that the classifier has never seen; half of its texts are corrected,
the other half and parts of other places are measured on. They were not written for this bench: fewer than 500 each.
"""

import random
import tempfile
from pathlib import Path

from benchmarks.figures import Figure, finish, header
from classifier import Classifier, Example, compare, read_corpus, train
from classifier.learning import Decision
from services.learning import STRONG

PLACES = {
    "apps": ("ru_app_reviews", "ru_app_home", "ru_app_money", "ru_app_travel", "ru_app_talk"),
    "lessons": ("ru_yt_lectures", "ru_yt_coding", "ru_yt_general", "ru_lesson_comments", "ru_podcast"),
}
ELSEWHERE = ("ru_tg_course", "ru_vk_school", "ru_support_chat", "ru_forum_tech", "ru_city_public", "ru_letters")


def judged(before: Classifier, after: Classifier, examples: list[Example]) -> Decision:
    """Both versions on the same texts."""
    texts = [example.text for example in examples]
    old, new = ([verdict.label for verdict in classifier.classify(texts)] for classifier in (before, after))
    return compare([example.primary for example in examples], old, new)


def learned(name: str, folder: Path) -> list[Figure]:
    """Trains without the place and elsewhere's parts, then with half of the place as corrections."""
    corpus = read_corpus()
    place = [example for example in corpus if example.group in PLACES[name]]
    elsewhere = [example for example in corpus if example.group in ELSEWHERE]
    rest = [example for example in corpus if example.group not in (*PLACES[name], *ELSEWHERE)]
    random.Random(1).shuffle(place)
    half = min(300, len(place) // 2)
    taught = [
        Example(one.text, one.primary, one.secondary, one.lang, f"place-{name}", STRONG) for one in place[:half]
    ]
    before, after = train(rest, folder / "before"), train([*rest, *taught], folder / "after")
    there = judged(before, after, place[half:])
    other = judged(before, after, elsewhere)
    print(f"{name}: {half} corrections; {there.n} texts there: {there.before} → {there.after}, {there.gain}")
    print(f"{name}: {other.n} texts elsewhere: {other.before} → {other.after}, {other.gain}, fell {other.fell}")
    return [
        Figure(f"learn.{name}.gain", there.gain[1], 0.10, at_least=True),
        Figure(f"learn.{name}.elsewhere_not_worse", float(other.may_go_live), 1, at_least=True),
    ]


def main() -> int:
    header()
    figures = []
    for name in PLACES:
        with tempfile.TemporaryDirectory(prefix="otklik-learn-") as folder:
            figures += learned(name, Path(folder))
    return finish(figures)
