"""What lies under every network client: connections to checked addresses only, answers no larger than agreed."""

import ssl
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import httpcore
import httpx

from collectors.wire import AddressRefused, Guard


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
                return super().connect_tcp(str(address[0]), port, timeout, local_address, socket_options)
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

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if isinstance(response.stream, httpx.SyncByteStream):
            response.stream = _CappedStream(response.stream, self._cap)
        return response
