"""Typed settings of the installation, from config.yaml and the environment; what staff decide is in tables."""

import os
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, YamlConfigSettingsSource

ROOT = Path(__file__).resolve().parent
SHORT = {"OTKLIK_PORT": ("web", "port"), "OTKLIK_VAR": ("paths", "var"), "OTKLIK_KEY_FILE": ("paths", "key_file"),
         "DATABASE_URL": ("database", "url")}  # fmt: skip
"""Short names of the environment; every other key is OTKLIK_<SECTION>__<KEY>."""


class ConfigError(Exception):
    """config.yaml or the environment is wrong; the text says where and what to do."""


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DatabaseConfig(Section):
    url: str | None = None  # None: SQLite in paths.var
    pool_size: int = Field(20, ge=2, le=500)

    @field_validator("url")
    @classmethod
    def _driver(cls, url: str | None) -> str | None:
        if url and url.startswith(("postgres://", "postgresql://")):
            return "postgresql+psycopg://" + url.split("://", 1)[1]
        return url


class PathsConfig(Section):
    var: Path = Path("var")
    key_file: Path | None = None  # None: ~/.config/otklik/<desk>.key


class WebConfig(Section):
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    threads: int = Field(128, ge=4, le=1024)
    processes: int = Field(1, ge=1, le=32)
    public_url: str | None = None
    trusted_proxies: list[str] = []
    session_hours: float = Field(8, gt=0)


class NetworkConfig(Section):
    proxies: dict[str, str] = {}  # platform → address of a proxy
    allow_private: list[str] = []  # «host:port» that may be a private address
    read_timeout: float = Field(20, gt=0, le=60)


class LogConfig(Section):
    level: str = Field("info", pattern="^(debug|info|warning|error)$")
    format: str = Field("text", pattern="^(text|json)$")


class BackupConfig(Section):
    folder: Path | None = None  # None: backups in the folder of the desk
    hour: int = Field(3, ge=0, le=23)
    daily: int = Field(7, ge=1)
    weekly: int = Field(4, ge=0)
    monthly: int = Field(6, ge=0)


class RawsConfig(Section):
    days: int = Field(30, ge=1)
    quarantine_days: int = Field(90, ge=1)
    most_megabytes: int = Field(2048, ge=1)


class DeskConfig(Section):
    undo_seconds: float = Field(10, ge=0, le=120)
    rest_gate: str = Field("audit", pattern="^(audit|corpus|off)$")
    time_zone: str = "Europe/Moscow"
    locale: str = Field("ru", pattern="^(ru|en)$")


class ClassifierConfig(Section):
    meaning: bool = True


class OidcConfig(Section):
    """Single sign-on by the school's own OpenID Connect provider; no ``issuer``: there is none."""

    issuer: str = ""
    client_id: str = ""
    client_secret: SecretStr | None = None
    title: str = Field("", max_length=40)


class SourceConfig(Section):
    """A declared place; ``secrets`` names variables of the environment."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$")
    platform: str
    title: str = ""
    every_seconds: int | None = Field(None, ge=1)
    settings: dict[str, Any] = {}
    secrets: dict[str, str] = {}


class Config(BaseSettings):
    """The whole of config.yaml; unknown keys are errors."""

    model_config = SettingsConfigDict(env_prefix="OTKLIK_", env_nested_delimiter="__", extra="forbid")

    database: DatabaseConfig = DatabaseConfig()
    paths: PathsConfig = PathsConfig()
    web: WebConfig = WebConfig()
    network: NetworkConfig = NetworkConfig()
    log: LogConfig = LogConfig()
    backup: BackupConfig = BackupConfig()
    raws: RawsConfig = RawsConfig()
    desk: DeskConfig = DeskConfig()
    classifier: ClassifierConfig = ClassifierConfig()
    oidc: OidcConfig = OidcConfig()
    sources: list[SourceConfig] = []

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        path = _config_path()
        file = (YamlConfigSettingsSource(settings_cls, yaml_file=path),) if path.exists() else ()
        return (init_settings, env_settings, *file)

    def declared(self) -> list[dict[str, Any]]:
        """Declared places with their secrets from the environment; raises ConfigError for a missing one."""
        result = []
        for source in self.sources:
            values = dict(source.settings)
            for field, variable in source.secrets.items():
                if variable not in os.environ:
                    raise ConfigError(
                        f"sources.{source.name}.secrets.{field}: the environment variable {variable} is not set.\n"
                        f"Set it before starting, for example: export {variable}=…"
                    )
                values[field] = os.environ[variable]
            result.append({"name": source.name, "platform": source.platform, "title": source.title or source.name,
                           "every_seconds": source.every_seconds, "values": values})  # fmt: skip
        return result


def _config_path() -> Path:
    return Path(os.environ.get("OTKLIK_CONFIG") or ROOT / "config.yaml")


def load_config() -> Config:
    """The configuration of this process; raises ConfigError with words that say what to change."""
    path = _config_path()
    if os.environ.get("OTKLIK_CONFIG") and not path.exists():
        raise ConfigError(f"{path}: there is no such file. Name an existing one with --config or OTKLIK_CONFIG.")
    given: dict[str, Any] = {}
    for name, (section, key) in SHORT.items():
        if os.environ.get(name):
            given.setdefault(section, {})[key] = os.environ[name]
    try:
        return Config(**given)
    except ValidationError as error:
        raise ConfigError(f"{path} is not right:\n" + "\n".join(_words(item) for item in error.errors())) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read as YAML:\n  {error}") from None
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None


def _words(item: Any) -> str:
    where = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        return f"  {where}: there is no such key; see docs/dev/config.md for all keys"
    return f"  {where}: {item['msg']} (given: {item['input']!r})"
