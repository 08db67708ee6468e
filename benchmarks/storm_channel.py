"""Channels of the storm: real HTTP to the liar, one for each way of finding out what happened."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from types import ModuleType
from typing import Any

import httpx

import collectors
from collectors.base import (
    Act,
    ActKind,
    Capabilities,
    Channel,
    ChannelError,
    ChannelSettings,
    Check,
    Cursor,
    Incoming,
    Page,
    Person,
    Proof,
    Raw,
    Receipt,
    Sent,
    Verdict,
    Walk,
    network_error,
    normalise,
)

SETTLE = 0.25
"""Seconds, well above the latest acceptance of the liar."""
KINDS = {"token": (True, False), "list": (False, True), "both": (True, True), "none": (False, False)}
"""Kind of channel → (recognises our token, lists our own)."""
CONTROLS = ("hasty", "naive")
"""Channels that must double, or the storm is blind: no settle time; every unknown taken for «not sent»."""


class Settings(ChannelSettings):
    base_url: str
    container: str = ""


class Storm(Channel):
    """The protocol over one small platform; subclasses differ in capabilities alone."""

    title = "Storm"
    can = Capabilities(acts=frozenset({ActKind.REPLY, ActKind.EDIT}), settle_seconds=SETTLE)
    Settings = Settings

    def __init__(self, settings: Any, wire: Any, limiter: Any) -> None:
        super().__init__(settings, wire, limiter)
        self._http = httpx.Client(base_url=settings.base_url, timeout=10, trust_env=False, verify=False)

    def check(self) -> Check:
        return Check("storm", "storm")

    def walk(self, walk: Walk, cursor: Cursor) -> Iterator[Page]:
        """One page of what stands in the container; ours only where the platform shows it."""
        found = self._http.get("/posts", params={"parent": self.settings.container}).json()
        shown = [post for post in found if post.get("author") or self.can.list_own]
        raws = tuple(Raw("post", self.settings.container, post["id"], json.dumps(post).encode()) for post in shown)
        yield Page(raws, cursor, complete=True)

    def parse(self, raw: Raw) -> list[Incoming]:
        post = json.loads(raw.body)
        name = post.get("author")
        who = Person(f"a-{name}", name) if name else Person("us", "Школа", is_us=True)
        at = datetime.fromisoformat(post["at"])
        return [Incoming(raw.container, raw.external_id, post["text"], at, who, parent_external_id=post["parent"])]

    def act(self, act: Act) -> Receipt:
        if self.limiter is not None:
            self.limiter.wait("storm", rate=1000)
            self.limiter.spend("storm", "today", 1, limit=10**9)
        body = {
            "parent": self.settings.container or act.target.external_id,
            "text": act.text,
            "token": act.token if self.can.send_token else "",
        }
        change = f"/posts/{act.target.external_id}" if act.kind is ActKind.EDIT else "/posts"
        try:
            answer = self._http.post(change, json=body)
        except httpx.HTTPError as error:
            raise self._told(network_error(error, write=True)) from error
        if answer.status_code == 429:
            raise ChannelError("too often", code="server", sent=Sent.NO)
        if answer.status_code != 200:
            raise self._told(ChannelError("broken", code="server", sent=Sent.UNKNOWN))
        return Receipt(answer.json()["id"])

    def _told(self, error: ChannelError) -> ChannelError:
        if self.kind == "storm_naive":
            error.sent = Sent.NO
        return error

    def lookup(self, act: Act) -> Proof:
        if not self.can.list_own:
            return Proof(Verdict.UNKNOWN)
        parent = self.settings.container or act.target.external_id or ""
        try:
            found = self._http.get("/posts", params={"parent": parent}).json()
        except httpx.HTTPError as error:
            raise network_error(error, write=False) from error
        for post in found:
            if not post.get("author") and normalise(post["text"]) == normalise(act.text):
                return Proof(Verdict.SEEN, post["id"], None, datetime.fromisoformat(post["at"]))
        return Proof(Verdict.ABSENT)

    def close(self) -> None:
        self._http.close()


def register() -> None:
    """Makes the storm's channels known to the registry of this process."""
    for name in (*KINDS, *CONTROLS):
        token, own = KINDS.get(name, (False, True))
        can = replace(Storm.can, send_token=token, list_own=own, settle_seconds=0 if name == "hasty" else SETTLE)
        kind = f"storm_{name}"
        module = ModuleType(f"collectors.{kind}")
        module.__dict__["Storm"] = type("Storm", (Storm,), {"kind": kind, "can": can})
        sys.modules[module.__name__] = module
        collectors.CHANNELS[kind] = "Storm"
