"""A small client of Redis: the few commands an agent needs.

redis-py would more than double the memory of an idle agent, and there are many agents.
"""

from __future__ import annotations

import socket
import ssl
from typing import Any, TypeAlias
from urllib.parse import parse_qs, unquote, urlsplit

Reply: TypeAlias = Any


class RespError(Exception):
    """Redis answered with an error, or cannot be reached."""


class Resp:
    """One connection, made when first needed and again after each loss. For one thread."""

    def __init__(self, url: str, timeout: float = 5.0) -> None:
        self._url = urlsplit(url)
        self._timeout = timeout
        self._socket: socket.socket | None = None
        self._buffer = b""

    def call(self, *arguments: str | bytes | int) -> Reply:
        """Send one command and return its reply. Raises ``RespError``."""
        return self.pipeline([arguments])[0]

    def pipeline(self, commands: list[tuple[str | bytes | int, ...]]) -> list[Reply]:
        """Send several commands at once and return their replies. Raises ``RespError`` if one fails."""
        try:
            if self._socket is None:
                self._connect()
            return self._exchange(commands)
        except (OSError, EOFError, ValueError) as error:
            self.close()
            raise RespError(f"Redis cannot be reached: {error}") from error

    def close(self) -> None:
        """Drop the connection; the next command makes a new one."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._buffer = b""

    def _connect(self) -> None:
        url = self._url
        if url.scheme == "unix":
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(self._timeout)
            try:
                connection.connect(url.path)
            except OSError:
                connection.close()
                raise
            database = parse_qs(url.query).get("db", ["0"])[0]
        else:
            connection = socket.create_connection((url.hostname or "127.0.0.1", url.port or 6379), self._timeout)
            if url.scheme == "rediss":
                connection = ssl.create_default_context().wrap_socket(connection, server_hostname=url.hostname)
            database = url.path.strip("/") or "0"
        self._socket = connection
        if url.password:
            user = [unquote(url.username)] if url.username else []
            self._exchange([("AUTH", *user, unquote(url.password))])
        if database != "0":
            self._exchange([("SELECT", database)])

    def _exchange(self, commands: list[tuple[str | bytes | int, ...]]) -> list[Reply]:
        assert self._socket is not None
        self._socket.sendall(b"".join(_encode(command) for command in commands))
        replies = [self._read() for _ in commands]
        for reply in replies:
            if isinstance(reply, RespError):
                raise reply
        return replies

    def _read(self) -> Reply:
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return RespError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self._bytes(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self._read() for _ in range(int(rest))]
        raise ValueError(f"not a reply: {line[:40]!r}")

    def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            self._receive()
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def _bytes(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._receive()
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def _receive(self) -> None:
        assert self._socket is not None
        data = self._socket.recv(65536)
        if not data:
            raise EOFError("connection closed")
        self._buffer += data


def _encode(arguments: tuple[str | bytes | int, ...]) -> bytes:
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        raw = argument if isinstance(argument, bytes) else str(argument).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(raw), raw))
    return b"".join(parts)
