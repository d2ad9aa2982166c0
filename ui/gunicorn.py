"""gunicorn's configuration: one process with threads, since open pages mostly wait for news."""

from __future__ import annotations

from typing import Any

from engine.kernel.process import die_with_parent
from engine.kernel.settings import load_settings

_settings = load_settings()

bind = f"{_settings.bind}:{_settings.web_port}"
worker_class = "gthread"
workers = 1
threads = 64
timeout = 60
graceful_timeout = 3
keepalive = 30
loglevel = "warning"
control_socket_disable = True
limit_request_field_size = 16_380
if _settings.tls_certificate:
    certfile = str(_settings.tls_certificate)
    keyfile = str(_settings.tls_key)


def post_fork(_server: Any, _worker: Any) -> None:
    """Let the worker die with gunicorn's master, which dies with the supervisor."""
    die_with_parent()
