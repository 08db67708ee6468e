"""What a GetCourse account needs; the form on «Площадки» is drawn from it."""

from datetime import date
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from collectors.base import ChannelSettings


class Settings(ChannelSettings):
    """The account's address; a key of the export API where the tariff has one."""

    account: str = Field(
        min_length=3,
        max_length=200,
        title="Address of the school",
        description="As it stands in the browser: school.getcourse.ru, or your own domain.",
    )
    senders: list[str] = Field(
        default=["getcourse.ru"],
        title="Who sends the notifications",
        description="One address or domain a line, as in the letters of GetCourse. "
        "Letters of others are never taken for notifications.",
    )
    own_addresses: list[str] = Field(
        default_factory=list,
        title="Our people in GetCourse",
        description="Mail addresses of curators and administrators, one a line: what they write there is ours.",
    )
    secret_key: SecretStr | None = Field(
        default=None,
        title="Key of the API",
        description="Paid tariffs: Profile → Account settings → API. A key that may only read is enough. "
        "Without it messages come all the same; people, orders and payments do not.",
    )
    since: date | None = Field(
        default=None,
        title="People and orders from",
        description="Only what was made in GetCourse since this day is fetched. Empty: since the place was added.",
    )
    offer_version: str = Field(
        default="",
        max_length=60,
        title="Version of the offer",
        description="Which edition of the public offer a buyer accepts by paying. "
        "Empty: a paid order makes no contract by itself.",
    )
    offer_hash: str = Field(
        default="",
        pattern=r"^([0-9a-fA-F]{64})?$",
        title="SHA-256 of the offer",
        description="Of the file of the offer: it proves later which text was accepted.",
    )
    offer_url: str = Field(default="", max_length=500, title="Address of the offer")
    base_url: str = Field(
        default="",
        max_length=300,
        title="API address",
        description="Empty: https:// and the address of the school.",
    )

    @field_validator("account")
    @classmethod
    def _host(cls, value: str) -> str:
        """Pasted as a whole link, it is the name that counts."""
        text = value.strip().lower()
        host = urlsplit(text if "//" in text else f"//{text}").netloc
        if not host or "@" in host or "." not in host.partition(":")[0]:
            raise ValueError("an address like https://example.ru/ is needed")
        return host

    @field_validator("senders", "own_addresses")
    @classmethod
    def _plain(cls, value: list[str]) -> list[str]:
        return [one.strip().lower().removeprefix("@") for one in value if one.strip()]

    @property
    def site(self) -> str:
        """Where links begin."""
        return (self.base_url or f"https://{self.account}").rstrip("/")

    def is_sender(self, address: str) -> bool:
        """Whether a letter from ``address`` may be a notification; a domain covers what stands below it."""
        whole = address.strip().lower()
        domain = whole.rpartition("@")[2]
        allowed = [*self.senders, self.account.partition(":")[0]]
        return any(whole == one or domain == one or domain.endswith(f".{one}") for one in allowed)
