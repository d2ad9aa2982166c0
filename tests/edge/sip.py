"""A small SIP user agent over UDP for tests: it says exactly what a test wants said, and shows what came back."""

from __future__ import annotations

import hashlib
import queue
import re
import secrets
import socket
import threading
from dataclasses import dataclass, field

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
)


@dataclass
class Message:
    """A request or response as it came over the wire."""

    start: str
    headers: list[tuple[str, str]]
    body: str
    source: tuple[str, int]

    @classmethod
    def parse(cls, data: bytes, source: tuple[str, int]) -> Message:
        head, _, body = data.decode().partition("\r\n\r\n")
        start, *lines = head.split("\r\n")
        headers = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        return cls(start, headers, body, source)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name.lower()]

    def __getitem__(self, name: str) -> str:
        return next(iter(self.all(name)), "")

    @property
    def status(self) -> int:
        """The status of a response, 0 for a request."""
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0") else 0

    @property
    def method(self) -> str:
        return self.start.split()[0] if not self.status else self["cseq"].split()[1]

    @property
    def uri(self) -> str:
        return self.start.split()[1]


@dataclass
class Dialog:
    """One call as the caller or the called side sees it."""

    call_id: str
    local: str
    remote: str
    target: str
    route: list[str]
    cseq: int = 1
    answer: Message | None = None


@dataclass
class UserAgent:
    """Binds a UDP port on loopback; a thread answers OPTIONS and queues everything else."""

    edge_port: int
    port: int = 0
    host: str = "127.0.0.1"
    answers_options: bool = True
    rtp_port: int = 40000
    inbox: queue.Queue[Message] = field(default_factory=queue.Queue)
    kept: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((self.host, self.port))
        self.socket.settimeout(0.1)
        self.port = self.socket.getsockname()[1]
        self._seen: set[tuple[str, str, str]] = set()
        self._running = True
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self) -> UserAgent:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Vanish, as a killed process does."""
        self._running = False
        self._thread.join()
        self.socket.close()

    def _read(self) -> None:
        while self._running:
            try:
                data, source = self.socket.recvfrom(65_535)
            except TimeoutError:
                continue
            if not data.strip():
                continue
            message = Message.parse(data, source)
            if message.method == "OPTIONS" and not message.status:
                if self.answers_options:
                    self.reply(message, 200, "OK")
                continue
            key = (message.start, message["call-id"], message["cseq"])
            if key in self._seen and message.method != "ACK":
                continue  # a repetition
            self._seen.add(key)
            self.inbox.put(message)

    def expect(self, what: str | int, timeout: float = 10) -> Message:
        """Return the next request of a method, or the next response of a status; other messages are kept."""
        for message in self.kept:
            if _is(message, what):
                self.kept.remove(message)
                return message
        while True:
            try:
                message = self.inbox.get(timeout=timeout)
            except queue.Empty:
                raise AssertionError(f"no {what} came; kept: {[item.start for item in self.kept]}") from None
            if _is(message, what):
                return message
            self.kept.append(message)

    def send(self, text: str) -> None:
        self.socket.sendto(text.encode(), ("127.0.0.1", self.edge_port))

    def request(
        self,
        method: str,
        uri: str,
        *,
        sender: str,
        to: str,
        call_id: str,
        cseq: int,
        headers: list[str] | None = None,
        body: str = "",
        branch: str | None = None,
    ) -> None:
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.host}:{self.port};rport;branch={branch or 'z9hG4bK' + secrets.token_hex(8)}",
            "Max-Forwards: 70",
            f"From: {sender}",
            f"To: {to}",
            f"Call-ID: {call_id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:ua@{self.host}:{self.port}>",
            *(headers or []),
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self.send("\r\n".join(lines) + "\r\n\r\n" + body)

    def reply(
        self,
        request: Message,
        status: int,
        reason: str,
        *,
        tag: str = "",
        body: str = "",
        headers: tuple[str, ...] = (),
    ) -> None:
        to = request["to"]
        if status > 100 and "tag=" not in to:
            to += f";tag={tag or 'tag' + hashlib.md5(request['call-id'].encode()).hexdigest()[:8]}"
        lines = [
            f"SIP/2.0 {status} {reason}",
            *(f"Via: {value}" for value in request.all("via")),
            *(f"Record-Route: {value}" for value in request.all("record-route")),
            f"From: {request['from']}",
            f"To: {to}",
            f"Call-ID: {request['call-id']}",
            f"CSeq: {request['cseq']}",
            f"Contact: <sip:ua@{self.host}:{self.port}>",
            *headers,
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self.socket.sendto(("\r\n".join(lines) + "\r\n\r\n" + body).encode(), request.source)

    # registering and calling -----------------------------------------------------------------------------------

    def register(self, username: str, password: str, *, address: str | None = None, expires: int = 60) -> int:
        """Register this agent's contact; return the final status."""
        call_id, address = secrets.token_hex(8), address or username
        sender = f"<sip:{address}@cms>;tag={secrets.token_hex(4)}"
        common = {"sender": sender, "to": f"<sip:{address}@cms>", "call_id": call_id}
        headers = [f"Expires: {expires}"]
        self.request("REGISTER", "sip:cms", cseq=1, headers=headers, **common)
        challenge = self.final("REGISTER")
        if challenge.status != 401:
            return challenge.status
        headers.append(authorization(challenge, "REGISTER", "sip:cms", username, password))
        self.request("REGISTER", "sip:cms", cseq=2, headers=headers, **common)
        return self.final("REGISTER").status

    def invite(
        self,
        number: str,
        username: str,
        password: str,
        *,
        sender: str | None = None,
        headers: tuple[str, ...] = (),
        body: str | None = None,
    ) -> Dialog:
        """Send an authenticated INVITE; the answer is still to come."""
        uri = f"sip:{number}@cms"
        sender = f"{sender or f'<sip:{username}@cms>'};tag={secrets.token_hex(4)}"
        call_id = secrets.token_hex(8)
        body = SDP.format(port=self.rtp_port) if body is None else body
        common = {"sender": sender, "to": f"<{uri}>", "call_id": call_id, "body": body}
        self.branch = f"z9hG4bK{secrets.token_hex(8)}"
        self.request("INVITE", uri, cseq=1, branch=self.branch, headers=list(headers), **common)
        challenge = self.final("INVITE")
        dialog = Dialog(call_id, sender, f"<{uri}>", uri, [], 2)
        if challenge.status != 407:
            dialog.answer = challenge
            return dialog
        self._ack(uri, challenge, self.branch, 1)
        with_digest = [*headers, authorization(challenge, "INVITE", uri, username, password)]
        self.branch = f"z9hG4bK{secrets.token_hex(8)}"
        self.request("INVITE", uri, cseq=2, branch=self.branch, headers=with_digest, **common)
        return dialog

    def call(self, number: str, username: str = "", password: str = "", **options: object) -> Dialog:
        """Send an INVITE and wait for its final answer, which is acknowledged."""
        return self.finish(self.invite(number, username, password, **options))  # type: ignore[arg-type]

    def call_plainly(self, user: str) -> Dialog:
        """Place a call as an agent does: without digest."""
        uri = f"sip:{user}@cms"
        dialog = Dialog(secrets.token_hex(8), f"<sip:cms@cms>;tag={secrets.token_hex(4)}", f"<{uri}>", uri, [], 1)
        self.branch = f"z9hG4bK{secrets.token_hex(8)}"
        self.request(
            "INVITE",
            uri,
            sender=dialog.local,
            to=dialog.remote,
            call_id=dialog.call_id,
            cseq=1,
            branch=self.branch,
            body=SDP.format(port=self.rtp_port),
        )
        return dialog

    def finish(self, dialog: Dialog, timeout: float = 12) -> Dialog:
        """Wait for the final answer of an INVITE that was sent, and acknowledge it."""
        answer = dialog.answer or self.final("INVITE", timeout)
        dialog.answer, dialog.remote = answer, answer["to"]
        if answer.status >= 300:
            self._ack(dialog.target, answer, self.branch, dialog.cseq)
            return dialog
        dialog.target = re.search(r"<([^>]+)>", answer["contact"]).group(1)
        dialog.route = list(reversed(answer.all("record-route")))
        self.within(dialog, "ACK", dialog.cseq)
        return dialog

    def within(self, dialog: Dialog, method: str, cseq: int | None = None, body: str = "") -> None:
        """Send a request inside the dialog."""
        if cseq is None:
            dialog.cseq += 1
            cseq = dialog.cseq
        self.request(
            method,
            dialog.target,
            sender=dialog.local,
            to=dialog.remote,
            call_id=dialog.call_id,
            cseq=cseq,
            headers=[f"Route: {value}" for value in dialog.route],
            body=body,
        )

    def accept(self, request: Message, body: str | None = None) -> Dialog:
        """Answer an INVITE with 200; return the dialog as the called side sees it."""
        self.reply(request, 200, "OK", body=SDP.format(port=self.rtp_port) if body is None else body)
        tag = f"tag{hashlib.md5(request['call-id'].encode()).hexdigest()[:8]}"
        target = re.search(r"<([^>]+)>", request["contact"]).group(1)
        return Dialog(
            request["call-id"], f"{request['to']};tag={tag}", request["from"], target, request.all("record-route"), 100
        )

    def cancel(self, dialog: Dialog) -> None:
        """Cancel the INVITE that was sent last."""
        self.request(
            "CANCEL",
            dialog.target,
            sender=dialog.local,
            to=dialog.remote,
            call_id=dialog.call_id,
            cseq=dialog.cseq,
            branch=self.branch,
        )

    def final(self, method: str, timeout: float = 12) -> Message:
        """Return the next final response to ``method``."""
        while True:
            try:
                message = self.inbox.get(timeout=timeout)
            except queue.Empty:
                raise AssertionError(f"no final answer to {method}") from None
            if message.status >= 200 and message.method == method:
                return message
            self.kept.append(message)

    def _ack(self, uri: str, answer: Message, branch: str, cseq: int) -> None:
        self.request(
            "ACK",
            uri,
            sender=answer["from"],
            to=answer["to"],
            call_id=answer["call-id"],
            cseq=cseq,
            branch=branch,
        )


def _is(message: Message, what: str | int) -> bool:
    return message.status == what if isinstance(what, int) else not message.status and message.method == what


def authorization(challenge: Message, method: str, uri: str, username: str, password: str) -> str:
    """Return the header that answers a digest challenge with qop=auth (RFC 2617)."""
    name = "WWW-Authenticate" if challenge.status == 401 else "Proxy-Authenticate"
    parameters = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge[name]))
    ha1 = _md5(f"{username}:{parameters['realm']}:{password}")
    cnonce = secrets.token_hex(8)
    response = _md5(f"{ha1}:{parameters['nonce']}:00000001:{cnonce}:auth:{_md5(f'{method}:{uri}')}")
    answer = "Authorization" if challenge.status == 401 else "Proxy-Authorization"
    return (
        f'{answer}: Digest username="{username}", realm="{parameters["realm"]}", nonce="{parameters["nonce"]}", '
        f'uri="{uri}", response="{response}", algorithm=MD5, qop=auth, nc=00000001, cnonce="{cnonce}"'
    )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()
