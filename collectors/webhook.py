"""Telling an address that a person named: one POST through the guard, no redirect, a short look at the answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from collectors.wire import AddressRefused, Wire, trouble_of

if TYPE_CHECKING:
    import httpx

MOST_ANSWER = 1024
MOST_SECONDS = 30.0
"""However slowly it answers: nobody else waits longer for it."""


@dataclass(frozen=True, slots=True)
class Told:
    """``status`` of the answer and how it began, or the ``code`` of what stood in the way.

    Codes: address (the guard) · dns · refused · tls · timeout · network · key (the secret cannot be opened).
    """

    status: int | None
    answer: str = ""
    code: str | None = None

    @property
    def is_well(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def post_outside(wire: Wire, url: str, headers: Mapping[str, str], body: bytes) -> Told:
    """Never raises for what the other side or the network does."""
    import httpx

    try:
        # An answer that is not packed cannot unpack to more than was sent.
        given = {**headers, "Accept-Encoding": "identity"}
        with wire.client() as client, client.stream("POST", url, headers=given, content=body) as response:
            return Told(response.status_code, _begin(response))
    except AddressRefused:
        return Told(None, code="address")
    except httpx.TimeoutException:
        return Told(None, code="timeout")
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return Told(None, code=trouble_of(error))


def _begin(response: "httpx.Response") -> str:
    """The first letters; what cannot be read any more takes nothing from the status."""
    import httpx

    began, found = monotonic(), b""
    try:
        for chunk in response.iter_raw():
            found += chunk
            if len(found) >= MOST_ANSWER or monotonic() - began > MOST_SECONDS:
                break
    except httpx.HTTPError:
        pass
    return found[:MOST_ANSWER].decode("utf-8", "replace")
