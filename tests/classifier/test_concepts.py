"""Words that mean alike are known by how they begin, or by how they sound."""

from classifier.concepts import classes_of, evidence
from classifier.text import read


def test_a_word_has_its_classes() -> None:
    assert "takeoff" in classes_of("отпишите")
    assert "contract" in classes_of("договора")
    assert classes_of("берёза") == ()


def test_a_word_spelt_by_ear_has_them_too() -> None:
    assert "quit" in classes_of("ростаргнуть")


def test_a_class_denied_is_another() -> None:
    told = evidence(read("не хочу жить"))
    assert "c:не live" in told
    assert "c:live" in evidence(read("живу и радуюсь"))


def test_phrases_are_evidence() -> None:
    assert any(name == "s:stop_ads" for name in evidence(read("прекратите слать рекламу")))
    assert evidence(read("")) == {}
