"""The classifier: how fast, how large, how right on parts held out whole, and what the gate would keep away."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure, finish, header, row
from classifier import Classifier, meaning, read_corpus, train

# A child that only loads and labels: the memory of training is not the memory of the desk.
CHILD = r"""
import re, sys, time
from pathlib import Path
began = time.perf_counter()
from classifier import Classifier
classifier = Classifier.load(Path(sys.argv[1]))
classifier.classify(["Где запись урока?"])
seconds = time.perf_counter() - began
# ru_maxrss would tell of the parent that was forked.
print(seconds, int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024)
"""


def speed(classifier: Classifier, texts: list[str]) -> tuple[float, list[float]]:
    """Texts a second of processor time in batches of 200, and milliseconds of single texts."""
    began = time.process_time()
    for at in range(0, len(texts), 200):
        classifier.classify(texts[at : at + 200])
    rate = len(texts) / (time.process_time() - began)
    single = []
    for text in texts[::20]:
        began = time.process_time()
        classifier.classify([text])
        single.append(1000 * (time.process_time() - began))
    return rate, single


def load(folder: Path) -> tuple[float, float]:
    """Seconds from the import to the first label, and peak MB of that process."""
    ran = subprocess.run([sys.executable, "-c", CHILD, str(folder)], capture_output=True, text=True, check=True)
    seconds, memory = ran.stdout.split()
    return float(seconds), float(memory)


def measured(name: str, folder: Path, goals: tuple[float, float]) -> list[Figure]:
    """Trains in `folder` and measures; goals are texts a second and milliseconds of a single text."""
    began = time.process_time()
    classifier = train(read_corpus(), folder)
    trained = time.process_time() - began
    facts = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    rate, single = speed(classifier, [example.text for example in read_corpus()])
    row(f"{name}: a single text", single, "ms")
    for missed, kept in facts["gate_curve"]:
        print(f"{name}: {missed:.3f} of what is actionable missed, {kept:.3f} of the rest kept out of the queue")
    return [
        Figure(f"label.{name}.training_seconds", trained, 60),
        Figure(f"label.{name}.texts_per_second", rate, goals[0], at_least=True),
        Figure(f"label.{name}.single_ms", sorted(single)[len(single) // 2], goals[1]),
        Figure(f"label.{name}.held_out_macro_f1", facts["macro_f1"]),
        Figure(f"label.{name}.calibration_error", facts["calibration_error"], 0.05),
        Figure(f"label.{name}.kept_out_at_2_percent", dict(facts["gate_curve"])[0.02], 0.5, at_least=True),
    ]


def main() -> int:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    header()
    figures = []
    with tempfile.TemporaryDirectory(prefix="otklik-label-") as name:
        if meaning.width():
            figures += measured("meaning", Path(name) / "meaning", (200, 10))
            seconds, memory = load(Path(name) / "meaning")
            figures += [Figure("label.load_seconds", seconds, 4), Figure("label.memory_mb", memory, 400)]
        meaning.use_words_alone()
        figures += measured("words", Path(name) / "words", (1500, 2))
    return finish(figures)
