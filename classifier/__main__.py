"""``python -m classifier FOLDER [LESSONS]``: trains on the corpus of the house and on what people corrected.

With ``--words`` before them it does without the meaning of texts.

LESSONS are JSON lines, ``{"text","primary","secondary","weight","group","lang"}`` or ``{"text","signal","is_so"}``.
It tells its progress and ends with its parent.
"""

import json
import os
import sys
import threading
from pathlib import Path

from classifier import Example, meaning, read_corpus, train


def main(folder: str, lessons: str | None = None) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if lessons:
        os.nice(10)  # the desk works meanwhile with the version it has
    examples, decided = read_corpus(), []
    for line in Path(lessons).read_text(encoding="utf-8").splitlines() if lessons else ():
        row = json.loads(line)
        if "signal" in row:
            decided.append((row["text"], row["signal"], bool(row["is_so"])))
        else:
            examples.append(Example(**{**row, "secondary": tuple(row["secondary"])}))
    train(
        examples,
        Path(folder),
        progress=lambda share, step: print(f"{share:.3f} {step}", flush=True),
        decided=decided,
    )


def _end_with_parent() -> None:
    # Below Python's own buffer, whose lock would be missed when the interpreter ends.
    while os.read(0, 4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    words = sys.argv[1:]
    if words[0] == "--words":
        meaning.use_words_alone()
        words = words[1:]
    main(*words)
