"""Puts the platforms, the page and the control addresses of the sandbox into one Flask application."""

from flask import Flask, Response, request

from sandbox import (
    consents,
    files,
    getcourse,
    ok,
    pages,
    reviews,
    telegram,
    truth,
    vk,
    vk_uploads,
    wordpress,
    youtube,
)
from sandbox import max as max_messenger
from sandbox.store import Store

# A name resolved to loopback by a foreign site (DNS rebinding) would otherwise reach the sandbox from a browser.
LOOPBACK_NAMES = {"127.0.0.1", "localhost", "[::1]"}


def create_app(store: Store, rate_limits: bool = True) -> Flask:
    app = Flask("sandbox", root_path=__file__.rpartition("/")[0])
    app.config["RATE_LIMITS"] = rate_limits
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["store"] = store
    wires = (
        youtube.wire,
        vk.wire,
        vk_uploads.wire,
        telegram.wire,
        wordpress.wire,
        max_messenger.wire,
        ok.wire,
        reviews.wire,
        getcourse.wire,
        consents.wire,
        files.wire,
    )
    for blueprint in (*wires, truth.control, pages.site):
        app.register_blueprint(blueprint)

    @app.before_request
    def only_loopback() -> Response | None:
        name = request.host.rpartition(":")[0] if request.host.rpartition(":")[2].isdigit() else request.host
        if name in LOOPBACK_NAMES or name.startswith("127."):
            return None
        return Response("The sandbox answers on loopback only.\n", 403, mimetype="text/plain")

    return app
