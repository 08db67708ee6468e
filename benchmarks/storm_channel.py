"""Channels of the storm: real HTTP to the liar, one for each way of finding out what happened."""

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
    Proof,
    Raw,
    Receipt,
    Sent,
    Verdict,
    Walk,
    network_error,
    normalise,
)

SETTLE = 0.15
"""Seconds, well above the latest acceptance of the liar."""
KINDS = {"token": (True, False), "list": (False, True), "both": (True, True), "none": (False, False)}
"""Kind of channel → (recognises our token, lists our own)."""
CONTROLS = ("hasty", "naive")
"""Channels that must double, or the storm is blind: no settle time; every unknown taken for «not sent»."""


class Settings(ChannelSettings):
    base_url: str


class Storm(Channel):
    """The protocol over one small platform; subclasses differ in capabilities alone."""

    title = "Storm"
    can = Capabilities(acts=frozenset({ActKind.REPLY}), settle_seconds=SETTLE)
    Settings = Settings

    def __init__(self, settings: Any, wire: Any, limiter: Any) -> None:
        super().__init__(settings, wire, limiter)
        self._http = httpx.Client(base_url=settings.base_url, timeout=10, trust_env=False)

    def check(self) -> Check:
        return Check("storm", "storm")

    def walk(self, walk: Walk, cursor: Cursor) -> Iterator[Page]:
        yield from ()

    def parse(self, raw: Raw) -> list[Incoming]:
        return []

    def act(self, act: Act) -> Receipt:
        body = {
            "parent": act.target.external_id,
            "text": act.text,
            "token": act.token if self.can.send_token else "",
        }
        try:
            answer = self._http.post("/posts", json=body)
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
        found = self._http.get("/posts", params={"parent": act.target.external_id or ""}).json()
        for post in found:
            if normalise(post["text"]) == normalise(act.text):
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
