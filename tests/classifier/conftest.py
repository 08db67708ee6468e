"""One classifier for the whole session, trained on the corpus the product ships with."""

from pathlib import Path

import pytest

from classifier import Classifier


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/classifier" in item.path.as_posix():
            item.add_marker(pytest.mark.xdist_group("classifier"))  # one worker trains, not each of them
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def classifier(trained: Path) -> Classifier:
    return Classifier.load(trained)
