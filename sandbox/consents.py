"""Pages of consent on loopback: Google's and VK ID's, as strict with addresses, codes and PKCE as the real ones."""

import base64
import hashlib
import json
import secrets
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, abort, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from sandbox import keys
from sandbox.ground import store

wire = Blueprint("consents", __name__)

CODE_LIVES = 600
SCOPE = "https://www.googleapis.com/auth/youtube.force-ssl"
TESTING = 7 * 24 * 3600
"""Seconds that a consent lives while Google's application is in testing; the sandbox's always is."""
WHO = {"youtube": ("Google", "YouTube"), "vk": ("VK ID", "ВКонтакте")}
CLIENTS = {"youtube": keys.YOUTUBE_CLIENT_ID, "vk": keys.VK_APP}
NEEDED = {
    "youtube": ("client_id", "redirect_uri", "response_type", "scope", "state"),
    "vk": ("client_id", "redirect_uri", "response_type", "state", "code_challenge", "code_challenge_method"),
}


@wire.get("/youtube/consent", defaults={"platform": "youtube"})
@wire.get("/vkid/authorize", defaults={"platform": "vk"})
def ask(platform: str) -> Response:
    """What a person sees who is asked whether the desk may act in the school's name."""
    asked = request.args.to_dict()
    wrong = [name for name in NEEDED[platform] if not asked.get(name)]
    if asked.get("client_id") != CLIENTS[platform]:
        wrong.append("client_id")
    if asked.get("response_type") != "code" or urlsplit(asked.get("redirect_uri", "")).scheme not in (
        "http",
        "https",
    ):
        wrong.append("redirect_uri")
    if wrong:
        return Response(f"400: неверный запрос ({', '.join(sorted(set(wrong)))})\n", 400, mimetype="text/plain")
    company, product = WHO[platform]
    answer = make_response(
        render_template(
            "consent.html", company=company, product=product, school=keys.SCHOOL, scopes=asked["scope"].split(),
            yes=f"{url_for('consents.answer', platform=platform, given='yes')}?{urlencode(asked)}",
            no=f"{url_for('consents.answer', platform=platform, given='no')}?{urlencode(asked)}",
        )
    )  # fmt: skip
    answer.headers["Cache-Control"] = "no-store"
    return answer


@wire.get("/_consent/<platform>/<given>")
def answer(platform: str, given: str) -> AnyResponse:
    """Back to whoever asked, with a code that counts once."""
    if platform not in CLIENTS:
        abort(404)
    asked = request.args.to_dict()
    back: dict[str, str] = {"state": asked.get("state", "")}
    if given == "yes":
        code = secrets.token_urlsafe(24)
        with store().writing():
            store().set_meta(f"code:{code}", json.dumps({**asked, "platform": platform, "at": time.time()}))
        back["code"] = code
        if platform == "vk":
            back |= {"device_id": "sandbox-device", "type": "code_v2", "expires_in": str(CODE_LIVES)}
    else:
        back["error"] = "access_denied"
    return redirect(f"{asked['redirect_uri']}?{urlencode(back)}")


def spend_code(platform: str, form: Any) -> dict[str, Any] | None:
    """What a code was given for; None for one that is unknown, old, spent, or asked for by somebody else."""
    name = f"code:{form.get('code', '')}"
    kept = store().meta(name)
    if not kept:
        return None
    with store().writing():
        store().set_meta(name, "")
    asked: dict[str, Any] = json.loads(kept)
    good = asked["platform"] == platform and time.time() - asked["at"] < CODE_LIVES
    good = good and asked["redirect_uri"] == form.get("redirect_uri")
    proof = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
    if asked.get("code_challenge"):
        good = good and proof.rstrip(b"=").decode() == asked["code_challenge"]
    return asked if good else None


@wire.post("/vkid/oauth2/auth")
def vk_token() -> tuple[Response, int] | Response:
    """VK ID's door of tokens: a code once, then a refresh token that changes with every use."""
    form = request.form
    if form.get("client_id") != keys.VK_APP or form.get("device_id") != "sandbox-device" or not form.get("state"):
        return jsonify(error="invalid_request", error_description="client_id, device_id or state is wrong"), 400
    if form.get("grant_type") == "authorization_code":
        given = spend_code("vk", form) is not None
    else:
        given = bool(form.get("refresh_token")) and form.get("refresh_token") == store().meta("vk:refresh")
    if not given:
        return jsonify(error="invalid_grant", error_description="code or refresh_token is invalid or expired"), 400
    fresh = f"sandbox-vk-refresh-{secrets.token_urlsafe(12)}"
    with store().writing():
        store().set_meta("vk:refresh", fresh)
    return jsonify(
        access_token=keys.VK_USER_TOKEN, refresh_token=fresh, token_type="Bearer",  # noqa: S106
        expires_in=3600, user_id=int(keys.VK_ADMIN_ID), state=form["state"], scope="wall video photos groups",
    )  # fmt: skip
