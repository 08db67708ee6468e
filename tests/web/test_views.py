"""All filters in one form, orders, and views by name in the left column."""

from tests.web.test_inbox import row_ids


def test_filters_of_the_address_narrow_together(smm, open_case, cast) -> None:
    public = open_case("Когда вебинар?", "Анна Яр")
    cast.private("А мне ответят?", "Борис Лунин")
    assert public in row_ids(smm.get("/inbox?visibility=public&newer=9999").text)
    assert row_ids(smm.get("/inbox?visibility=private&label=wish").text) == []
    assert public not in row_ids(smm.get(f"/inbox?assignee={cast.head.staff_id}").text)
    for nonsense in ("visibility=both", "older=x", "older=0", "sort=up", "assignee=x"):
        assert public in row_ids(smm.get(f"/inbox?{nonsense}").text)


def test_the_longest_wait_first(smm, open_case) -> None:
    ids = [open_case(f"Вопрос {number}?", f"Зритель {number}") for number in range(3)]
    assert row_ids(smm.get("/inbox?sort=wait").text) == ids
    assert row_ids(smm.get("/inbox").text) == ids[::-1]


def test_a_view_by_name_is_kept_shown_and_dropped(smm, enter, open_case) -> None:
    answer = smm.post("/inbox/views?label=question&sort=wait&bad=1", name="Долго ждут", team="1")
    assert answer.headers["Location"] == "/inbox?label=question&sort=wait"
    page = smm.get(answer.headers["Location"]).text
    assert "Долго ждут" in page
    assert "/drop" in page
    other = enter("head").get("/inbox").text
    assert "Долго ждут" in other
    address = page.split('class="view-drop"')[0].rsplit('action="', 1)[1].split('"')[0]
    smm.post(address)
    assert "Долго ждут" not in smm.get("/inbox").text
