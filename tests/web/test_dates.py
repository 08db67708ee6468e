"""Times that people type are those of the desk's zone, to the minute."""

from datetime import UTC, datetime

from flask import Flask

from web.dates import typed_time, when


def test_a_typed_time_is_the_time_that_is_shown(app: Flask) -> None:
    with app.test_request_context("/"):
        at = typed_time("2026-12-02T19:00")
        assert at == datetime(2026, 12, 2, 16, 0, tzinfo=UTC)
        assert "19:00" in when(at)
        assert typed_time("полдень") is None
