"""The first steps of a newcomer end with their own reply under a comment; an answer given before helps."""

from playwright.sync_api import expect

QUESTION = "где запись второй части? в плейлисте только первая"


def test_the_first_steps_end_with_ones_own_reply(visit, running) -> None:
    smm = visit()
    page = smm.enter_as("SMM")
    tour = page.locator(".tour")
    expect(tour).to_contain_text("Первые шаги: 1 из 5")
    smm.open_case(QUESTION)
    expect(tour).to_contain_text("2 из 5")
    page.locator("#reply-text").fill("")  # what a try before this one left as a draft
    tour.get_by_role("button", name="Дальше").click()
    expect(tour).to_contain_text("3 из 5")

    past = page.locator("[data-past-first]")
    expect(past).to_contain_text("Мы уже отвечали")
    smm.picture("first-steps-1-answered-before")
    page.locator("#case-title").focus()
    page.keyboard.press("q")
    text = page.locator("#reply-text")
    expect(text).not_to_have_value("")
    answer = text.input_value().strip()  # whichever is the nearest: other journeys have answered meanwhile
    assert any(word in past.inner_text() for word in answer.split() if len(word) > 4)
    assert "Роман" not in answer
    expect(tour).to_contain_text("4 из 5")
    text.press("Control+Shift+Enter")
    expect(tour).to_contain_text("5 из 5")
    expect(tour).to_contain_text("Ваш ответ стоит под комментарием", timeout=60_000)
    expect(page.locator("#thread .msg-ours").first).to_contain_text(answer[:20])
    smm.picture("first-steps-2-stands")

    tour.get_by_role("button", name="Закрыть подсказки").click()
    page.goto(f"{running.url}inbox")
    expect(page.locator("#rows .row").first).to_be_visible()
    expect(tour).to_have_count(0)
    page.goto(f"{running.url}help")
    page.get_by_role("link", name="Первые шаги заново").click()
    expect(page.locator(".tour")).to_contain_text("1 из 5")
    assert smm.troubles == []


def test_a_deadline_ages_while_nobody_reloads(visit) -> None:
    smm = visit()
    page = smm.enter_as("SMM")
    chip = page.locator("#rows .chip-due").first
    expect(chip).to_be_visible()
    told = page.evaluate(
        """async () => {
          const path = document.querySelector('script[src*="js/inbox.js"]').src.replace("inbox.js", "aging.js");
          const { ageChips } = await import(path);
          const chip = document.querySelector("#rows .chip-due");
          const now = Date.now() / 1000;
          const said = [];
          for (const [due, warn] of [[now + 7265, now + 60], [now + 1265, now - 1], [now - 65, now - 100]]) {
            chip.dataset.due = due; chip.dataset.warn = warn;
            ageChips();
            const tone = [...chip.classList].find((name) => /chip-(bad|warn|wait)/.test(name));
            said.push([chip.textContent.trim(), tone]);
          }
          return said;
        }"""
    )
    assert [tone for _, tone in told] == ["chip-wait", "chip-warn", "chip-bad"]
    assert [text.replace("\u00a0", " ") for text, _ in told] == [
        "осталось 2 ч 1 мин", "осталось 21 мин", "опоздали на 1 мин"
    ]  # fmt: skip
