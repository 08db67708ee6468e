"""The trained classifier: hard cases of the guide, reasons, probabilities, abstaining, any input."""

import json
import math
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import ACTIONABLE, LABELS, Classifier, Example, Verdict, evaluate, read_corpus
from classifier.labels import SECONDARY

ANY_TEXT = st.text(st.one_of(st.characters(), st.sampled_from("абвё aceо?!😀❤️\n")), max_size=100)

HARD_CASES = [
    # A question without its mark, and a plea that is one.
    ("подскажите где найти расписание консультаций", "question"),
    ("how do I get a receipt for my company", "question"),
    # A rhetorical question and sarcasm work as complaints.
    ("Вы вообще собираетесь отвечать на письма?", "complaint"),
    ("Спасибо за испорченный вечер, трансляция опять не работает", "complaint"),
    # Polite, and introduced by thanks.
    ("Спасибо за курс, но третий модуль не открывается, уже неделю жду ответа", "complaint"),
    ("Could you please check: the certificate has not arrived, still waiting", "complaint"),
    # Wishes that ask.
    ("А можно добавить субтитры к лекциям?", "wish"),
    ("Будет ли отдельный курс по органической химии?", "wish"),
    ("Would be great to have a dark theme", "wish"),
    ("не хватает конспектов к урокам", "wish"),
    # One word, transliteration, Ukrainian.
    ("спасибище", "praise"),
    ("spasibo bolshoe, ochen ponyatno", "praise"),
    ("дякую, дуже корисний урок", "praise"),
    # Disguised letters.
    ("Ищy пapтнepoв, дoxoд oт 200$ в дeнь, пиши в личкy", "spam"),
    ("Subscribe to my channel and win a free phone", "spam"),
    # Talk between viewers, greetings, time-codes.
    ("Всем привет из Самары", "other"),
    ("с новым годом, друзья", "other"),
]


@pytest.mark.parametrize(("text", "label"), HARD_CASES)
def test_hard_cases_of_the_guide(classifier: Classifier, text: str, label: str) -> None:
    [verdict] = classifier.classify([text])
    assert verdict.label == label, verdict


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("Спасибо за вебинар! А где лежит запись?", ("question", "praise")),
        ("Не открывается личный кабинет, и добавьте вход по телефону", ("complaint", "wish")),
        ("Отличный курс, но хотелось бы больше практики", ("wish", "praise")),
        ("Thanks a lot, great lecture", ("praise",)),
    ],
)
def test_secondary_labels(classifier: Classifier, text: str, labels: tuple[str, ...]) -> None:
    assert classifier.classify([text])[0].labels == labels


def test_the_pattern_is_the_reason(classifier: Classifier) -> None:
    text = "Добрый день! Хотелось бы видеть тайм-коды под роликом"
    [verdict] = classifier.classify([text])
    assert verdict.label == "wish"
    assert verdict.why[0].text == text[verdict.why[0].start : verdict.why[0].end]
    assert "Хотелось бы" in verdict.why[0].text


def check(text: str, verdict: Verdict) -> None:
    assert verdict.label in LABELS
    assert verdict.labels[0] == verdict.label
    assert set(verdict.labels[1:]) <= set(SECONDARY) - {verdict.label}
    assert set(verdict.p) == set(LABELS)
    assert all(0 <= share <= 1 for share in verdict.p.values())
    assert math.isclose(sum(verdict.p.values()), 1, abs_tol=0.0004)
    assert math.isclose(verdict.actionable, sum(verdict.p[label] for label in ACTIONABLE), abs_tol=0.0003)
    assert len(verdict.why) <= 6
    weights = [reason.weight for reason in verdict.why]
    assert weights == sorted(weights, reverse=True)
    for reason in verdict.why:
        assert reason.weight > 0
        assert reason.start < reason.end
        assert reason.text == text[reason.start : reason.end]


@settings(max_examples=200, deadline=None)
@given(text=ANY_TEXT)
def test_any_text_gets_a_sound_verdict(classifier: Classifier, text: str) -> None:
    check(text, classifier.classify([text])[0])


@settings(max_examples=100, deadline=None)
@given(text=ANY_TEXT, label=st.sampled_from(LABELS))
def test_contributions_add_up_to_the_score(classifier: Classifier, text: str, label: str) -> None:
    told = classifier.explain(text, label)
    total = told.bias + told.whole + sum(part.weight for part in told.parts)
    assert math.isclose(total, told.score, abs_tol=1e-9)


def test_scores_are_what_the_probabilities_come_from(classifier: Classifier) -> None:
    text = "Почему нельзя скачать конспект? Было бы удобно"
    powers = {label: math.exp(classifier.explain(text, label).score) for label in LABELS}
    [verdict] = classifier.classify([text])
    for label, share in verdict.p.items():
        assert math.isclose(share, powers[label] / sum(powers.values()), abs_tol=0.0001)


@pytest.mark.parametrize("text", ["", " \n", "😀😀😀", "🤮", "...", "12345", "\x00", "а" * 100_000, "?" * 5000])
def test_extreme_texts(classifier: Classifier, text: str) -> None:
    check(text, classifier.classify([text])[0])


def test_a_huge_text_is_answered_at_once(classifier: Classifier) -> None:
    text = "Видео не открывается, верните деньги. " + "и вот ещё что я хотел сказать, " * 4000
    started = time.monotonic()
    [verdict] = classifier.classify([text])
    assert time.monotonic() - started < 2
    check(text, verdict)


def test_it_abstains_below_the_measured_threshold(classifier: Classifier, trained: Path) -> None:
    sure_from = json.loads((trained / "manifest.json").read_text(encoding="utf-8"))["sure"]
    examples = read_corpus()[::7]
    verdicts = classifier.classify([example.text for example in examples])
    assert {verdict.sure for verdict in verdicts} == {True, False}
    for verdict in verdicts:
        # The probabilities of a verdict are rounded, so a tie at the threshold is left out.
        if abs(max(verdict.p.values()) - sure_from) > 0.0001:
            assert verdict.sure == (max(verdict.p.values()) > sure_from)


def test_it_is_unsure_of_a_fragment(classifier: Classifier) -> None:
    vague = ["я по поводу вчерашнего", "вот оно как", "ну что ж, тогда так", "and then this", "на счёт урока"]
    assert not all(verdict.sure for verdict in classifier.classify(vague))


def test_the_gate_parts_the_actionable_from_the_rest(classifier: Classifier) -> None:
    harmless, wanted = classifier.classify(["спасибо, отличный урок", "не могу войти в кабинет, что делать?"])
    assert harmless.actionable < classifier.gate < wanted.actionable


def test_a_batch_is_answered_as_one_by_one(classifier: Classifier) -> None:
    texts = [text for text, _ in HARD_CASES]
    assert classifier.classify(texts) == [classifier.classify([text])[0] for text in texts]
    assert classifier.classify([]) == []


def test_evaluation_counts_what_it_says(classifier: Classifier) -> None:
    examples = [
        Example("спасибо за урок", "praise", (), "ru", "a"),
        Example("как сменить пароль?", "question", (), "ru", "a"),
        Example("как сменить почту?", "wish", ("question",), "ru", "b"),
    ]
    told = evaluate(classifier, examples)
    assert told.n == 3
    assert told.accuracy == pytest.approx(2 / 3)
    assert told.confusion["wish"]["question"] == 1
    assert told.by_label["question"].precision == 0.5
    assert told.by_label["question"].recall == 1
    assert told.by_label["question"].f1 == pytest.approx(2 / 3)
    assert told.macro_f1 == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert told.lenient == 1
    assert told.by_group == {"a": pytest.approx(1.0), "b": 0.0}
    assert evaluate(classifier, examples[:2]).coverage_at_90 == 1
    assert 0 <= told.calibration_error <= 1
    with pytest.raises(ValueError, match="nothing"):
        evaluate(classifier, [])


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_the_room_is_cheap() -> None:
    heavy = "{'numpy', 'scipy', 'sklearn', 'yaml'}"
    assert run(f"import sys, classifier; print(sorted({heavy} & set(sys.modules)))") == "[]"


def test_answering_needs_no_scikit_learn(trained: object) -> None:
    code = (
        "import sys; from pathlib import Path; from classifier import Classifier; "
        f"print(Classifier.load(Path({str(trained)!r})).classify(['спасибо!'])[0].label, 'sklearn' in sys.modules)"
    )
    assert run(code) == "praise False"
