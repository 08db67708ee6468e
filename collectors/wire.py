"""The one place that makes network clients: time-outs, body caps, no silent retries, the address guard."""

import ipaddress
import logging
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

# httpx logs whole addresses at INFO, and some platforms carry their token in the address.
logging.getLogger("httpx").setLevel(logging.WARNING)

READ_SECONDS, CONNECT_SECONDS = 20.0, 10.0
BODY_CAP = 16 * 1024 * 1024
LARGEST_LOOK = 65536


class AddressRefused(OSError):
    """The address guard does not let the desk connect there; the message names host and port only."""


def is_public(address: str) -> bool:
    """True when ``address`` is an ordinary address of the Internet.

    ``is_private`` alone lets 100.64/10, NAT64, 6to4, mapped and multicast addresses through (reliability §0.11).
    """
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or _embedded(ip)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _embedded(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address inside NAT64 (64:ff9b::/96) and the obsolete IPv4-compatible (::/96) forms."""
    for net in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96"):
        if ip in ipaddress.ip_network(net):
            return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return None


@dataclass(frozen=True)
class Guard:
    """Which addresses the desk may connect to.

    ``allow_private``: «host:port» pairs that may be private although the rest may not.
    ``only``: when not empty, nothing but these pairs may be reached at all (the training desk).
    """

    allow_private: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()

    def resolve(self, host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[Any, ...]]]:
        """Resolves and checks; raises AddressRefused. Connect to what it returns, never to the name again."""
        pair = f"{host.strip('[]').lower()}:{port}"
        if self.only and pair not in self.only:
            raise AddressRefused(f"{pair}: this desk may connect to its own sandbox only")
        infos = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
        if pair not in self.allow_private and pair not in self.only:
            for info in infos:
                if not is_public(str(info[4][0])):
                    raise AddressRefused(f"{pair}: a private address; list it under allow_private")
        return [(info[0], info[4]) for info in infos]

    def connect(self, host: str, port: int, timeout: float | None) -> socket.socket:
        """A checked socket.create_connection, for libraries that take a ready socket."""
        failure: OSError | None = None
        for family, address in self.resolve(host, port):
            sock = socket.socket(family, socket.SOCK_STREAM)
            sock.settimeout(timeout)
            try:
                sock.connect(address)
            except OSError as error:
                sock.close()
                failure = error
            else:
                return sock
        raise failure or OSError(f"{host}:{port} has no address")


@dataclass(frozen=True)
class Wire:
    """Makes httpx clients that never follow a redirect, never retry, and obey the guard."""

    guard: Guard = Guard()
    proxy: str | None = None
    read_timeout: float = READ_SECONDS

    def timeout(self, wait: float = 0) -> "httpx.Timeout":
        """How long an exchange may take; ``wait`` seconds of a long poll are added to reading."""
        import httpx

        return httpx.Timeout(self.read_timeout + wait, connect=CONNECT_SECONDS)

    def client(
        self,
        base_url: str = "",
        *,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        cap: int = BODY_CAP,
    ) -> "httpx.Client":
        """An httpx.Client for one platform; ``base_url`` ends with a slash, paths are relative to it."""
        # The libraries of the network take a tenth of a second that the first page need not wait for.
        import httpx

        from collectors.transport import GuardedTransport

        return httpx.Client(
            base_url=base_url,
            headers={"User-Agent": "Otklik/0.1", **(headers or {})},
            auth=auth,
            timeout=self.timeout(),
            transport=GuardedTransport(self.guard, cap, self.proxy),
            follow_redirects=False,
            trust_env=False,
        )


def look_outside(url: str, seconds: float = 10) -> tuple[int, bytes, str, str]:
    """(status, body, where it redirects, trouble): asks an address that the operator wrote as a stranger would,
    following nothing. Trouble: dns · refused · tls · timeout · network, empty when something answered."""
    import httpx

    try:
        answer = httpx.get(url, timeout=seconds, follow_redirects=False, trust_env=False)
        return answer.status_code, answer.content[:LARGEST_LOOK], answer.headers.get("Location", ""), ""
    except httpx.TimeoutException:
        return 0, b"", "", "timeout"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return 0, b"", "", trouble_of(error)


def trouble_of(error: BaseException | None) -> str:
    """The innermost reason that has a name of its own."""
    import ssl

    names = ((ssl.SSLError, "tls"), (socket.gaierror, "dns"), (ConnectionRefusedError, "refused"))
    while error is not None:
        for kind, name in names:
            if isinstance(error, kind) or (name == "tls" and "CERTIFICATE_VERIFY" in str(error)):
                return name
        if "refused" in str(error).lower():
            return "refused"
        error = error.__cause__ or error.__context__
    return "network"
