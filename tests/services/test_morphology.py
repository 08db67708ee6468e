"""The dictionary in its files says what the dictionary in memory says."""

from array import array

import pymorphy3
import pytest

from services.morphology import _map, open_dictionary

WORDS = ("стали", "вебинарами", "прочтённому", "кота", "гуглила", "шрёдингера", "по-русски", "xyz", "")


def tables(analyzer):
    graphs = [analyzer.dictionary.words, *analyzer.dictionary.prediction_suffixes_dawgs]
    graphs.append(analyzer.prob_estimator.p_t_given_w)
    return [part._units for graph in graphs for part in (graph.dct, graph.guide)]


def test_the_files_are_what_memory_holds() -> None:
    mapped, read = tables(open_dictionary()), tables(pymorphy3.MorphAnalyzer())
    assert all(isinstance(one, memoryview) for one in mapped)
    assert [one.tobytes() for one in mapped] == [one.tobytes() for one in read]


def test_words_are_read_as_before() -> None:
    mapped, read = open_dictionary(), pymorphy3.MorphAnalyzer()
    for word in WORDS:
        assert repr(mapped.parse(word)) == repr(read.parse(word))
        assert mapped.word_is_known(word) is read.word_is_known(word)
    assert repr(mapped.parse("урок")[0].lexeme) == repr(read.parse("урок")[0].lexeme)


def test_a_file_of_another_layout_is_refused(tmp_path) -> None:
    analyzer = pymorphy3.MorphAnalyzer()
    (tmp_path / "words.dawg").write_bytes(array("I", range(100)).tobytes())
    with pytest.raises(ValueError, match=r"words\.dawg"):
        _map(analyzer.dictionary.words, tmp_path / "words.dawg")
