"""Signals are almost never missed and seldom raised for nothing; themes lead to the right department."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from classifier import Classifier, department_of, kind_of, read_corpus
from classifier.alarms import signal_texts
from classifier.language import language_of
from classifier.phrases import signal_names, signals_of, theme_names, themes_of
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


def test_signals_of_texts_that_nothing_was_fitted_to(classifier: Classifier) -> None:
    """Written after phrases and training texts: 0.85 was measured, the goal is 0.95."""
    unseen = rows("signals_unseen")
    verdicts = classifier.classify([row["text"] for row in unseen])
    missed = [
        row["text"] for row, verdict in zip(unseen, verdicts, strict=True) if row["signal"] not in verdict.signals
    ]
    print(f"signals found {1 - len(missed) / len(unseen):.3f} of {len(unseen)}")
    assert not {row["text"] for row in unseen} & {text for text, _ in signal_texts()}
    assert len(missed) <= 0.2 * len(unseen), missed


def test_signals_of_a_second_set(classifier: Classifier) -> None:
    """Written apart from phrases and training texts: 0.81 at first sight, 0.84 since; the goal is 0.95."""
    second = rows("signals_second")
    verdicts = classifier.classify([row["text"] for row in second])
    found = sum(row["signal"] in verdict.signals for row, verdict in zip(second, verdicts, strict=True))
    print(f"signals found {found / len(second):.3f} of {len(second)}")
    assert len(second) >= 300
    assert not {row["text"] for row in second} & {text for text, _ in signal_texts()}
    assert found >= 0.79 * len(second)


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
    """The same matters as tests/data/scenarios.yaml words them; nothing was fitted to these texts."""
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
    assert right >= 29


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
