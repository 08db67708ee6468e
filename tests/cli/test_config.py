"""What is wrong with config.yaml or the environment is said in words, with exit code 2 and no traceback."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(
    tmp_path: Path, *words: str, config: str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    given = {
        **os.environ,
        "OTKLIK_VAR": str(tmp_path / "var"),
        "XDG_CONFIG_HOME": str(tmp_path / "home"),
        **environment,
    }
    if config is not None:
        path = tmp_path / "config.yaml"
        path.write_text(config, encoding="utf-8")
        given["OTKLIK_CONFIG"] = str(path)
    return subprocess.run(
        [sys.executable, "-m", "cli", *words], cwd=ROOT, env=given, capture_output=True, text=True, timeout=60
    )


SOURCE = """
sources:
  - {name: blog, platform: wordpress, settings: {base_url: "https://example.org/wp-json/", username: desk},
     secrets: {password: BLOG_PASSWORD}}
"""


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("web: {prot: 1}", "web.prot: there is no such key"),
        ("web: {port: eighty}", "web.port"),
        ("web: [", "cannot be read as YAML"),
        ("web: 5", "web"),
        ("nonsense: 1", "nonsense: there is no such key"),
        (SOURCE, "BLOG_PASSWORD is not set"),
        (SOURCE.replace("wordpress", "myspace").replace("secrets: {password: BLOG_PASSWORD}", ""), "myspace"),
        (SOURCE.replace("username: desk", "user: desk").replace("BLOG_PASSWORD", "PATH"), "username"),
    ],
)
def test_a_broken_configuration_says_what_to_do(tmp_path, config, words) -> None:
    done = run(tmp_path, "export", "messages", config=config)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_is_not_there(tmp_path) -> None:
    done = run(tmp_path, "check", OTKLIK_CONFIG=str(tmp_path / "nowhere.yaml"))
    assert done.returncode == 2
    assert "there is no such file" in done.stderr


def test_a_taken_port(tmp_path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run(tmp_path, "work", OTKLIK_PORT=str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_an_unwritable_folder(tmp_path) -> None:
    # A file where the folder should be: root may write everywhere, but not below a file.
    (tmp_path / "var").write_text("")
    done = run(tmp_path, "work")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["collct"], ["export", "everything"], ["bench", "nothing"], ["collect"]])
def test_a_wrong_word(tmp_path, words) -> None:
    done = run(tmp_path, *words)
    assert done.returncode == 2
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


def test_the_environment_wins_over_the_file(tmp_path) -> None:
    done = run(tmp_path, "check", config="web: {port: 1}", OTKLIK_WEB__PORT="70000")
    assert done.returncode == 2
    assert "70000" in done.stderr


def test_the_shipped_config_names_every_key(monkeypatch) -> None:
    import yaml
    from pydantic import BaseModel

    from config import Config

    written = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    for name, field in Config.model_fields.items():
        assert name in written
        if isinstance(field.default, BaseModel):
            assert set(written[name]) == set(type(field.default).model_fields), name
