"""What a Telegram source needs to be told; the form on «Площадки» is drawn from it."""

from pydantic import Field, SecretStr, field_validator

from collectors.base import ChannelSettings


class Settings(ChannelSettings):
    """A bot, the group it watches, and who in that group is the school itself."""

    token: SecretStr = Field(
        title="Bot token",
        description="Write to @BotFather: /newbot, then copy the token. With /setprivacy choose Disable, "
        "and add the bot to the discussion group of the channel as an administrator.",
    )
    chat_id: int | None = Field(
        default=None,
        title="Discussion group",
        description="Id of the only group to watch, for example -1001234567890. Empty: every group the bot is in. "
        "Private messages to the bot are always taken.",
    )
    our_ids: list[int] = Field(
        default_factory=list,
        title="Our accounts",
        description="Ids of people and channels who answer for the school in the group by hand: "
        "their messages are not taken for questions.",
    )
    webhook_secret: SecretStr | None = Field(
        default=None,
        title="Web hook secret",
        description="1-256 letters, digits, _ and -; the same as secret_token of setWebhook. Empty: no web hook.",
    )
    base_url: str = Field(
        default="https://api.telegram.org/",
        title="Address of the Bot API",
        description="Change it only for a Bot API server of your own.",
    )
    site_url: str = Field(
        default="https://t.me",
        title="Address of the pages",
        description="Links to messages begin with it.",
    )

    @field_validator("base_url")
    @classmethod
    def _end_with_slash(cls, value: str) -> str:
        return value.rstrip("/") + "/"

    @property
    def bot_id(self) -> int:
        """The bot's user id: what stands before the colon of its token (core.telegram.org/bots/api)."""
        head = self.token.get_secret_value().partition(":")[0]
        return int(head) if head.isdecimal() else 0
