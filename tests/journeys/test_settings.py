"""A deadline is changed, seen beforehand, found in the history and taken back, on a desk and on a phone."""

import re

from playwright.sync_api import expect


def test_a_deadline_is_changed_and_taken_back(visit) -> None:
    head = visit()
    page = head.enter_as("Руководитель")
    page.goto(head.running.url + "settings/terms")
    line = page.get_by_label("Вопрос", exact=True)
    before = line.input_value()
    after = "3" if before != "3" else "2"
    line.fill(after)
    page.get_by_role("button", name="Показать, что изменится").click()
    expect(page.get_by_role("heading", name="Что будет с открытыми обращениями")).to_be_visible()
    expect(page.locator(".set-rows")).to_contain_text(f"{after} ч в рабочее время")
    head.picture("settings-1-effect")
    page.get_by_role("button", name="Сохранить").click()
    expect(page.get_by_text("Изменено: сегодня")).to_be_visible()
    expect(line).to_have_value(after)

    page.get_by_role("button", name=re.compile("Вернуть, ")).click()  # the toast
    expect(page.get_by_text("Возвращено: всё как было.")).to_be_visible()
    expect(line).to_have_value(before)

    page.get_by_role("link", name="История").click()
    panels = page.locator(".set-panel")
    expect(panels.first).to_contain_text("действует сейчас")
    expect(panels.first).to_contain_text("Возвращена")
    head.picture("settings-2-history")
    panels.nth(1).get_by_role("link", name="Вернуть эту версию").click()
    expect(page.get_by_role("heading", name="Вернуть эту версию?")).to_be_visible()
    page.get_by_role("button", name="Вернуть").click()
    expect(line).to_have_value(after)

    phone = visit(phone=True)
    small = phone.enter_as("Руководитель")
    small.goto(phone.running.url + "settings/history/sla")
    expect(small.locator(".set-panel").first).to_contain_text("Стало")
    assert small.evaluate("document.documentElement.scrollWidth <= innerWidth")
    small.locator(".set-panel").nth(1).get_by_role("link", name="Вернуть эту версию").click()
    small.get_by_role("button", name="Вернуть").click()  # as it was when the journey began
    expect(small.get_by_label("Вопрос", exact=True)).to_have_value(before)
