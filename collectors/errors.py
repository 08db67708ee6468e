"""What may go wrong on the way to a platform, and what is known of an act that failed."""

from enum import StrEnum

from collectors.wire import AddressRefused


class Sent(StrEnum):
    """What is known of a failed act: certainly not done, or perhaps done."""

    NO = "no"
    UNKNOWN = "unknown"


class ChannelError(Exception):
    """The one way in which a channel fails.

    ``code`` is a word of ``ERROR_CODES``; ``message`` is the platform's own words with secrets taken out.
    ``permanent`` means that the same call will not succeed by waiting; ``retry_after`` is in seconds.
    ``sent`` matters for acts only (reliability R3): UNKNOWN from the first byte written until a parsed answer.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "network",
        permanent: bool = False,
        retry_after: float | None = None,
        sent: Sent = Sent.NO,
    ) -> None:
        if code not in ERROR_CODES:
            raise ValueError(f"unknown channel error code {code!r}")
        super().__init__(message)
        self.message = message
        self.code = code
        self.permanent = permanent
        self.retry_after = retry_after
        self.sent = sent


ERROR_CODES = frozenset(
    {
        "network",  # no connection, time-out, cut answer
        "server",  # 5xx, or an answer that is not the platform's
        "rate",  # too often: wait retry_after
        "quota",  # a day's budget is spent: wait retry_after
        "share",  # what is left of it is kept for single answers: mass ones wait retry_after
        "auth",  # the token or password is not accepted
        "rights",  # known, but not allowed to do this
        "gone",  # the object is not there any more
        "closed",  # the place does not take comments or messages
        "invalid",  # the platform refuses this content
        "captcha",  # the platform asks for a human being
        "conflict",  # another reader or hook holds the same token
        "unsupported",  # the channel cannot do this at all
        "address",  # the address guard refused the address
        "settings",  # a setting is missing or wrong
    }
)


def network_error(error: Exception, *, write: bool) -> ChannelError:
    """ChannelError for a failed exchange; a write is UNKNOWN unless the connection was never made (R3).

    The message names the class of the error only: httpx puts addresses, and so Telegram's token, into its texts.
    """
    import httpx

    refused = isinstance(
        error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.UnsupportedProtocol
    )
    if isinstance(error, AddressRefused):
        return ChannelError(str(error), code="address", permanent=True)
    sent = Sent.UNKNOWN if write and not refused else Sent.NO
    return ChannelError(type(error).__name__, code="network", sent=sent)
