"""Settings of a deployment: ``CMS_*`` environment variables over ``cms.toml`` over the defaults here."""

from __future__ import annotations

import os
import secrets
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.kernel.errors import ConfigurationError


class Settings(BaseModel):
    """One deployment. Every field can be given as ``CMS_<FIELD>`` or as a key of ``cms.toml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_dir: Path = Field(Path("var"), description="Everything that is kept: database, files, secrets, logs, sockets.")
    database_url: str = Field("", description="SQLAlchemy URL; empty means a SQLite file in the data directory.")
    redis_url: str = Field("", description="Redis; empty means a private server on a unix socket.")
    durability: Literal["normal", "full"] = Field(
        "normal", description="normal survives the kill of any process, full also a power loss."
    )
    bind: str = Field("127.0.0.1", description="Address that web and SIP listen on.")
    public_host: str = Field("localhost", description="Host name people and phones use to reach the platform.")
    tls_certificate: Path | None = Field(None, description="PEM chain; required when bind is not loopback.")
    tls_key: Path | None = Field(None, description="PEM private key that belongs to tls_certificate.")
    web_port: int = Field(8080, description="Pages and API.")
    sip_port: int = Field(5060, description="SIP over UDP and TCP.")
    ws_port: int = Field(8081, description="SIP over WebSocket for browser phones.")
    agents: int = Field(6, ge=1, description="Media agents started here.")
    agent_slots: int = Field(4, ge=2, description="Call legs of one agent (4 with the published pjsua2 wheel).")
    agent_port: int = Field(15100, description="First SIP port of the agents; agent n uses this plus n.")
    rtp_port: int = Field(20000, description="First RTP port of the agents; each agent takes 100.")
    edge_rtp_port: int = Field(30000, description="First RTP port of rtpengine.")
    edge_rtp_port_end: int = Field(30399, description="Last RTP port of rtpengine.")
    rtpengine_port: int = Field(22222, description="Control port of rtpengine, on loopback.")
    interactive_hosts: int = Field(1, ge=1, description="Hosts that serve calls and people.")
    batch_hosts: int = Field(1, ge=0, description="Hosts that serve bill runs and imports.")
    workers: int = Field(1, ge=1, description="RQ workers for external effects.")
    report_children: int = Field(1, ge=1, description="Java processes of the reporter; each renders one report.")
    report_memory: int = Field(400, ge=64, description="Largest Java heap of one of them, in MB; idle it takes 32.")
    smtp_url: str = Field("", description="smtp://user:password@host:587; empty means the built-in catcher.")
    catcher_port: int = Field(2525, description="Port of the built-in mail catcher, on loopback.")
    mail_from: str = Field("CMS <cms@localhost>", description="Sender of the platform's mail.")
    default_region: str = Field("DE", description="Region that national phone numbers are read in (ISO 3166).")
    upload_limit: int = Field(2_000_000, description="Largest accepted diagram, form or import, in bytes.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @property
    def public_url(self) -> str:
        """Where people find the pages, for links in mails."""
        if self.tls_certificate:
            return f"https://{self.public_host}" + ("" if self.web_port == 443 else f":{self.web_port}")
        return f"http://{self.public_host}:{self.web_port}"

    @property
    def run_dir(self) -> Path:
        """Sockets, pid files and generated configuration."""
        return self.data_dir / "run"

    @property
    def files_dir(self) -> Path:
        """Recordings, prompts and documents."""
        return self.data_dir / "files"

    @property
    def log_dir(self) -> Path:
        """One log file a process."""
        return self.data_dir / "log"

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in force."""
        if self.database_url:
            return self.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
        return f"sqlite:///{self.data_dir.absolute() / 'cms.db'}"

    @property
    def redis(self) -> str:
        """The Redis URL in force."""
        return self.redis_url or f"unix://{self.run_dir.absolute() / 'redis.sock'}"

    @cached_property
    def secret_key(self) -> str:
        """The deployment's signing secret, created with mode 600 on first use."""
        return self.secret("secret_key")

    def secret(self, name: str) -> str:
        """Return the secret kept in ``secrets/<name>``, creating 32 random bytes (hex) on first use."""
        path = self.data_dir / "secrets" / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh = path.with_suffix(f".{os.getpid()}")
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(32))
            try:
                os.link(fresh, path)
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        return path.read_text().strip()


def load_settings(environ: dict[str, str] | None = None, toml: Path | None = None) -> Settings:
    """Read the settings in force.

    ``toml`` defaults to ``$CMS_CONFIG`` or ``cms.toml`` in the working directory, if present.
    Raises ``ConfigurationError`` that names each wrong setting and where it was set.
    """
    env = dict(os.environ if environ is None else environ)
    path = toml or Path(env.get("CMS_CONFIG", "cms.toml"))
    values: dict[str, object] = {}
    if path.exists():
        try:
            values.update(tomllib.loads(path.read_text()))
        except tomllib.TOMLDecodeError as error:
            raise ConfigurationError(f"{path} is not valid TOML: {error}") from error
    for name in Settings.model_fields:
        if f"CMS_{name.upper()}" in env:
            values[name] = env[f"CMS_{name.upper()}"]
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        lines = [
            f"{'.'.join(map(str, item['loc']))} (CMS_{str(item['loc'][0]).upper()} or {path}): {item['msg']}"
            for item in error.errors()
        ]
        raise ConfigurationError("Wrong settings: " + "; ".join(lines)) from error
