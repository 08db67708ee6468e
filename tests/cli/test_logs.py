"""Logs: no key of any platform gets through, whichever way it comes in."""

import json
import logging

import pytest

from cli.logs import hide_secrets, set_up_logs, without_secrets
from config import Config, LogConfig

CANARIES = (
    "https://api.telegram.org/bot123456789:AAF-canary_canary_canary-12345/getUpdates",
    "https://api.vk.com/method/wall.get?access_token=vk1.a.canarycanarycanary&v=5.199",
    "postgresql://otklik:canary@db/otklik is not reachable",
    "https://oauth2.googleapis.com/token?refresh_token=canary12&client_secret=canary34",
    'Authorization: Bearer canary.canary.canary',
    "{'password': 'canary-one', 'login': 'desk'}",
    '{"api_key": "canary-two"}',
    "https://www.googleapis.com/youtube/v3/videos?key=AIzaCanaryCanaryCanary",
    "https://api.ok.ru/fb.do?application_key=CANARYKEY&sig=canarycanary",
    "https://desk.example/hooks?code=canarycode&secret=canarysecret",
)  # fmt: skip


@pytest.mark.parametrize("text", CANARIES)
def test_a_secret_is_blotted_out(text) -> None:
    assert "canary" not in without_secrets(text).lower()


def test_plain_words_stay() -> None:
    text = (
        "places.read source=17 error=timeout after 20 s: https://blog.example/wp-json/wp/v2/comments?per_page=100"
    )
    assert without_secrets(text) == text


def test_every_way_into_the_log(capsys) -> None:
    import structlog

    set_up_logs(Config(log=LogConfig(format="json")))
    try:
        log = structlog.get_logger()
        log.info("x", token="canary", url=CANARIES[0], password="canary")
        try:
            raise RuntimeError(CANARIES[1])
        except RuntimeError:
            log.exception("job.failed", job="collect")
            logging.getLogger("some.library").exception("failed %s", CANARIES[3])
        written = capsys.readouterr().err
        assert "canary" not in written.lower()
        assert json.loads(written.splitlines()[0])["event"] == "x"
        assert "RuntimeError" in written
    finally:
        structlog.reset_defaults()
        logging.getLogger().handlers.clear()


def test_a_field_is_hidden_by_its_name() -> None:
    assert hide_secrets(None, "info", {"session_cookie": "a", "case": 1}) == {"session_cookie": "•••", "case": 1}
