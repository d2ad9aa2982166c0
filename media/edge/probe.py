"""Probes of the edge for the doctor: each asks a component to do its work, not whether it has a pid."""

from __future__ import annotations

import ipaddress
import secrets
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from engine.kernel.errors import CmsError
from engine.kernel.settings import Settings
from media.edge import rpc

#: seconds a healthy component needs at most
PATIENCE = 1.5


@dataclass(frozen=True)
class Probe:
    """What was found: ``remedy`` says how to mend it when ``ok`` is false."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def edge_probes(settings: Settings) -> Iterator[Probe]:
    """Probe Kamailio's SIP, WebSocket and management sides, the agents as it sees them, and rtpengine."""
    kamailio = "See log/kamailio.log; ./cms run starts it again."
    yield _probe("sip", lambda: _options(settings), kamailio)
    yield _probe("websocket", lambda: _handshake(settings), kamailio)
    yield _probe("edge management", lambda: _uptime(settings), kamailio)
    yield _agents(settings)
    yield _probe("rtpengine", lambda: _ping(settings), "See log/rtpengine.log; browser phones are silent without it.")


def _probe(name: str, ask: Callable[[], str], remedy: str) -> Probe:
    try:
        return Probe(name, True, ask())
    except (OSError, CmsError) as error:
        return Probe(name, False, str(error) or type(error).__name__, remedy)


def dispatcher_states(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return Kamailio's view of each agent by name. Raises ``TransientError`` when Kamailio is silent."""
    sets = rpc.call(settings, "dispatcher.list").get("RECORDS", [])
    targets = [item["DEST"] for record in sets for item in record["SET"]["TARGETS"]]
    return {
        item["ATTRS"]["DUID"]: {
            "address": item["URI"].removeprefix("sip:"),
            "active": item["FLAGS"].startswith("A"),
            "load": item["RUNTIME"]["DLGLOAD"],
            "maximum": item["ATTRS"]["MAXLOAD"],
        }
        for item in targets
    }


def _agents(settings: Settings) -> Probe:
    name = "agents in dispatch"
    try:
        states = dispatcher_states(settings)
    except CmsError as error:
        return Probe(name, False, error.message, "Mend Kamailio first.")
    dead = sorted(agent for agent, state in states.items() if not state["active"])
    used = sum(state["load"] for state in states.values())
    slots = sum(state["maximum"] for state in states.values())
    if dead:
        return Probe(name, False, f"without answer: {', '.join(dead)}", f"See log/{dead[0]}.log.")
    return Probe(name, bool(states), f"{len(states)} answer, {used} of {slots} calls", "Set CMS_AGENTS.")


def _host(settings: Settings) -> str:
    unspecified = ipaddress.ip_address(settings.bind).is_unspecified
    return "127.0.0.1" if unspecified else settings.bind


def _options(settings: Settings) -> str:
    host, port = _host(settings), settings.sip_port
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.settimeout(PATIENCE)
        channel.connect((host, port))
        own = "{}:{}".format(*channel.getsockname())
        lines = [
            f"OPTIONS sip:{host}:{port} SIP/2.0",
            f"Via: SIP/2.0/UDP {own};rport;branch=z9hG4bK{secrets.token_hex(8)}",
            "Max-Forwards: 2",
            f"From: <sip:doctor@{own}>;tag={secrets.token_hex(4)}",
            f"To: <sip:{host}:{port}>",
            f"Call-ID: {secrets.token_hex(8)}",
            "CSeq: 1 OPTIONS",
            "Content-Length: 0",
        ]
        channel.send(("\r\n".join(lines) + "\r\n\r\n").encode())
        answer = channel.recv(4096).decode(errors="replace").splitlines()[0]
    if " 200 " not in answer:
        raise ConnectionError(f"OPTIONS on port {port} was answered {answer!r}")
    return f"answers OPTIONS on port {port}"


def _handshake(settings: Settings) -> str:
    host, port = _host(settings), settings.ws_port
    with socket.create_connection((host, port), timeout=PATIENCE) as plain:
        channel = _encrypted(plain) if settings.tls_certificate else plain
        lines = [
            "GET / HTTP/1.1",
            f"Host: {host}:{port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: ZG9jdG9yZG9jdG9yZG9jdA==",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: sip",
        ]
        channel.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        answer = channel.recv(4096).decode(errors="replace").partition("\r\n")[0]
    if " 101 " not in answer:
        raise ConnectionError(f"the WebSocket handshake on port {port} was answered {answer!r}")
    return f"opens WebSockets on port {port}"


def _encrypted(channel: socket.socket) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    # It is asked by address, which its certificate need not name; whether it answers is the question.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(channel)


def _uptime(settings: Settings) -> str:
    return f"up for {rpc.call(settings, 'core.uptime', timeout=PATIENCE)['uptime']} s"


def _ping(settings: Settings) -> str:
    """Ask rtpengine's control port, which speaks bencode behind a cookie of the asker."""
    cookie = secrets.token_hex(4)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.settimeout(PATIENCE)
        channel.connect(("127.0.0.1", settings.rtpengine_port))
        channel.send(f"{cookie} d7:command4:pinge".encode())
        answer = channel.recv(1024).decode(errors="replace")
    if answer != f"{cookie} d6:result4:ponge":
        raise ConnectionError(f"rtpengine answered {answer!r}")
    return f"answers on port {settings.rtpengine_port}"
