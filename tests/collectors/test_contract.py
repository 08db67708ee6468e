"""One contract over every channel: file ↔ registry ↔ capabilities ↔ methods ↔ settings ↔ docs."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from collectors import CHANNELS, channel_class
from collectors.base import ActKind, Channel, ChannelSettings
from services.sources import secret_fields, split_secrets

ROOT = Path(__file__).parents[2]
SAMPLES = {int: 1, list[str]: ["x"]}
SHARED = {
    "__init__", "airing", "asked", "base", "errors", "files", "transport", "wire", "html", "oauth", "sign_on",
    "webhook",
}  # fmt: skip


def test_every_file_is_registered() -> None:
    files = {
        path.stem
        for path in (ROOT / "collectors").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert files - SHARED == set(CHANNELS)


@pytest.mark.parametrize("kind", sorted(CHANNELS))
class TestChannel:
    def test_class(self, kind) -> None:
        channel = channel_class(kind)
        assert issubclass(channel, Channel)
        assert channel.kind == kind
        assert channel.title
        assert issubclass(channel.Settings, ChannelSettings)

    def test_methods_stand_behind_the_capabilities(self, kind) -> None:
        channel, can = channel_class(kind), channel_class(kind).can
        own = {
            name for name in ("act", "lookup", "listen", "receive", "airings", "chat", "start_address", "fetch")
            if getattr(getattr(channel, name), "__func__", getattr(channel, name))
            is not getattr(getattr(Channel, name), "__func__", getattr(Channel, name))
        }  # fmt: skip
        assert ("act" in own) == bool(can.acts)
        assert ("listen" in own) == can.listen
        assert ("receive" in own) == can.receive
        assert ({"airings", "chat"} <= own) == can.chat
        assert ({"start_address", "fetch"} <= own) == can.bot == bool({"start_address", "fetch"} & own)
        if can.list_own or can.send_token:
            assert "lookup" in own
        if ActKind.REPLY in can.acts:
            assert can.max_length > 0
            assert can.count in ("characters", "utf16", "bytes")

    def test_unknown_settings_are_refused_and_secrets_are_never_shown(self, kind) -> None:
        channel = channel_class(kind)
        with pytest.raises(ValidationError):
            channel.Settings(nonsense=1)
        secrets = secret_fields(kind)
        required = {
            name: SecretStr("s3cret") if name in secrets else SAMPLES.get(field.annotation, "x")
            for name, field in channel.Settings.model_fields.items()
            if field.is_required()
        }
        for name in secrets:
            required.setdefault(name, "s3cret")
        settings = channel.Settings.model_construct(
            **{k: SecretStr("s3cret") if k in secrets else v for k, v in required.items()}
        )
        plain, sealed = split_secrets(kind, settings)
        assert "s3cret" not in repr(settings)
        assert "s3cret" not in str(plain)
        assert set(sealed) == set(secrets)

    def test_every_setting_has_words_and_the_page_names_it(self, kind) -> None:
        page = (ROOT / "docs" / "channels" / f"{kind}.md").read_text(encoding="utf-8")
        for name, field in channel_class(kind).Settings.model_fields.items():
            assert field.title, f"{kind}.{name} has no title"
            assert f"`{name}`" in page, f"docs/channels/{kind}.md does not name {name}"
