"""Kamailio's management calls: JSON-RPC over its unix datagram socket."""

from __future__ import annotations

import contextlib
import secrets
import socket
from pathlib import Path
from typing import Any

import orjson

from engine.kernel.errors import CmsError, TransientError
from engine.kernel.settings import Settings


def rpc_socket(settings: Settings) -> Path:
    """Return the path of Kamailio's management socket."""
    return settings.run_dir.absolute() / "kamailio.sock"


def call(settings: Settings, method: str, *parameters: str | int, timeout: float = 1.0) -> Any:
    """Return the result of a management method.

    Raises ``TransientError`` when Kamailio does not answer in time, ``CmsError`` (code ``edge.rpc``) with
    Kamailio's own words when it refuses.
    """
    reply_to = settings.run_dir.absolute() / f"rpc.{secrets.token_hex(4)}"
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.bind(str(reply_to))
            reply_to.chmod(0o622)  # the doctor may be root, Kamailio never is
            channel.settimeout(timeout)
            channel.connect(str(rpc_socket(settings)))
            channel.send(orjson.dumps(request))
            answer = orjson.loads(channel.recv(65_536))
    except OSError as error:
        raise TransientError(f"Kamailio does not answer {method}: {error}.", code="edge.silent") from error
    finally:
        with contextlib.suppress(OSError):
            reply_to.unlink(missing_ok=True)
    if "error" in answer:
        raise CmsError(f"Kamailio refused {method}: {answer['error'].get('message')}.", code="edge.rpc")
    return answer.get("result")
