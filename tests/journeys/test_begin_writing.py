"""We speak first, and one message becomes two cases, in the browser."""

from playwright.sync_api import expect

from tests.journeys.test_replies import ask

OURS = "Друзья, запись вебинара появится завтра к вечеру."
BOTH = "Подскажите, где найти расписание группы? И почему доступ закрыли раньше срока?"


def test_a_comment_of_ours_under_a_video_and_what_is_said_of_a_phone(visit, running) -> None:
    smm = visit()
    smm.enter_as("SMM")
    viewer = ask(visit, running, "Гость Видео", "А запись вебинара вообще будет где-нибудь?")
    inbox = smm.open_case("А запись вебинара вообще будет где-нибудь?")
    inbox.get_by_role("button", name="Новый наш комментарий под публикацией").click()
    expect(inbox.locator(".composer-where")).to_contain_text("Новый наш комментарий")
    expect(inbox.locator("#reply-text")).to_be_focused()
    inbox.locator("#reply-text").fill(OURS)
    smm.picture("write-1-comment")
    inbox.locator("#reply-text").press("Control+Enter")
    expect(viewer.locator("#threads")).to_contain_text(OURS, timeout=40_000)
    expect(inbox.locator(".msg-ours")).to_contain_text("Видно на площадке", timeout=40_000)

    inbox.goto(f"{running.url}inbox")
    expect(inbox.locator("#rows")).to_be_visible()
    inbox.keyboard.press("Shift+N")
    inbox.locator("#q").fill("vera@example.com")
    inbox.keyboard.press("Enter")
    expect(inbox.locator(".way-closed")).to_contain_text("Почтовый ящик не подключён")
    smm.picture("write-2-closed")


def test_two_matters_of_one_message_are_two_cases(visit, running) -> None:
    smm = visit()
    smm.enter_as("SMM")
    ask(visit, running, "Гость Двух", BOTH)
    inbox = smm.open_case(BOTH)
    text = inbox.locator("[data-parts]").last
    text.evaluate(
        """node => {
          const walk = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
          const nodes = []; while (walk.nextNode()) nodes.push(walk.currentNode);
          const whole = node.textContent; const from = whole.indexOf('И почему');
          let at = 0; const range = document.createRange();
          for (const one of nodes) {
            if (from >= at && from < at + one.length) range.setStart(one, from - at);
            at += one.length;
          }
          range.setEndAfter(nodes.at(-1));
          getSelection().removeAllRanges(); getSelection().addRange(range);
        }"""
    )
    expect(inbox.locator("#part-button")).to_be_visible()
    smm.picture("part-1-chosen")
    inbox.keyboard.press("s")
    expect(inbox.locator(".msg-part")).to_contain_text("Отдельное обращение")
    inbox.locator(".msg-part a").click()
    expect(inbox.locator("mark.part")).to_have_text("И почему доступ закрыли раньше срока?")
    smm.picture("part-2-case")
    inbox.get_by_role("button", name="Соединить снова").click()
    expect(inbox.locator("[data-parts]").last).to_be_visible()
    expect(inbox.locator(".msg-part")).to_have_count(0)
