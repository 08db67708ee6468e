"""Histories of channels that the sandbox does not speak: Isso and mail, whose platforms live in memory."""

from typing import Any

import httpx

from benchmarks.channels import FaultyTransport, History, SandboxWire
from benchmarks.limits import NoLimits
from collectors import channel_class
from collectors.base import Channel
from collectors.mail.letter import fingerprint, letter_id
from tests.collectors.isso_platform import OUR_HASH, PAGES, SCHOOL, IssoPlatform
from tests.collectors.mail_platform import MailPlatform, letter

Held = dict[tuple[str, str], tuple[str, str]]


class IssoHistory(History):
    """Comments of two pages: written, answered, edited, deleted (with answers: a placeholder stays)."""

    def __post_init__(self) -> None:
        self._begin()
        self.platform = IssoPlatform()

        def answer(request: httpx.Request) -> httpx.Response:
            own = request.url.host == "isso.example"
            return self.platform(request) if own else self.platform.page(request)

        self.transport = FaultyTransport(httpx.MockTransport(answer), self.rolled)

    def happen(self) -> None:
        rolled, platform = self.rolled, self.platform
        standing = [one for one in platform.comments.values() if one.mode == 1]
        text = f"текст {rolled.random():.12f}"
        match rolled.choice(("say", "say", "reply", "edit", "delete")) if standing else "say":
            case "reply":
                one = rolled.choice(standing)
                platform.write(text, one.id, one.uri)
            case "edit":
                one = rolled.choice(standing)
                one.text, one.modified = text, one.created + 1 + platform.last_id
            case "delete":
                platform.delete(rolled.choice(standing).id)
            case _:
                platform.write(text, None, rolled.choice(PAGES))

    def make_channel(self) -> Channel:
        cls = channel_class("isso")
        settings = cls.Settings.model_validate(
            {"base_url": "https://isso.example", "site_url": "https://blog.example/", "uris": PAGES,
             "author": SCHOOL, "own_hashes": [OUR_HASH]}
        )  # fmt: skip
        return cls(settings, SandboxWire(self.transport), NoLimits())

    def compare(self, held: Held) -> list[str]:
        truth = {(one.uri, str(one.id)): one for one in self.platform.comments.values() if one.mode == 1}
        wrong = [f"missing: {key}" for key in truth if key not in held]
        for key, (text, state) in held.items():
            if key not in truth and state != "deleted":
                wrong.append(f"state: {key} {state} deleted")
            elif key in truth and (state != "published" or text != truth[key].text):
                wrong.append(f"text: {key} {state}")
        return wrong


class LetterHistory(History):
    """A folder that letters come to and leave, whose UIDs are renumbered and whose server hangs up or refuses."""

    def __post_init__(self) -> None:
        self._begin()
        self.platform = MailPlatform()
        self.transport = FaultyTransport(httpx.MockTransport(lambda request: httpx.Response(404)), self.rolled)

    def live(self) -> list[str]:
        try:
            return super().live()
        finally:
            self.platform.stop()

    def happen(self) -> None:
        inbox, rolled = self.platform.imap.folders["INBOX"], self.rolled
        match rolled.choice(("deliver", "deliver", "deliver", "remove", "renumber")):
            case "deliver":
                self.platform.imap.deliver(letter(rolled.randint(0, 9), f"текст {rolled.randint(0, 2)}"))
            case "remove" if inbox.letters:
                inbox.letters.pop(rolled.choice(sorted(inbox.letters)))
            case "renumber" if rolled.random() < 0.3:
                self.platform.imap.renumber()

    def make_channel(self) -> Channel:
        return self.platform.channel()

    def read(self, source_id: int, *, deep: bool) -> None:
        imap, rolled, share = self.platform.imap, self.rolled, self.transport.share
        if rolled.random() < 2 * share:
            imap.cut_after = rolled.randint(0, 14)
        if rolled.random() < share:
            imap.refusals = {rolled.choice(("FETCH", "SEARCH", "EXAMINE")): "NO [UNAVAILABLE] later"}
        super().read(source_id, deep=deep)
        imap.cut_after, imap.refusals = None, {}

    def compare(self, held: Held) -> list[str]:
        inbox = self.platform.imap.folders["INBOX"].letters.values()
        stands = {(str(letter_id(raw)), fingerprint(raw)) for raw in inbox}
        standing = [key for key, (_text, state) in held.items() if state != "deleted"]
        wrong = [] if len(standing) == len(stands) else [f"held {len(standing)}, standing {len(stands)}"]
        ids = {key[1].partition("#")[0] for key in standing}
        return wrong + [f"missing: {name}" for name in {one[0] for one in stands} ^ ids]


OTHERS: dict[str, Any] = {"isso": IssoHistory, "mail": LetterHistory}
"""Kind → its history, where the sandbox has none."""
