"""What a person enters to connect a VK community."""

from pydantic import Field, SecretStr, field_validator

from collectors.base import ChannelSettings


class Settings(ChannelSettings):
    """Which tokens are there decides what can be done: a community's own token reads no comments at all."""

    group_id: int = Field(
        gt=0,
        title="Community number",
        description="The digits after «club» or «public» in the community's address; Management → Settings shows "
        "them too. Without a minus.",
    )
    app_id: str = Field(
        default="",
        pattern=r"^\d{0,20}$",
        title="Application number",
        description="For «Connect»: at id.vk.com/business make an application of the kind Web, enter this desk's "
        "address of return there, and ask for the rights wall, video, photos, groups. Its number stands on top.",
    )
    user_token: SecretStr | None = Field(
        default=None,
        title="Token of an administrator",
        description="Comes by itself with «Connect». Reads comments under posts, videos and photos, deletes, bans "
        "and likes. Give it the rights "
        "wall, video, photos, groups and offline.",
    )
    community_token: SecretStr | None = Field(
        default=None,
        title="Token of the community",
        description="Community → Management → Work with API → Create key, with «Messages» and «Wall» ticked. Reads "
        "and answers private messages and answers comments under posts.",
    )
    refresh_token: SecretStr | None = Field(
        default=None,
        title="Refresh token of VK ID",
        description="Comes with «Connect»; the desk renews the administrator's token by it.",
    )
    device_id: str = Field(default="", max_length=200, title="Device number of VK ID")
    service_token: SecretStr | None = Field(
        default=None,
        title="Service token of an application",
        description="Optional: reads comments of an open wall when there is no administrator's token. Found in the "
        "application's settings at id.vk.com/business.",
    )
    callback_secret: SecretStr | None = Field(
        default=None,
        title="Secret of the Callback API",
        description="Community → Management → Work with API → Callback API: enter the address of this place as the "
        "server's address, a secret of your own here and there, API version 5.199, and tick the events of comments "
        "and messages. Empty: events are not taken.",
    )
    callback_confirmation: str = Field(
        default="",
        max_length=100,
        title="Confirmation string",
        description="On the same page: «String to be returned by server». It changes when a server is added.",
    )
    long_poll: bool = Field(
        default=False,
        title="Read events by Long Poll",
        description="Community → Management → Work with API → Long Poll API: enabled, with the events of comments "
        "and messages ticked. For a desk that VK cannot reach; needs the community's token.",
    )
    watch_posts: int = Field(
        default=100,
        ge=1,
        le=1000,
        title="Posts watched closely",
        description="So many of the newest posts and videos are checked for new comments every minute; older ones "
        "several times a day.",
    )
    api_version: str = Field(default="5.199", title="API version")
    base_url: str = Field(default="https://api.vk.com/", title="API address")
    consent_url: str = Field(default="https://id.vk.com", title="Consent address")
    site_url: str = Field(default="https://vk.com", title="Site address", description="Links begin with it.")

    @field_validator("base_url")
    @classmethod
    def _with_slash(cls, value: str) -> str:
        return value.rstrip("/") + "/"

    @field_validator("site_url")
    @classmethod
    def _without_slash(cls, value: str) -> str:
        return value.rstrip("/")

    def tokens(self) -> dict[str, str]:
        """Kind of token → token, of those that were given."""
        given = {"user": self.user_token, "community": self.community_token, "service": self.service_token}
        return {kind: token.get_secret_value() for kind, token in given.items() if token}
