"""Two people at one case: each sees the other, the second to send is stopped and told."""

from playwright.sync_api import expect

from tests.journeys.test_inbox import answerable, ready


def test_two_people_meet_at_one_case(visit) -> None:
    first, second = visit(), visit()
    one, two = ready(first.enter_as("SMM")), ready(second.enter_as("руководитель"))
    answerable(one)
    one.locator(".row a").nth(1).click()
    expect(one.locator("#case-title")).to_be_visible()
    address = one.url
    two.goto(address)
    ready(two)
    expect(one.locator(".case-here .here-look")).to_contain_text("Смотрит: Марина Котова")
    expect(two.locator(".case-here .here-look")).to_contain_text("Смотрит: Дарья Лис")

    one.locator("#reply-text").fill("Отвечу сейчас")
    expect(two.locator(".case-here .here-write")).to_contain_text("Пишет: Дарья Лис")
    expect(two.locator(".row-here .here-write")).to_have_count(1)
    two.locator("#reply-text").fill("И я отвечу")
    expect(one.locator(".case-here .here-write")).to_contain_text("Пишет: Марина Котова")

    # Both send at the same moment: the second is stopped, sees the first one's words and keeps the own.
    one.keyboard.press("Escape")
    one.locator("#reply-text").focus()
    one.keyboard.press("Control+Enter")
    expect(one.locator(".msg-going")).to_contain_text("Отвечу сейчас")
    expect(two.locator(".msg-going")).to_contain_text("Отвечу сейчас")
    expect(two.locator("#composer-notice")).to_be_visible()
    two.locator("#reply-text").focus()
    two.keyboard.press("Control+Enter")
    expect(two.locator(".toast-problem")).to_be_visible()
    expect(two.locator("#reply-text")).to_have_value("И я отвечу")

    # The browser writes the refusal into its console by itself.
    assert [trouble for trouble in second.troubles if "409" not in trouble] == []
    second.troubles.clear()

    # Who leaves is seen no more.
    two.goto("about:blank")
    expect(one.locator(".case-here .here")).to_have_count(0)
    one.keyboard.press("Escape")
    one.keyboard.press("u")
    expect(one.locator("#reply-text")).to_have_value("Отвечу сейчас")
    one.locator("#reply-text").fill("")
    expect(one.locator(".composer-saved")).to_have_text("Черновик сохранён")


def test_many_cases_are_closed_by_keys_and_taken_back(visit, running) -> None:
    page = ready(visit().enter_as("SMM"))
    page.goto(f"{running.url}inbox?label=wish")  # a case that a department still owes cannot be closed
    ready(page)
    shown = page.locator("#rows > .row")
    first = [shown.nth(at).get_attribute("id") for at in range(3)]
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    expect(page.locator("#bulk b")).to_have_text("Выбрано: 3")
    page.keyboard.press("e")
    expect(page.locator("#bulk-close button[name=reason]").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#bulk-state")).to_contain_text("Закрыто: 3 из 3")
    expect(page.locator("#bulk")).to_be_hidden()
    for row in first:
        expect(page.locator(f"#{row}.is-closed")).to_have_count(1)
    page.locator("#bulk-state [data-undo-key]").click()
    expect(page.locator("#bulk-state")).to_contain_text("Отменено: 3 из 3")
    for row in first:
        expect(page.locator(f"#{row}.is-closed")).to_have_count(0)
