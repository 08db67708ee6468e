"""TEXT → LABELS, with reasons: the room that knows no database and no network.

Importing it costs nothing: numpy comes with the first load, scikit-learn with the first training.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from classifier.labels import ACTIONABLE, LABELS, ClassifierError, Example, Reason, Verdict

if TYPE_CHECKING:
    from classifier.artifact import facts_of, promote, versions
    from classifier.corpus import read_corpus
    from classifier.duplicates import bands, fingerprint, is_near
    from classifier.engine import Classifier
    from classifier.evaluation import Evaluation, evaluate
    from classifier.kinds import Kind, kind_of
    from classifier.learning import compare, text_key
    from classifier.meaning import use_words_alone
    from classifier.phrases import department_of, signal_names, theme_names
    from classifier.training import train

_HOMES = {
    "compare": "classifier.learning",
    "text_key": "classifier.learning",
    "facts_of": "classifier.artifact",
    "promote": "classifier.artifact",
    "versions": "classifier.artifact",
    "Kind": "classifier.kinds",
    "bands": "classifier.duplicates",
    "signal_names": "classifier.phrases",
    "theme_names": "classifier.phrases",
    "Classifier": "classifier.engine",
    "Evaluation": "classifier.evaluation",
    "department_of": "classifier.phrases",
    "evaluate": "classifier.evaluation",
    "fingerprint": "classifier.duplicates",
    "is_near": "classifier.duplicates",
    "kind_of": "classifier.kinds",
    "read_corpus": "classifier.corpus",
    "train": "classifier.training",
    "use_words_alone": "classifier.meaning",
}

__all__ = [
    "ACTIONABLE",
    "LABELS",
    "Classifier",
    "ClassifierError",
    "Evaluation",
    "Example",
    "Kind",
    "Reason",
    "Verdict",
    "bands",
    "compare",
    "department_of",
    "evaluate",
    "facts_of",
    "fingerprint",
    "is_near",
    "kind_of",
    "promote",
    "read_corpus",
    "signal_names",
    "text_key",
    "theme_names",
    "train",
    "use_words_alone",
    "versions",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
