"""Platforms, in and out: the registry of channels, each imported on first use."""

from importlib import import_module

from collectors.base import Channel

CHANNELS: dict[str, str] = {
    "youtube": "YouTube",
    "vk": "Vk",
    "telegram": "Telegram",
    "wordpress": "WordPress",
    "isso": "Isso",
    "feed": "Feed",
    "max": "Max",
    "ok": "Ok",
    "form": "Form",
    "calls": "Calls",
    "room": "Room",
    "mail": "Mail",
    "getcourse": "GetCourse",
    "manual": "Manual",
}
"""kind → name of the Channel class in the module ``collectors.<kind>``."""


def channel_class(kind: str) -> type[Channel]:
    """The class for ``kind``; raises KeyError for a kind that no file here has."""
    return getattr(import_module(f"collectors.{kind}"), CHANNELS[kind])  # type: ignore[no-any-return]
