"""What lies under every network client: connections to checked addresses only, answers no larger than agreed."""

import ssl
import time
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import httpcore
import httpx

from collectors.wire import AddressRefused, Guard

REST_SECONDS = 40.0
"""How much longer than its longest single wait an answer may take: with the ordinary 20 s a minute (F22)."""


class _TimedStream(httpcore.NetworkStream):
    """A connection on which an answer that comes drop by drop has an end, though no single wait is long."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner
        self._until: float | None = None

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        now = time.monotonic()
        if timeout is None:
            return self._inner.read(max_bytes, timeout)
        if self._until is None:
            self._until = now + timeout + REST_SECONDS
        if now >= self._until:
            raise httpcore.ReadTimeout("the whole answer takes too long")
        return self._inner.read(max_bytes, min(timeout, self._until - now))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._until = None  # another question, another answer
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _TimedStream(self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _TimedBackend(httpcore.SyncBackend):
    """Connects to a proxy, which resolves and connects for us."""

    def connect_tcp(self, *given: Any, **named: Any) -> httpcore.NetworkStream:
        return _TimedStream(super().connect_tcp(*given, **named))


class _GuardedBackend(httpcore.SyncBackend):
    """Connects only to what the guard resolved, so a second answer of the name server changes nothing."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            addresses = self._guard.resolve(host, port)
        except AddressRefused:
            raise
        except (OSError, UnicodeError) as error:  # a label that no name may have
            raise httpcore.ConnectError(f"{host}: {error}") from error
        failure: Exception | None = None
        for _, address in addresses:
            try:
                found = super().connect_tcp(str(address[0]), port, timeout, local_address, socket_options)
                return _TimedStream(found)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")


class _CappedStream(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream, cap: int) -> None:
        self._stream, self._cap = stream, cap

    def __iter__(self) -> Iterator[bytes]:
        left = self._cap
        for chunk in self._stream:
            left -= len(chunk)
            if left < 0:
                raise httpx.ReadError(f"answer larger than {self._cap} bytes")
            yield chunk

    def close(self) -> None:
        self._stream.close()


@cache
def _certificates() -> ssl.SSLContext:
    """Reading the machine's certificates takes 20 ms: once a process is enough."""
    return httpx.create_ssl_context(trust_env=True)


class GuardedTransport(httpx.HTTPTransport):
    """Never retries; reads no settings of the machine."""

    def __init__(self, guard: Guard, cap: int, proxy: str | None) -> None:
        super().__init__(verify=_certificates(), retries=0, proxy=proxy, trust_env=False)
        self._cap = cap
        if proxy is None:
            # httpx has no door for a network back end, but its pool does (httpcore, «Network Backends»).
            self._pool = httpcore.ConnectionPool(
                ssl_context=_certificates(),
                retries=0,
                network_backend=_GuardedBackend(guard),
            )
        else:
            # httpx makes three kinds of pools for proxies, each of which asks this name for its connections.
            self._pool._network_backend = _TimedBackend()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if isinstance(response.stream, httpx.SyncByteStream):
            response.stream = _CappedStream(response.stream, self._cap)
        return response
