"""What a person enters to connect a YouTube channel."""

from pydantic import Field, SecretStr, field_validator

from collectors.base import ChannelSettings


class Settings(ChannelSettings):
    """Either the three OAuth values (read, answer, moderate) or an API key alone (read what is public)."""

    channel_id: str = Field(
        pattern=r"^UC[\w-]+$",
        title="Channel ID",
        description="Open youtube.com/account_advanced under the school's account and copy «Channel ID»: it begins "
        "with UC.",
    )
    video_ids: list[str] = Field(
        default=[],
        title="Only these videos",
        description="Leave empty to watch the whole channel. Otherwise what follows «v=» in each video's address.",
    )
    client_id: str = Field(
        default="",
        title="OAuth client ID",
        description="In console.cloud.google.com enable «YouTube Data API v3», then Credentials → Create "
        "credentials → OAuth client ID → Web application.",
    )
    client_secret: SecretStr | None = Field(
        default=None,
        title="OAuth client secret",
        description="Shown once beside the client ID.",
    )
    refresh_token: SecretStr | None = Field(
        default=None,
        title="Refresh token",
        description="Given by the consent of the channel's owner for the scope youtube.force-ssl with "
        "access_type=offline. While the consent screen is in «Testing» it lives seven days: publish it.",
    )
    api_key: SecretStr | None = Field(
        default=None,
        title="API key",
        description="Enough for reading public comments. Without OAuth nothing can be answered and held comments "
        "stay unseen.",
    )
    daily_units: int = Field(
        default=10_000,
        ge=100,
        title="Units a day",
        description="The project's quota in console.cloud.google.com → YouTube Data API v3 → Quotas.",
    )
    reserve_units: int = Field(
        default=2_000,
        ge=0,
        title="Units kept for answers",
        description="Reading never touches them: an answer costs 50 units, so 2,000 are forty answers a day.",
    )
    live_chat: bool = Field(
        default=True,
        title="Read the chat of broadcasts",
        description="Needs OAuth. The chat is read as often as the day's units bear until the planned end; what "
        "was not read while it ran cannot be read afterwards.",
    )
    base_url: str = Field(default="https://youtube.googleapis.com/", title="API address")
    token_url: str = Field(default="https://oauth2.googleapis.com/token", title="Token address")
    site_url: str = Field(
        default="https://www.youtube.com", title="Site address", description="Links to comments begin with it."
    )

    @field_validator("base_url")
    @classmethod
    def _with_slash(cls, value: str) -> str:
        return value.rstrip("/") + "/"

    @field_validator("site_url")
    @classmethod
    def _without_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @property
    def authorised(self) -> bool:
        """True when the desk can act in the name of the channel."""
        return bool(self.client_id and self.client_secret and self.refresh_token)

    def secrets(self) -> list[str]:
        """What must never stand in an error message."""
        held = (self.client_secret, self.refresh_token, self.api_key)
        return [secret.get_secret_value() for secret in held if secret]
