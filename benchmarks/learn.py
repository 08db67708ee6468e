"""Learning: how much 300 corrections of one new place help there, and whether they harm elsewhere.

The place (comments, chat and letters of a school of amateur radio) was written apart from the corpus for this.
The parts of the corpus that elsewhere is judged on are held out of every training here.
"""

import json
import random
import tempfile
from pathlib import Path

from benchmarks.figures import Figure, finish, header
from classifier import Classifier, Example, compare, read_corpus, train
from classifier.learning import Decision
from services.learning import STRONG

PLACE = Path(__file__).with_name("new_place.jsonl")
ELSEWHERE = ("ru_tg_course", "ru_vk_school", "ru_support_chat", "ru_forum_tech", "ru_city_public", "ru_letters")
CORRECTIONS = 300
GOAL = 0.10


def new_place() -> tuple[list[Example], list[Example]]:
    """The corrections, as the desk gives them to the classifier, and the texts that are only measured on."""
    rows = [json.loads(line) for line in PLACE.read_text(encoding="utf-8").splitlines()]
    examples = [
        Example(row["text"], row["primary"], tuple(row["secondary"]), "", "place-new", STRONG) for row in rows
    ]
    random.Random(20261128).shuffle(examples)
    return examples[:CORRECTIONS], examples[CORRECTIONS:]


def judged(before: Classifier, after: Classifier, examples: list[Example]) -> Decision:
    """Both versions on the same texts."""
    texts = [example.text for example in examples]
    old, new = ([verdict.label for verdict in classifier.classify(texts)] for classifier in (before, after))
    return compare([example.primary for example in examples], old, new)


def told(name: str, decision: Decision) -> None:
    """Macro-F1 before and after with the 90 % interval of the difference, then each label's."""
    low, gain, high = decision.gain
    print(f"{name}: {decision.n} texts, {decision.before} → {decision.after}, {gain:+} ({low:+} to {high:+})")
    print("  " + "; ".join(f"{label} {old} → {new}" for label, (old, new) in decision.by_label.items()))
    print(f"  fell: {', '.join(decision.fell) or 'none'}")


def main() -> int:
    header()
    taught, measured = new_place()
    corpus = read_corpus()
    elsewhere = [example for example in corpus if example.group in ELSEWHERE]
    rest = [example for example in corpus if example.group not in ELSEWHERE]
    with tempfile.TemporaryDirectory(prefix="otklik-learn-") as folder:
        before = train(rest, Path(folder, "before"))
        after = train([*rest, *taught], Path(folder, "after"))
        there, other = judged(before, after, measured), judged(before, after, elsewhere)
    told("there", there)
    told("elsewhere", other)
    return finish(
        [
            Figure("learn.place.gain", there.gain[1], GOAL, at_least=True),
            Figure("learn.place.texts", there.n, 500, at_least=True),
            Figure("learn.elsewhere_not_worse", float(other.may_go_live), 1, at_least=True),
        ]
    )
