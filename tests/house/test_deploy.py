"""The files of docs/deploy name commands, keys and ports that there are."""

import re
from pathlib import Path

import yaml

from config import Config

DEPLOY = Path(__file__).parents[2] / "docs" / "deploy"


def commands() -> set[str]:
    from cli import app

    return {command.name or command.callback.__name__ for command in app.registered_commands}


def test_units_and_page_start_commands_that_there_are() -> None:
    said = set()
    for path in DEPLOY.iterdir():
        said |= set(re.findall(r"run\.py ([a-z][a-z-]+)", path.read_text(encoding="utf-8")))
    assert {"work", "web", "scheduler", "worker", "check", "restore", "migrate-to-postgres"} <= said
    assert said <= commands()


def test_compose_starts_doors_with_settings_that_there_are() -> None:
    made = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    doors = {name: one for name, one in made["services"].items() if "build" in one}
    assert {one["command"] for one in doors.values()} == {"web", "scheduler", "worker"} <= commands()
    for one in doors.values():
        for name in one["environment"]:
            section, _, key = name.removeprefix("OTKLIK_").lower().partition("__")
            assert name == "DATABASE_URL" or key in type(getattr(Config(), section)).model_fields


def test_proxies_lead_to_the_port_of_the_desk() -> None:
    port = Config.model_fields["web"].default.port
    for name in ("Caddyfile", "nginx.conf"):
        assert f"127.0.0.1:{port}" in (DEPLOY / name).read_text(encoding="utf-8")


def test_every_file_stands_on_the_page() -> None:
    page = (DEPLOY / "README.md").read_text(encoding="utf-8")
    page = page.replace("otklik-{web,scheduler}.service", "otklik-web.service otklik-scheduler.service")
    assert [path.name for path in DEPLOY.iterdir() if path.name not in page and path.name != "README.md"] == []
