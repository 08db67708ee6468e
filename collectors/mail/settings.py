"""What one watched mailbox needs; the form on «Площадки» is drawn from it."""

import re
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from collectors.base import ChannelSettings

Security = Literal["tls", "starttls", "none"]
Port = Annotated[int, Field(ge=1, le=65535)]


def _one_line(value: str) -> str:
    """A line break inside a setting would become a second command to the mail server."""
    if re.search(r"[\x00-\x1f\x7f]", value):
        raise ValueError("no line breaks or control characters here")
    return value


def _one_secret_line(value: SecretStr | None) -> SecretStr | None:
    """A form sends an empty field for a secret that was not given."""
    if value is None or not _one_line(value.get_secret_value()):
        return None
    return value


Line = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_one_line)]
Address = Annotated[Line, StringConstraints(pattern=r"^[^@\s<>(),;:\\\"]+@[^@\s<>(),;:\\\"]+$", max_length=254)]
Secret = Annotated[SecretStr | None, AfterValidator(_one_secret_line)]


class SenderSettings(ChannelSettings):
    """What it takes to send letters from an address of ours; one of ``password`` and ``access_token`` is needed."""

    address: Address = Field(
        title="Our address",
        description="The address clients write to; answers are sent from it.",
    )
    from_name: Line = Field(
        default="",
        title="Name of the sender",
        description="Stands beside the address in the letters the desk sends, for example the name of the school.",
    )
    username: Line = Field(
        default="",
        title="Login",
        description="Login of the mailbox. Leave empty when it is the address itself.",
    )
    password: Secret = Field(
        default=None,
        title="App password",
        description=(
            "Not the password of the account. Yandex: Yandex ID, Security, App passwords, Mail. "
            "Mail.ru: Password and security, Passwords for external applications. "
            "Google: Google account, Security, App passwords (two-step sign-in must be on)."
        ),
    )
    access_token: Secret = Field(
        default=None,
        title="OAuth access token",
        description="Used instead of the password (XOAUTH2) where the provider demands it, as Microsoft 365 does.",
    )
    smtp_host: Line = Field(
        min_length=1,
        title="SMTP server",
        description="smtp.yandex.ru, smtp.mail.ru, smtp.gmail.com, smtp.office365.com or your own server.",
    )
    smtp_port: Port = Field(default=465, title="SMTP port", description="465 for TLS, 587 for STARTTLS.")
    smtp_security: Security = Field(
        default="tls",
        title="SMTP encryption",
        description="TLS from the first byte, STARTTLS, or none (only for a server listed under allow_private).",
    )
    message_id_domain: Annotated[Line, StringConstraints(to_lower=True, pattern=r"^[a-z0-9.-]*$")] = Field(
        default="",
        title="Domain of letter ids",
        description="Right part of the Message-ID of our letters. Empty: the domain of our address.",
    )

    @model_validator(mode="after")
    def _has_a_key(self) -> Self:
        if self.password is None and self.access_token is None:
            raise ValueError("an app password or an access token is needed")
        return self

    @property
    def login(self) -> str:
        return self.username or self.address

    @property
    def id_domain(self) -> str:
        """ASCII domain for our Message-IDs; an address in .рф gives its punycode."""
        return self.message_id_domain or self.address.rpartition("@")[2].lower().encode("idna").decode()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never stand in an error message."""
        return tuple(secret.get_secret_value() for secret in (self.password, self.access_token) if secret)


class Settings(SenderSettings):
    """IMAP and SMTP of one mailbox."""

    imap_host: Line = Field(
        min_length=1,
        title="IMAP server",
        description="imap.yandex.ru, imap.mail.ru, imap.gmail.com, outlook.office365.com or your own server.",
    )
    imap_port: Port = Field(default=993, title="IMAP port", description="993 for TLS, 143 for STARTTLS.")
    imap_security: Security = Field(
        default="tls",
        title="IMAP encryption",
        description="TLS from the first byte, STARTTLS, or none (only for a server listed under allow_private).",
    )
    folder: Line = Field(
        default="INBOX",
        min_length=1,
        title="Folder",
        description="The folder or label the desk reads. A folder of its own keeps private letters out.",
    )
    since: date | None = Field(
        default=None,
        title="Read from",
        description="Letters that came before this day are never read. Empty: everything in the folder.",
    )
    sent_folder: Line | None = Field(
        default=None,
        title="Folder of sent letters",
        description="Where a copy of each answer is put. Empty: the folder that the server marks as Sent.",
    )
    own_addresses: list[Address] = Field(
        default_factory=list,
        title="Our other addresses",
        description="Letters from these addresses are shown as ours, not as a client's.",
    )
    signature: str = Field(
        default="",
        title="Signature",
        description="Added below each answer after a line with two dashes.",
    )

    @property
    def ours(self) -> frozenset[str]:
        """Lower-case addresses whose letters are ours."""
        return frozenset(address.lower() for address in (self.address, *self.own_addresses))
