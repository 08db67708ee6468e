"""The head goes from the morning to a comment on its platform, takes reports along, signs; the director reads."""

import re
import time

from playwright.sync_api import Route, expect

REPORTS = "reports?period=quarter"


def test_from_the_morning_to_the_comment_on_the_platform(visit) -> None:
    window = visit()
    page = window.enter_as("руководитель")
    page.goto(window.running.url + "morning")
    row = page.locator(".figures tr", has_text="открыто сейчас")
    figure = row.locator("a.figure").last
    expect(figure).not_to_have_text("0")
    number = figure.inner_text()
    figure.click()
    expect(page.locator("h1")).to_contain_text(f": {number}")
    link = page.get_by_role("link", name="На площадке").first
    with page.context.expect_page() as opened:
        link.click()
    opened.value.wait_for_load_state()
    assert opened.value.url.startswith(window.running.sandbox)
    opened.value.close()
    case = page.locator(".drill-top a").first
    title = case.inner_text()
    case.click()
    expect(page.locator("#thread")).to_be_visible()
    expect(page.locator("body")).to_contain_text(title)


def test_from_a_figure_to_its_rows_and_to_what_stands_behind_one(visit) -> None:
    window = visit()
    page = window.enter_as("руководитель")
    page.goto(window.running.url + "reports/all/funnel?period=quarter")
    figure = page.get_by_role("row", name=re.compile("Новая заявка")).locator("a.figure").first
    number = figure.inner_text()
    assert int(number) > 0
    figure.click()
    expect(page.locator("h1")).to_have_text(f"Сделки, дошедшие до ступени: {number}")
    expect(page.locator(".rows tbody tr")).to_have_count(int(number))
    page.locator(".rows tbody th a").first.click()
    expect(page).to_have_url(re.compile("/deals/"))


def test_what_is_behind_a_number_is_taken_from_the_list(visit) -> None:
    window = visit()
    page = window.enter_as("руководитель")
    page.goto(window.running.url + "reports/cases/queue")
    first = page.locator('input[name="case"]').first
    key = first.get_attribute("value")
    first.check()
    page.locator("#acts").get_by_role("button", name="Взять себе").click()
    expect(page.get_by_text(re.compile("Передано: 1 обращение"))).to_be_visible()
    page.goto(f"{window.running.url}inbox/{key}")
    expect(page.locator("body")).to_contain_text("Марина Котова")


def test_the_report_on_answers_by_place_and_department_and_a_kept_view(visit) -> None:
    window = visit()
    page = window.enter_as("руководитель")
    page.goto(window.running.url + REPORTS)
    until = time.monotonic() + 90  # the answers of the training school come some seconds after its start
    while not page.get_by_role("row", name=re.compile("Кураторы")).count() and time.monotonic() < until:
        page.wait_for_timeout(1000)
        page.reload()
    places = page.locator("section.panel", has=page.get_by_role("heading", name="По площадкам"))
    expect(places.get_by_role("row", name=re.compile("Instagram"))).to_be_visible()
    units = page.locator("section.panel", has=page.get_by_role("heading", name="Отделы"))
    expect(units.get_by_role("row", name=re.compile("Кураторы"))).to_be_visible()
    page.get_by_text("Сохранить вид").click()
    page.get_by_placeholder("Название вида").fill("Квартал целиком")
    page.locator("form", has=page.get_by_placeholder("Название вида")).get_by_role("button").click()
    page.goto(window.running.url + "reports/all")
    page.get_by_role("link", name="Квартал целиком").click()
    expect(page.locator("h1")).to_contain_text("Отчёт об ответах")
    expect(page.locator('select[name="period"]')).to_have_value("quarter")


def _slowly(route: Route) -> None:
    time.sleep(0.7)
    route.continue_()


def test_a_report_that_takes_a_moment_says_that_it_is_counted(visit) -> None:
    window = visit()
    page = window.enter_as("руководитель")
    page.goto(window.running.url + "reports")
    bar = page.locator("progress.waiting-bar")
    expect(bar).to_be_hidden()
    # While one page gives way to the next nothing can be asked of it: it notes itself what it showed.
    bar.evaluate(
        "bar => new MutationObserver(() => { sessionStorage.shown ??= !bar.hidden; })"
        ".observe(bar, {attributes: true})"
    )
    page.route(re.compile("/reports\\?"), _slowly)
    page.locator("form.cut [name=period]").select_option("year")
    page.get_by_role("button", name="Показать").click()
    expect(page).to_have_url(re.compile("period=year"))
    assert page.evaluate("sessionStorage.shown") == "true"
    expect(bar).to_be_hidden()


def test_tables_and_lists_leave_as_files(visit) -> None:
    window = visit()
    page = window.enter_as("руководитель")
    page.goto(window.running.url + "reports/all/structure?period=quarter")
    for name, begins in (("XLSX", b"PK"), ("CSV", "\ufeff".encode()), ("PDF", b"%PDF")):
        with page.expect_download() as taken:
            page.get_by_role("link", name=name, exact=True).click()
        with taken.value.path().open("rb") as file:
            assert file.read(4).startswith(begins)


def test_a_signed_month_is_read_by_the_director(visit) -> None:
    window = visit()
    page = window.enter_as("руководитель")
    page.goto(window.running.url + "reports/months")
    page.get_by_label("Выводы").fill("Успевали.")
    page.get_by_role("button", name="Подписать").click()
    expect(page.get_by_text("SHA-256").first).to_be_visible()
    expect(page.get_by_role("heading", name="Как подписано")).to_be_visible()
    address = page.url
    reader = visit()
    read = reader.enter_as("директор")
    read.goto(address)
    read.get_by_role("button", name="Прочитано").click()
    expect(read.locator(".page-head")).to_contain_text("Ирина Орлова")


def test_topics_name_themselves(visit) -> None:
    window = visit()
    page = window.enter_as("руководитель")
    page.goto(window.running.url + "reports/asked")
    until = time.monotonic() + 90  # the answers of the training school come some seconds after its start
    while not page.locator(".asked-topics h3", has_text="ромокод").count() and time.monotonic() < until:
        page.wait_for_timeout(1000)
        page.reload()
    expect(page.locator(".asked-topics h3", has_text="ромокод")).to_be_visible()


def test_one_case_leaves_as_one_pdf(visit) -> None:
    window = visit()
    page = window.enter_as("руководитель")
    page.goto(window.running.url + "reports/cases/queue")
    page.locator(".drill-top a").first.click()
    expect(page.locator("#thread")).to_be_visible()
    page.locator("#case-more > summary").click()
    with page.expect_download() as taken:
        page.locator("#case-more").get_by_role("button", name="одним PDF").click()
    with taken.value.path().open("rb") as file:
        assert file.read(4) == b"%PDF"
