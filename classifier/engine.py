"""The classifier at work: a text in, a verdict with its reasons out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from classifier import meaning
from classifier.artifact import Artifact, load
from classifier.concepts import evidence
from classifier.features import grams, said, spelling
from classifier.labels import ACTIONABLE, LABELS, PRECEDENCE, SECONDARY, Reason, Verdict
from classifier.language import language_of
from classifier.phrases import certain_of, found, signal_names, themes_of
from classifier.text import Reading, read
from classifier.vectors import Columns, Floats, Ints, block_bounds, probabilities, weigh

_REASONS = 6
# A reason this much weaker than the strongest is noise to a reader.
_FAINT = 0.1
# From here on a telephone is meant to be seen and a promise claims nothing; below, a letter full of numbers may
# be a claim that only looks like an advertisement.
_SURELY_SPAM = 0.97
# Whatever else a text is, these are not to be missed; a telephone and a failing picture belong to advertisements.
_NEVER_SPAM = ("crisis", "legal_claim", "state_body", "stop_ads", "personal_data")
_INT = np.dtype(np.int32)


@dataclass(frozen=True, slots=True)
class Explanation:
    """The score of one label, taken apart: score = bias + whole + the sum of the parts' weights.

    `whole` is what the meaning, length, script and other marks without a place gave; `parts` are the words in
    the order of the text, the words of a phrase that a pattern recognised being one part.
    """

    score: float
    bias: float
    whole: float
    parts: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class _Vector:
    """A text as numbers: distinct columns with their values, which occurrence belongs to which, its meaning.

    `starts` and `ends` are of the occurrences; (-1, -1) speaks of the whole text. `phrases` are those occurrences
    that a pattern recognised.
    """

    reading: Reading
    starts: list[int]
    ends: list[int]
    phrases: list[int]
    columns: Ints
    values: Floats
    inverse: Ints
    counts: Floats
    sense: Floats


class Classifier:
    """A loaded artifact. `version` is the first 12 hex digits of its SHA-256.

    `gate` is the `Verdict.actionable` below which at most 2 % of the questions, complaints and wishes of
    held-out groups fell. Safe to share between threads: nothing changes after loading.
    """

    def __init__(self, artifact: Artifact, digest: str) -> None:
        self.version: str = digest[:12]
        self.gate: float = artifact.thresholds.gate
        self._artifact = replace(artifact, names=[])  # they are as many megabytes as all else together
        self._columns = Columns(artifact.names)
        self._spelled = lru_cache(maxsize=20_000)(self._columns_of)
        self._idf = artifact.idf.astype(np.float64)
        self._bounds = block_bounds(artifact.names)
        self._dense = artifact.dense.astype(np.float64)
        words = len(artifact.names)
        self._alarms = np.split(artifact.alarms, [words, words + meaning.width()])
        self._evidence = {name: row for row, name in enumerate(artifact.evidence)}

    @classmethod
    def load(cls, folder: Path) -> "Classifier":
        """The classifier that `folder` holds. Raises ClassifierError: missing, hash or version."""
        meaning.keep_on_disk(folder)
        return cls(*load(folder))

    def classify(self, texts: Sequence[str]) -> list[Verdict]:
        """One verdict a text, in order. Any string is accepted, an empty one too."""
        readings = [read(text) for text in texts]
        senses = meaning.encode(readings)
        return [self._verdict(reading, sense) for reading, sense in zip(readings, senses, strict=True)]

    def explain(self, text: str, label: str) -> Explanation:
        """Where the score of `label` for `text` came from, exactly."""
        reading = read(text)
        return self._explain(self._vector(reading, meaning.encode([reading])[0]), LABELS.index(label))

    def _verdict(self, reading: Reading, sense: Floats) -> Verdict:
        vector = self._vector(reading, sense)
        scores = self._scores(vector)
        p = probabilities(scores[: len(LABELS)])
        limits = self._artifact.thresholds
        near = p >= p.max() - limits.tie
        label = next(label for label in PRECEDENCE if near[LABELS.index(label)])
        raised = self._signals(vector, float(p[LABELS.index("spam")]))
        secondary = () if label == "spam" else self._secondary(label, scores[len(LABELS) :])
        return Verdict(
            label=label,
            labels=(label, *secondary),
            p={name: round(float(share), 4) for name, share in zip(LABELS, p, strict=True)},
            why=_strongest(self._explain(vector, LABELS.index(label)).parts),
            sure=bool(p.max() >= limits.sure),
            actionable=round(float(sum(p[LABELS.index(name)] for name in ACTIONABLE)), 4),
            themes=themes_of(reading),
            signals=raised,
            language=language_of(reading),
            certain=certain_of(reading, raised) if raised else (),
        )

    def _signals(self, vector: _Vector, spam: float) -> tuple[str, ...]:
        """What all evidence raises together, or plain words alone; spam raises only phrases of `_NEVER_SPAM`."""
        hits = found("signals", vector.reading)
        said = tuple(name for name, numbers in hits.items() if numbers)
        if spam >= _SURELY_SPAM:
            return tuple(name for name in said if name in _NEVER_SPAM)
        total = self._artifact.alarm_bias + vector.values @ self._alarms[0][vector.columns]
        total = total + vector.sense @ self._alarms[1]
        told = [
            (self._evidence[n], value) for n, value in evidence(vector.reading, hits).items() if n in self._evidence
        ]
        if told:
            total = total + np.array([value for _, value in told]) @ self._alarms[2][[row for row, _ in told]]
        plain = certain_of(vector.reading, said) if said else ()
        return tuple(name for name, felt in zip(signal_names(), total > 0, strict=True) if felt or name in plain)

    def _secondary(self, primary: str, scores: Floats) -> tuple[str, ...]:
        over = zip(SECONDARY, scores, self._artifact.thresholds.secondary, strict=True)
        return tuple(label for label, score, limit in over if score >= limit and label != primary)

    def _vector(self, reading: Reading, sense: Floats) -> _Vector:
        """The features that the artifact knows, in the order of `features.features`."""
        told = list(said(reading))
        columns_said = self._columns.of([name for name, _, _ in told])
        words = spelling(reading)
        spelled = [self._spelled(word) for word, _, _ in words]
        known = np.flatnonzero(columns_said >= 0)
        sizes = [len(columns) // _INT.itemsize for columns in spelled]
        occurring = np.concatenate([columns_said[known], np.frombuffer(b"".join(spelled), dtype=_INT)])
        kept = [told[at] for at in known.tolist()]
        starts = [start for _, start, _ in kept]
        ends = [end for _, _, end in kept]
        for (_, start, end), size in zip(words, sizes, strict=True):
            starts += [start] * size
            ends += [end] * size
        # A mark with a place is a pattern.
        phrases = [at for at, (name, start, _) in enumerate(kept) if start >= 0 and name[0] == "m"]
        columns, inverse, counts = _distinct(occurring)
        values = weigh(np.zeros_like(columns), columns, counts, self._idf, self._bounds)
        return _Vector(reading, starts, ends, phrases, columns, values, inverse, counts, sense)

    def _columns_of(self, word: str) -> bytes:
        """The columns of the n-grams of a word, as bytes: remembered for thousands of words, they are a third."""
        # Past the memory of `grams`: what it would hold is held here already, in a tenth of the room.
        columns = self._columns.of(grams.__wrapped__(word))
        return columns[columns >= 0].astype(_INT).tobytes()

    def _scores(self, vector: _Vector) -> Floats:
        gathered = self._artifact.weights[vector.columns].astype(np.float64)
        total = self._artifact.bias + vector.values @ gathered + vector.sense @ self._dense
        return np.asarray(total, dtype=np.float64)

    def _explain(self, vector: _Vector, column: int) -> Explanation:
        contributions = vector.values * self._artifact.weights[vector.columns, column].astype(np.float64)
        # A feature that occurs three times gave a third of its contribution at each place.
        shares = (contributions / vector.counts)[vector.inverse]
        spans = np.array([vector.starts, vector.ends], dtype=np.int64).T.reshape(-1, 2)
        placed = spans[:, 0] >= 0
        phrases = [(vector.starts[at], vector.ends[at]) for at in vector.phrases if shares[at] > 0]
        bias = float(self._artifact.bias[column])
        sense = float(vector.sense @ self._dense[:, column])
        return Explanation(
            score=bias + sense + float(contributions.sum()),
            bias=bias,
            whole=sense + float(shares[~placed].sum()),
            parts=_parts(vector.reading, _spread(spans[placed], shares[placed]), phrases),
        )


def _distinct(occurring: Ints) -> tuple[Ints, Ints, Floats]:
    """The distinct columns in order, which of them each occurrence is, how often each occurs."""
    order = occurring.argsort(kind="stable")
    ordered = occurring[order]
    first = np.ones(len(ordered), dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    inverse = np.empty_like(order)
    inverse[order] = first.cumsum() - 1
    columns = ordered[first]
    return columns, inverse, np.bincount(inverse, minlength=len(columns)).astype(np.float64)


def _spread(spans: Ints, shares: Floats) -> Floats:
    """Entry n is what the first n characters gave, each span's share lying evenly over its characters."""
    if not len(spans):
        return np.zeros(1)
    slope = np.zeros(int(spans[:, 1].max()) + 1)
    density = shares / (spans[:, 1] - spans[:, 0])
    np.add.at(slope, spans[:, 0], density)
    np.add.at(slope, spans[:, 1], -density)
    return np.concatenate([np.zeros(1), np.cumsum(np.cumsum(slope))])


def _parts(reading: Reading, running: Floats, phrases: list[tuple[int, int]]) -> tuple[Reason, ...]:
    """Cut the text into phrases and words; each takes all weight up to where the next one starts."""
    cuts: list[tuple[int, int]] = []
    for token in reading.tokens:
        joins = cuts and any(left < cuts[-1][1] and token.start < right for left, right in phrases)
        if joins:
            cuts[-1] = (cuts[-1][0], token.end)
        else:
            cuts.append((token.start, token.end))
    last = len(running) - 1
    borders = [0, *(min(start, last) for start, _ in cuts[1:]), last]
    return tuple(
        Reason(reading.original[start:end], start, end, float(running[borders[at + 1]] - running[borders[at]]))
        for at, (start, end) in enumerate(cuts)
    )


def _strongest(parts: Sequence[Reason]) -> tuple[Reason, ...]:
    rounded = (Reason(part.text, part.start, part.end, round(part.weight, 4)) for part in parts)
    ordered = sorted((part for part in rounded if part.weight > 0), key=lambda part: -part.weight)[:_REASONS]
    return tuple(part for part in ordered if part.weight >= _FAINT * ordered[0].weight)
