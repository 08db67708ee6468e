"""The words the classifier room speaks: labels, verdicts, reasons, examples and its one error."""

from dataclasses import dataclass
from typing import Literal

LABELS: tuple[str, ...] = ("question", "complaint", "wish", "praise", "spam", "other")

# A person is waiting for something after these three; the gate and «actionable» speak about them.
ACTIONABLE: tuple[str, ...] = ("question", "complaint", "wish")

# The labelling guide forbids `other` and `spam` beside another label.
SECONDARY: tuple[str, ...] = ("question", "complaint", "wish", "praise")

# Settles a near tie as the guide does: rule 1 puts spam first, rules 3 and 5 put a fault before the
# question or the request made of it, rule 4 a request before a question, rule 2 all of them before praise.
PRECEDENCE: tuple[str, ...] = ("spam", "complaint", "wish", "question", "praise", "other")


class ClassifierError(Exception):
    """The room cannot work: `code` says why, the door that caught it finds the words for people.

    Codes: `missing` no artifact or manifest, `hash` the artifact is not the one the manifest names or is
    malformed, `version` it was made by another recipe of features, `corpus` the examples cannot be used.
    """

    def __init__(self, code: Literal["missing", "hash", "version", "corpus"], detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code: str = code


@dataclass(frozen=True, slots=True)
class Reason:
    """A word or phrase that spoke for the label: `start` and `end` are offsets in the text as it came."""

    text: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the classifier says about one text.

    `p` holds a calibrated probability per label (4 decimals, sums to 1 but for rounding), `why` at most
    six reasons, the strongest first. `sure` is False below the measured threshold; the two best labels are
    then the two largest of `p`. `actionable` estimates that the text is a question, complaint or wish.
    `themes` has the leading one first; `signals` are proposals for a person (day.md §1.5); `certain` are
    those whose words leave no doubt; `language` is `ru`, `en`, `uk`, `translit` or empty.
    """

    label: str
    labels: tuple[str, ...]
    p: dict[str, float]
    why: tuple[Reason, ...]
    sure: bool
    actionable: float
    themes: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    language: str = ""
    certain: tuple[str, ...] = ()


@dataclass(frozen=True)
class Example:
    """A labelled text; `group` names the place or topic it comes from and is the unit of validation."""

    text: str
    primary: str
    secondary: tuple[str, ...]
    lang: str
    group: str
