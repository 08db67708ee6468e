"""The cookie that stands for a device: its name, how it is set, and how it goes away."""

from flask import request
from werkzeug.wrappers import Response

from bootstrap import Desk
from services.entrance import IDLE


def cookie_name(desk: Desk) -> str:
    """With https the browser itself keeps it to this host and to the whole of it (RFC 6265bis §4.1.3.2)."""
    return f"{'__Host-' if _is_secure(desk) else ''}otklik_{desk.mode}_device"


def _is_secure(desk: Desk) -> bool:
    return (desk.config.web.public_url or "").startswith("https://")


def read_cookie(desk: Desk) -> str:
    return request.cookies.get(cookie_name(desk), "")


def set_cookie(response: Response, desk: Desk, token: str) -> None:
    """Lax, since the way in begins with a link in a letter."""
    response.set_cookie(
        cookie_name(desk), token, max_age=int(IDLE.total_seconds()), path="/", httponly=True, samesite="Lax",
        secure=_is_secure(desk),
    )  # fmt: skip


def drop_cookie(response: Response, desk: Desk) -> None:
    response.delete_cookie(
        cookie_name(desk), path="/", httponly=True, samesite="Lax", secure=_is_secure(desk)
    )  # fmt: skip
