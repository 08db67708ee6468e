"""Signals are almost never missed and seldom raised for nothing; themes lead to the right department."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from classifier import Classifier, department_of, kind_of, read_corpus
from classifier.language import language_of
from classifier.phrases import signal_names, signals_of, theme_names, themes_of
from classifier.signal_files import everyday, likenesses, signal_texts
from classifier.text import read
from services.presets import DEPARTMENTS

SETS = Path(__file__).with_name("sets")


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SETS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def test_every_theme_leads_to_a_department_that_exists() -> None:
    known = {code for code, _, _ in DEPARTMENTS} | {"relations"}
    assert {department_of(theme) for theme in theme_names()} <= known
    assert department_of(None) == "relations"


def test_every_signal_has_texts_to_learn_from() -> None:
    counts = Counter(signal for _, signal in signal_texts())
    assert set(counts) == set(signal_names())
    assert min(counts.values()) >= 70


def recall(classifier: Classifier, name: str) -> tuple[float, Counter[str]]:
    """The share of a set's signals that is raised, and how many of each are missed."""
    told = rows(name)
    verdicts = classifier.classify([row["text"] for row in told])
    missed = Counter(
        row["signal"] for row, verdict in zip(told, verdicts, strict=True) if row["signal"] not in verdict.signals
    )
    share = 1 - missed.total() / len(told)
    print(f"{name}: found {share:.3f} of {len(told)}, missed {dict(missed)}")
    return share, missed


@pytest.mark.parametrize(
    ("name", "least"),
    [("signals_unseen", 0.9), ("signals_second", 0.87), ("signals_third", 0.85), ("signals_fourth", 0.92)],
)
def test_signals_of_texts_written_apart(classifier: Classifier, name: str, least: float) -> None:
    """What was measured is in docs/dev/classifier.md, and which sets were looked at; the goal is 0.95."""
    known = {text for text, _ in signal_texts()} | set(likenesses()) | set(everyday())
    assert not {row["text"] for row in rows(name)} & known
    assert recall(classifier, name)[0] >= least


def test_ordinary_texts_that_look_like_signals_raise_few(classifier: Classifier) -> None:
    """8 of 310 were measured, 20 before phrases were weighed with the rest."""
    ordinary = rows("ordinary_fresh")
    raised = [
        row["text"]
        for row, v in zip(ordinary, classifier.classify([r["text"] for r in ordinary]), strict=True)
        if v.signals
    ]
    assert len(raised) <= 11, raised


def test_a_stream_of_ordinary_days_raises_few(classifier: Classifier) -> None:
    """8 alarms were measured among 2,007 texts, one of them a crisis; the goals are 5 and 0.5 of 1,000."""
    texts = [row["text"] for row in rows("stream")]
    assert len(texts) >= 2_000
    assert not set(texts) & set(everyday())
    raised = [(text, v.signals) for text, v in zip(texts, classifier.classify(texts), strict=True) if v.signals]
    assert 1000 * len(raised) <= 5 * len(texts), raised
    assert 1000 * sum("crisis" in signals for _, signals in raised) <= 0.5 * len(texts), raised


def test_themes_of_a_set_written_apart() -> None:
    """0.665 at first sight, 0.868 after the words of another set went into the table; the goal is 0.80."""
    counted: dict[str, list[int]] = {}
    for row in rows("themes_second"):
        said, told = set(themes_of(read(row["text"]))), set(row["themes"])
        for theme in said | told:
            hit = counted.setdefault(theme, [0, 0, 0])
            hit[0 if theme in said & told else 1 if theme in said else 2] += 1
    told_of = [2 * hit / (2 * hit + wrong + missed) for hit, wrong, missed in counted.values() if hit + missed]
    assert len(told_of) == len(theme_names())
    assert sum(told_of) / len(told_of) >= 0.8


def test_what_is_certain_is_said_plainly(classifier: Classifier) -> None:
    plain, unsure = classifier.classify(
        ["Больше не звоните мне с рекламой", "Почему не приходит рассылка с уроками?"]
    )
    assert "stop_ads" in plain.certain
    assert unsure.certain == ()
    [grave] = classifier.classify(["Я больше не хочу жить"])
    assert "crisis" in grave.certain


def test_ordinary_texts_raise_few_phrases() -> None:
    """An upper bound: some of these really are claims, demands and failing broadcasts, which nobody has marked."""
    texts = [example.text for example in read_corpus() if example.primary != "spam"]
    raised = Counter(signal for text in texts for signal in signals_of(read(text)))
    assert len(texts) >= 2_000
    assert sum(raised.values()) <= 0.018 * len(texts), raised
    assert raised["crisis"] <= 0.0005 * len(texts)


def test_an_advertisement_raises_nothing(classifier: Classifier) -> None:
    [verdict] = classifier.classify(["Зарабатывай от 5000 в день без вложений, пиши в личку +7 900 111-22-33"])
    assert verdict.label == "spam"
    assert verdict.signals == ()


def test_scenarios_of_the_house(classifier: Classifier) -> None:
    """Kind, signals and the leading theme's department of the scenarios that have a text."""
    wrong = []
    scenarios = rows("scenarios")
    for row in scenarios:
        [verdict] = classifier.classify([row["text"]])
        found = kind_of(verdict.label, verdict.themes, verdict.signals, text=row["text"])
        kind, department = found.name, found.department
        right = (
            kind == row["kind"]
            and set(row["signals"]) <= set(verdict.signals)
            and department in (row["department"] or department)
        )
        if not right:
            wrong.append(
                (row["number"], kind, row["kind"], verdict.signals, verdict.themes[:2], department, verdict.p)
            )
    print(f"scenarios right: {len(scenarios) - len(wrong)} of {len(scenarios)}", *wrong, sep="\n")
    assert len(scenarios) == 39
    assert len(wrong) <= 5, wrong


def test_scenarios_in_other_words(classifier: Classifier) -> None:
    """The same matters as tests/data/scenarios.yaml words them; 31 before they were looked at."""
    told = {row["number"]: row for row in rows("scenarios")}
    played = yaml.safe_load((SETS.parents[1] / "data" / "scenarios.yaml").read_text(encoding="utf-8"))
    texts = {row["number"]: row["text"] for row in played if "text" in row}
    right = 0
    for number, text in texts.items():
        [verdict] = classifier.classify([text])
        found, wanted = kind_of(verdict.label, verdict.themes, verdict.signals, text=text), told[number]
        right += (
            found.name == wanted["kind"]
            and set(wanted["signals"]) <= set(verdict.signals)
            and found.department in (wanted["department"] or found.department)
        )
    print(f"scenarios in other words right: {right} of {len(texts)}")
    assert len(texts) == 39
    assert right >= 34


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Где лежит запись?", "ru"),
        ("Where is the recording?", "en"),
        ("Дуже дякую, а коли наступний урок?", "uk"),
        ("spasibo za urok, ochen ponyatno", "translit"),
        ("👍👍", ""),
        ("", ""),
    ],
)
def test_language(text: str, language: str) -> None:
    assert language_of(read(text)) == language


@pytest.mark.parametrize("text", ["верните " * 1000, "не " * 2600, "а" * 8000, "8 9" * 2600, "(" * 8000])
def test_no_phrase_is_slow_on_hostile_text(text: str) -> None:
    reading = read(text)
    assert len(signals_of(reading)) <= len(signal_names())
    assert len(themes_of(reading)) <= len(theme_names())
