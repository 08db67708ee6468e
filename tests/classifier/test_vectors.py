"""A column is found for every name of the artifact, and for no other."""

from hypothesis import given
from hypothesis import strategies as st

from classifier.vectors import Columns


@given(st.lists(st.text(max_size=8), unique=True), st.lists(st.text(max_size=8)))
def test_columns_are_those_of_a_dictionary(names, others) -> None:
    known = {name: column for column, name in enumerate(names)}
    asked = [*others, *reversed(names)]
    assert Columns(names).of(asked).tolist() == [known.get(name, -1) for name in asked]
