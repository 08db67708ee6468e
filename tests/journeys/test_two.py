"""Two people at one case: each sees the other, the second to send is stopped and told."""

from playwright.sync_api import expect

from tests.journeys.test_inbox import ready


def test_two_people_meet_at_one_case(visit) -> None:
    first, second = visit(), visit()
    one, two = ready(first.enter_as("SMM")), ready(second.enter_as("руководитель"))
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
