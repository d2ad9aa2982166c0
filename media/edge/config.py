"""What Kamailio and rtpengine are started with: their configuration, written from the settings, and their commands."""

from __future__ import annotations

import getpass
import ipaddress
import os
import socket
import sys
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy import delete, insert, select
from sqlalchemy.engine import make_url

from engine.kernel.errors import CmsError, ConfigurationError
from engine.kernel.settings import Settings
from media.edge import guard, rpc
from media.edge.accounts import REALM, sweep_accounts
from media.edge.database import SCHEMA, create_edge_database, dispatcher, edge_transaction, is_postgresql, sqlite_path

LOOPBACK = "127.0.0.1"
AGENT_SET = 1
#: seconds a registration lasts at most; short, because a phone behind NAT is only reached while it refreshes
MAX_EXPIRES = 600
#: requests of one source within two seconds before it is ignored
FLOOD_LIMIT = 200
#: wrong passwords of one source for one account within a minute before it is refused
GUESS_LIMIT = 10

_MEDIA = "replace-origin replace-session-connection"
_TO_AGENT = f"{_MEDIA} ICE=remove RTP/AVP"
_TO_BROWSER = f"{_MEDIA} ICE=force generate-mid SDES-off UDP/TLS/RTP/SAVPF"


def agent_address(settings: Settings, number: int) -> str:
    """Return ``host:port`` of the SIP socket of agent ``number`` (from 1)."""
    return f"{LOOPBACK}:{settings.agent_port + number}"


def kamailio_config(settings: Settings) -> Path:
    """Return the path of Kamailio's generated configuration."""
    return settings.run_dir.absolute() / "kamailio.cfg"


def kamailio_command(settings: Settings) -> list[str]:
    """Return the command that runs Kamailio in the foreground, logging to stderr; end it with SIGTERM."""
    run = settings.run_dir.absolute()
    # fmt: off
    command = [sys.executable, "-I", guard.__file__,
               "kamailio", "-DD", "-E", "-f", str(kamailio_config(settings)), "-m", "64", "-M", "8",
               "-Y", str(run)]
    # fmt: on
    if is_postgresql(settings):
        command = ["env", "PGSERVICE=edge", f"PGSERVICEFILE={_service_file(settings)}", *command]
    return command


def rtpengine_command(settings: Settings) -> list[str]:
    """Return the command that runs rtpengine in the foreground, logging to stderr; end it with SIGTERM.

    ``--dtls-passive``: an agent's 180 carries SDP, so ICE completes before the browser has our answer, and a
    handshake that rtpengine began by then would hang the browser's.
    """
    if _anchors(settings):
        interfaces = [f"--interface=inside/{LOOPBACK}", f"--interface=outside/{_public_address(settings)}"]
    else:
        interfaces = [f"--interface={LOOPBACK}"]
    return [
        "rtpengine",
        "--config-file=none",
        "--foreground",
        "--log-stderr",
        "--log-level=5",
        "--table=-1",
        *interfaces,
        f"--listen-ng={LOOPBACK}:{settings.rtpengine_port}",
        f"--port-min={settings.edge_rtp_port}",
        f"--port-max={settings.edge_rtp_port_end}",
        "--num-threads=2",
        "--dtls-passive",
        "--timeout=60",
        "--silent-timeout=3600",
        "--delete-delay=0",
    ]


def prepare_edge(settings: Settings) -> None:
    """Write the configuration and bring Kamailio's database up to date. Harmless while Kamailio runs.

    Wants ``process_app(settings)`` and our migrated tables. Raises ``ConfigurationError`` for settings that the
    edge cannot serve.
    """
    if not ipaddress.ip_address(settings.bind).is_loopback and not (settings.tls_certificate and settings.tls_key):
        raise ConfigurationError(
            f"CMS_BIND={settings.bind} serves others than this machine: their browsers refuse the microphone without "
            "TLS. Set CMS_TLS_CERTIFICATE and CMS_TLS_KEY, or bind to 127.0.0.1."
        )
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    create_edge_database(settings)
    _set_agents(settings)
    sweep_accounts(settings)
    _write_private(kamailio_config(settings), render_config(settings))
    if is_postgresql(settings):
        _write_private(_service_file(settings), _postgresql_service(settings))


def render_config(settings: Settings) -> str:
    """Return Kamailio's configuration."""
    environment = Environment(
        loader=PackageLoader("media.edge", "."),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - the values are settings that pydantic checked, and the result is no page
        keep_trailing_newline=True,
    )
    return environment.get_template("kamailio.cfg.j2").render(_values(settings))


def _values(settings: Settings) -> dict[str, Any]:
    anchor = _anchors(settings)
    tls = settings.tls_certificate is not None and settings.tls_key is not None
    sockets = [f"udp:{settings.bind}:{settings.sip_port}", f"tcp:{settings.bind}:{settings.sip_port}"]
    if anchor and settings.bind != "0.0.0.0":  # noqa: S104 - compared, not bound
        sockets.append(f"udp:{LOOPBACK}:{settings.sip_port}")  # agents and ./cms dial come this way
    sockets.append(f"{'tls' if tls else 'tcp'}:{settings.bind}:{settings.ws_port}")
    return {
        "debug": {"DEBUG": 3, "INFO": 1}.get(settings.log_level, 0),
        "udp_workers": 2,
        "sockets": sockets,
        "own_names": sorted({settings.public_host, REALM}),
        "tls": tls,
        "tls_certificate": settings.tls_certificate,
        "tls_key": settings.tls_key,
        "rpc_socket": rpc.rpc_socket(settings),
        "database_url": _database_url(settings),
        "write_through": is_postgresql(settings),
        "realm": REALM,
        "max_expires": MAX_EXPIRES,
        "flood_limit": FLOOD_LIMIT,
        "guess_limit": GUESS_LIMIT,
        "rtpengine_port": settings.rtpengine_port,
        "ws_port": settings.ws_port,
        "anchor": anchor,
        "to_agent": _TO_AGENT,
        "to_browser": _TO_BROWSER,
        "inward": " direction=outside direction=inside" if anchor else "",
        "outward": " direction=inside direction=outside" if anchor else "",
    }


def _anchors(settings: Settings) -> bool:
    """Whether phones come from elsewhere than loopback, where the agents listen, so that media must be relayed."""
    return settings.bind != LOOPBACK


def _public_address(settings: Settings) -> str:
    """Return the address that phones elsewhere send media to."""
    if not ipaddress.ip_address(settings.bind).is_unspecified:
        return settings.bind
    try:
        return socket.gethostbyname(settings.public_host)
    except OSError as error:
        raise ConfigurationError(
            f"CMS_PUBLIC_HOST={settings.public_host} has no address ({error}): set it to the name or address at which "
            "phones reach this machine."
        ) from error


def _set_agents(settings: Settings) -> None:
    """Make the pool of agents what the settings say; half of an agent's legs are kept for calls it places."""
    rows = [
        {
            "setid": AGENT_SET,
            "destination": f"sip:{agent_address(settings, number)}",
            "attrs": f"duid=agent-{number};maxload={settings.agent_slots // 2}",
            "description": f"agent-{number}",
        }
        for number in range(1, settings.agents + 1)
    ]
    columns = [dispatcher.c[name] for name in rows[0]]
    with edge_transaction(settings) as connection:
        present = [dict(row) for row in connection.execute(select(*columns).order_by(dispatcher.c.id)).mappings()]
        if present == rows:
            return
        connection.execute(delete(dispatcher))
        connection.execute(insert(dispatcher), rows)
    try:
        rpc.call(settings, "dispatcher.reload")
    except CmsError:
        return  # not running yet: it reads the table when it starts


def _database_url(settings: Settings) -> str:
    """Return Kamailio's URL of its database; host and password come from the service file."""
    if not is_postgresql(settings):
        return f"sqlite://{sqlite_path(settings)}"
    url = make_url(settings.database)
    return f"postgres://{url.username or getpass.getuser()}@/{url.database}"


def _service_file(settings: Settings) -> Path:
    return settings.run_dir.absolute() / "pg_service.conf"


def _postgresql_service(settings: Settings) -> str:
    """Return libpq's description of the connection: a password in Kamailio's URL would be read by its parser."""
    url = make_url(settings.database)
    values = {
        "host": url.query.get("host") or url.host,
        "port": url.port,
        "password": url.password,
        "options": f"-c search_path={SCHEMA}",
    }
    lines = [f"{name}={value}" for name, value in values.items() if value]
    return "\n".join(["[edge]", *lines, ""])


def _write_private(path: Path, content: str) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(content)
    os.replace(fresh, path)
