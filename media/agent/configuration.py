"""Settings of an agent, read as ``engine.kernel.settings`` reads them but without its libraries."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: The same names and defaults as in ``engine.kernel.settings``.
DEFAULTS: dict[str, Any] = {
    "data_dir": "var",
    "redis_url": "",
    "bind": "127.0.0.1",
    "sip_port": 5060,
    "agent_port": 15100,
    "agent_slots": 4,
    "rtp_port": 20000,
    "log_level": "INFO",
}
RTP_PORTS = 100


@dataclass(frozen=True, slots=True)
class Configuration:
    """One agent."""

    name: str
    data_dir: Path
    redis_url: str
    #: address of the audio
    bind: str
    #: port of Kamailio, for calls that the agent makes
    edge_port: int
    sip_port: int
    rtp_port: int
    slots: int
    log_level: str

    @property
    def inbound(self) -> int:
        """How many calls may come in: the other half is kept for dialling out."""
        return max(1, self.slots // 2)

    @property
    def lock(self) -> Path:
        """File that is locked while the agent lives."""
        return self.data_dir / "run" / f"{self.name}.lock"

    @property
    def prompts(self) -> Path:
        """Cache of spoken texts and tones."""
        return self.data_dir / "cache" / "prompts"


def read_configuration(name: str, environ: dict[str, str] | None = None) -> Configuration:
    """Return the configuration of the agent ``agent-N`` from ``CMS_*`` over ``cms.toml`` over the defaults.

    Raises ``ValueError`` for another kind of name or a value that is not a number.
    """
    match = re.fullmatch(r"[a-z]+-(\d+)", name)
    if match is None:
        raise ValueError(f"{name!r} is not an agent's name, such as agent-1")
    number = int(match.group(1))
    env = dict(os.environ if environ is None else environ)
    values = dict(DEFAULTS)
    toml = Path(env.get("CMS_CONFIG", "cms.toml"))
    if toml.exists():
        values.update({key: value for key, value in tomllib.loads(toml.read_text()).items() if key in DEFAULTS})
    values.update({key: env[f"CMS_{key.upper()}"] for key in DEFAULTS if f"CMS_{key.upper()}" in env})
    data_dir = Path(values["data_dir"]).absolute()
    return Configuration(
        name=name,
        data_dir=data_dir,
        redis_url=values["redis_url"] or f"unix://{data_dir / 'run' / 'redis.sock'}",
        bind=values["bind"],
        edge_port=int(values["sip_port"]),
        sip_port=int(values["agent_port"]) + number,
        rtp_port=int(values["rtp_port"]) + RTP_PORTS * (number - 1),
        slots=int(values["agent_slots"]),
        log_level=values["log_level"],
    )
