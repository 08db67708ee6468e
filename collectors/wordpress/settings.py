"""What a WordPress source needs to be told; the form on «Площадки» is drawn from it."""

import httpx
from pydantic import Field, SecretStr, field_validator

from collectors.base import ChannelSettings


class Settings(ChannelSettings):
    """A site and the user in whose name the desk reads and answers."""

    base_url: str = Field(
        title="Address of the site",
        description="For example https://example.ru/ or https://example.ru/wp-json/. "
        "The first is enough: the site itself tells where its REST API is.",
    )
    username: str = Field(
        title="User name",
        description="A user of the site with the role of an editor: answers are signed with its name, "
        "and only an editor sees comments that wait for approval.",
    )
    password: SecretStr = Field(
        title="Application password",
        description="In the site's administration: Users, Profile, Application Passwords; "
        "type a name, press Add and copy what is shown. It is not the password for logging in.",
    )
    our_authors: list[int] = Field(
        default_factory=list,
        title="Our authors",
        description="Numbers of other users who answer for the school on the site by hand.",
    )
    site_url: str = Field(
        default="",
        title="Address of the pages",
        description="Only when it is not the address of the site.",
    )

    @field_validator("base_url")
    @classmethod
    def _begin_with_scheme(cls, value: str) -> str:
        value = value.strip()
        value = value if value.startswith(("http://", "https://")) else f"https://{value}"
        try:
            host = httpx.URL(value).host
        except httpx.InvalidURL:
            host = ""
        if not host:
            raise ValueError("an address like https://example.ru/ is needed")
        return value
