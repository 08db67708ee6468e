"""The fixed, obviously invented names and tokens of the sandbox school, as data for the training desk and tests."""

from typing import Any

SCHOOL = "Лингва-Парк"
SCREEN_NAME = "lingva_park_sandbox"

YOUTUBE_CHANNEL = "UCLingvaParkSandbox00000"
YOUTUBE_UPLOADS = "UULingvaParkSandbox00000"
YOUTUBE_CLIENT_ID = "sandbox-client"
YOUTUBE_CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105
YOUTUBE_REFRESH_TOKEN = "sandbox-refresh"  # noqa: S105
YOUTUBE_API_KEY = "sandbox-key"

VK_GROUP = 990000001
VK_APP = "51990001"
VK_ADMIN_ID = "990000002"
VK_USER_TOKEN = "sandbox-vk-user"  # noqa: S105
VK_COMMUNITY_TOKEN = "sandbox-vk-community"  # noqa: S105
VK_SERVICE_TOKEN = "sandbox-vk-service"  # noqa: S105

TELEGRAM_TOKEN = "100:sandbox"  # noqa: S105
TELEGRAM_BOT = 100
TELEGRAM_BOT_NAME = "lingva_park_sandbox_bot"
TELEGRAM_CHANNEL = -1009900000001
TELEGRAM_GROUP = -1009900000002

BLOG_USER = "desk"
BLOG_PASSWORD = "sandbox app pass"  # noqa: S105
BLOG_USER_ID = "2"
BLOG_READER = "reader"
BLOG_READER_PASSWORD = "sandbox reader pass"  # noqa: S105
BLOG_READER_ID = "7"

MAX_TOKEN = "sandbox-max-token"  # noqa: S105
MAX_BOT = "8990000001"

OK_GROUP = "70990000000001"
OK_ADMIN = "990000000002"
OK_APPLICATION = "SANDBOXAPP"
OK_SECRET = "sandbox-ok-secret"  # noqa: S105
OK_TOKEN = "sandbox-ok-token"  # noqa: S105
OK_BOT_TOKEN = "sandbox-ok-bot"  # noqa: S105

GETCOURSE = "lingva-park.getcourse.example"
GETCOURSE_KEY = "sandbox-getcourse-key"

PHONE = "+79990000000"
PHONE_SECRET = "sandbox-phone-secret"  # noqa: S105
CONSENT = (
    f"Школа «{SCHOOL}» хранит имя, почту и текст письма один год, чтобы ответить на него. Люди и события выдуманы."
)

OURS = {
    "youtube": YOUTUBE_CHANNEL,
    "vk": str(-VK_GROUP),
    "telegram": str(TELEGRAM_BOT),
    "wordpress": BLOG_USER_ID,
    "max": MAX_BOT,
    "ok": OK_GROUP,
    "feed": "school@reviews.example",
    "form": "desk@lingva-park.example",
    "calls": PHONE,
    "getcourse": "desk@lingva-park.example",
}


def sources(base_url: str) -> list[dict[str, Any]]:
    """The sources of the training desk; ``base_url`` is the sandbox's own address, e.g. http://127.0.0.1:8765."""
    root = base_url.rstrip("/")
    return [
        {
            "platform": "youtube",
            "title": f"YouTube «{SCHOOL}»",
            "settings": {
                "base_url": f"{root}/youtube/",
                "token_url": f"{root}/youtube/token",
                "consent_url": f"{root}/youtube/consent",
                "client_id": YOUTUBE_CLIENT_ID,
                "channel_id": YOUTUBE_CHANNEL,
                # The training desk looks every three seconds: a real day's units would last two hours.
                "daily_units": 1_000_000,
                "site_url": root,
            },
            "secrets": {"client_secret": YOUTUBE_CLIENT_SECRET, "refresh_token": YOUTUBE_REFRESH_TOKEN},
        },
        {
            "platform": "vk",
            "title": f"ВКонтакте «{SCHOOL}»",
            "settings": {
                "base_url": f"{root}/vk/",
                "consent_url": f"{root}/vkid",
                "app_id": VK_APP,
                "group_id": VK_GROUP,
                "site_url": root,
            },
            "secrets": {"user_token": VK_USER_TOKEN, "community_token": VK_COMMUNITY_TOKEN},
        },
        {
            "platform": "telegram",
            "title": f"Telegram «{SCHOOL}»",
            "settings": {"base_url": f"{root}/telegram/", "chat_id": TELEGRAM_GROUP, "site_url": root},
            "secrets": {"token": TELEGRAM_TOKEN},
            "bot": TELEGRAM_BOT_NAME,
        },
        {
            "platform": "wordpress",
            "title": f"Блог «{SCHOOL}»",
            "settings": {
                "base_url": f"{root}/blog/wp-json/",
                "username": BLOG_USER,
                "site_url": f"{root}/blog/",
            },
            "secrets": {"password": BLOG_PASSWORD},
        },
        *_others(root),
    ]


def _others(root: str) -> list[dict[str, Any]]:
    """Messengers, the feed, and what calls the desk by itself."""
    return [
        {
            "platform": "max",
            "title": f"MAX «{SCHOOL}»",
            "settings": {"base_url": f"{root}/max/", "site_url": f"{root}/m"},
            "secrets": {"token": MAX_TOKEN},
            "bot": TELEGRAM_BOT_NAME,
        },
        {
            "platform": "ok",
            "title": f"Одноклассники «{SCHOOL}»",
            "settings": {
                "base_url": f"{root}/ok/",
                "group_id": OK_GROUP,
                "application_key": OK_APPLICATION,
                "site_url": root,
            },
            "secrets": {"application_secret": OK_SECRET, "access_token": OK_TOKEN, "bot_token": OK_BOT_TOKEN},
        },
        {
            "platform": "feed",
            "title": f"Отзывы о «{SCHOOL}»",
            "settings": {"urls": [f"{root}/reviews/feed.xml"], "own_names": [SCHOOL]},
            "secrets": {},
        },
        {
            "platform": "form",
            "title": "Форма на сайте",
            "settings": {"heading": "Напишите школе", "consent": CONSENT},
            "secrets": {},
        },
        {
            "platform": "calls",
            "title": "Телефон школы",
            "settings": {"line": PHONE},
            "secrets": {"secret": PHONE_SECRET},
        },
        {
            "platform": "getcourse",
            "title": f"GetCourse «{SCHOOL}»",
            "settings": {
                "account": GETCOURSE,
                "base_url": f"{root}/getcourse",
                "own_addresses": [OURS["getcourse"]],
                "since": "2026-11-01",
                "offer_version": "учебная, от 01.09.2026",
                "offer_hash": "5f" * 32,
            },
            "secrets": {"secret_key": GETCOURSE_KEY},
        },
    ]
