"""The search screen: hits with their cases, pages, corrections, numbers, and whom it is open to."""

import re

import pytest

from services.search_index import run_index


def found(page):
    return [int(number) for number in re.findall(r'id="found-(\d+)"', page)]


def test_the_box_stands_in_the_header_of_those_who_see_cases(smm, enter) -> None:
    assert 'id="search-box"' in smm.get("/inbox").text
    assert 'id="search-box"' not in enter("curator").get("/questions").text


def test_a_department_is_not_let_in(enter) -> None:
    assert enter("curator").get("/search?q=вебинар").status_code == 403


def test_without_words_it_says_how_to_ask(smm, enter) -> None:
    page = smm.get("/search").text
    assert "Как спрашивать" in page
    assert "Одинаковые слова" not in page
    assert "Одинаковые слова" in enter("head").get("/search").text


def test_hits_are_marked_and_escaped(smm, open_case) -> None:
    case_id = open_case("<b>Когда</b> вебинары?", "Анна <i>Яр")
    page = smm.get("/search?q=вебинаром").text
    assert found(page) == [case_id]
    assert "<mark>вебинары</mark>" in page
    assert "&lt;b&gt;Когда" in page
    assert "Анна &lt;i&gt;Яр" in page
    assert "Найдено: 1" in page


def test_what_is_typed_is_escaped(smm) -> None:
    page = smm.get("/search?q=%3Cscript%3Ealert(1)%3C/script%3E").text
    assert "<script>alert" not in page
    assert "Ничего не нашлось" in page


def test_a_message_without_a_case_can_be_lifted(smm, cast, label_all) -> None:
    cast.write("Спасибо за урок", "Анна Яр")
    label_all()
    page = smm.get("/search?q=спасибо").text
    assert "Остальное" in page
    assert "Сделать обращением" in page


def test_a_whole_number_leads_to_the_case(smm, open_case) -> None:
    case_id = open_case("Когда вебинар?")
    answer = smm.get("/search?q=об-2026-000001")
    assert answer.headers["Location"] == f"/inbox/{case_id}"
    assert found(smm.get("/search?q=1").text) == [case_id]


def test_a_misspelt_word_is_corrected_and_said(smm, open_case, database) -> None:
    open_case("Когда марафон?")
    run_index(database)
    page = smm.get("/search?q=морафон").text
    assert "Показано:" in page
    assert "<mark>марафон</mark>" in page
    assert "Ничего не нашлось" in smm.get("/search?q=морафон&exactly=1").text


def test_an_unknown_filter_is_said(smm) -> None:
    assert "Такого условия программа не знает: вид:синий" in smm.get("/search?q=урок вид:синий").text


def test_pages_follow_one_another(smm, cast) -> None:
    cast.store(*(cast.incoming(f"Урок {n}", f"Зритель {n}") for n in range(30)))
    page = smm.get("/search?q=урок").text
    address = re.search(r'hx-get="([^"]+)"[^>]*hx-target="#search-more"', page).group(1).replace("&amp;", "&")
    more = smm.get(address, htmx=True).text
    assert "<html" not in more
    assert len(re.findall("<article", page + more)) == 30
    assert "search-more" not in more
    assert "Сначала новые" in smm.get("/search?q=урок&by=best").text


@pytest.mark.parametrize("query", ["after=x", "after=999999999999999999999", "by=best&after=-1"])
def test_a_broken_address_is_refused(smm, query) -> None:
    assert smm.get(f"/search?q=урок&{query}").status_code == 422


def test_synonyms_are_edited_by_the_administrator(enter, smm, cast) -> None:
    cast.write("Плеер сломан", "Анна Яр")
    head = enter("head")
    assert head.post("/search/synonyms", lines="баг, сломанный").status_code == 302
    assert "баг, сломанный" in head.get("/search/synonyms").text
    assert "<mark>сломан</mark>" in smm.get("/search?q=баг").text
    assert smm.post("/search/synonyms", lines="а, б").status_code in (302, 403)
    assert "баг, сломанный" in head.get("/search/synonyms").text
