"""What hosts and media agents say to each other, as JSON in Redis streams.

A host writes *commands* and acknowledgements to the agent's stream; the agent writes *events* to the inbox stream of
the host that owns the call. Both sides keep what was not answered and say it again, so Redis may lose anything:

- a command's ``id`` is token and attempt: the agent does each once and answers a repeated one with the kept result;
- ``(call, seq)`` numbers the events of a call: the host takes each once, in order, and acknowledges after its commit;
- ``epoch`` grows whenever a call changes its host: an agent refuses commands of an older one;
- ``v`` is the version of this file's messages.

This module is all that an agent shares with the platform: standard library only.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, TypeAlias

VERSION = 1

#: field of a stream entry that holds the message
FIELD = "m"
#: hash of the agents' signs of life, by name
AGENTS = "cms:agents"
#: hash of the signs of life of hosts that take calls, by name
HOSTS = "cms:hosts"
#: longest a stream may grow before old entries are dropped
STREAM_LIMIT = 10_000
#: seconds after which an unacknowledged event is sent again
RESEND_AFTER = 2.0
#: seconds without a sign of life after which agents give a host's calls to another one
HOST_SILENCE = 3.0


def agent_stream(agent: str) -> str:
    """Return the stream that an agent reads its commands from."""
    return f"cms:agent:{agent}"


def inbox_stream(host: str) -> str:
    """Return the stream that a host reads its calls' events from."""
    return f"cms:inbox:{host}"


class ProtocolError(ValueError):
    """A message of another version, or one that makes no sense."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a caller hears: a spoken ``text``, a WAV ``file`` (absolute path), a shipped ``sound``, or nothing."""

    text: str = ""
    language: str = "en"
    file: str = ""
    sound: str = ""

    def __bool__(self) -> bool:
        return bool(self.text or self.file or self.sound)


@dataclass(frozen=True, slots=True)
class Answer:
    """Take the call. Result ``{}`` once the caller has confirmed."""

    verb: ClassVar[str] = "answer"


@dataclass(frozen=True, slots=True)
class Reject:
    """Refuse a ringing call with a SIP status. Result ``{}``."""

    verb: ClassVar[str] = "reject"
    status: int = 603


@dataclass(frozen=True, slots=True)
class Play:
    """Let the caller hear a prompt to its end. Result ``{}``."""

    verb: ClassVar[str] = "play"
    prompt: Prompt = field(default_factory=Prompt)


@dataclass(frozen=True, slots=True)
class Collect:
    """Gather keys, also those pressed before. Result ``{"digits", "reason": "digits|terminator|timeout|no_input"}``."""

    verb: ClassVar[str] = "collect"
    prompt: Prompt = field(default_factory=Prompt)
    max_digits: int = 1
    first_digit_timeout: float = 5.0
    inter_digit_timeout: float = 3.0
    terminator: str = "#"
    barge_in: bool = True


@dataclass(frozen=True, slots=True)
class Record:
    """Write the caller's voice to ``path``. Result ``{"duration_s", "reason": "silence|maximum|key|hangup"}``."""

    verb: ClassVar[str] = "record"
    path: str = ""
    max_duration: float = 120.0
    max_silence: float = 3.0
    stop_key: str = "#"
    beep: bool = True


@dataclass(frozen=True, slots=True)
class Dial:
    """Ring ``target`` through the edge and join it with the caller until one of them hangs up.

    Result ``{"result": "answered|busy|no_answer|unavailable", "duration_s"}``.
    """

    verb: ClassVar[str] = "dial"
    target: str = ""
    caller: str = ""
    timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class SendDtmf:
    """Press keys towards the caller. Result ``{}``."""

    verb: ClassVar[str] = "send_dtmf"
    digits: str = ""


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call. Result ``{}``, before the call's ``ended``."""

    verb: ClassVar[str] = "hangup"


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop the command ``target`` at once, or forget it if it waits. Neither of them is answered."""

    verb: ClassVar[str] = "cancel"
    target: str = ""


Action: TypeAlias = Answer | Reject | Play | Collect | Record | Dial | SendDtmf | Hangup | Cancel
ACTIONS: dict[str, type[Any]] = {
    action.verb: action for action in (Answer, Reject, Play, Collect, Record, Dial, SendDtmf, Hangup, Cancel)
}


def action_from(verb: str, arguments: dict[str, Any]) -> Action:
    """Return the typed action. Raises ``ProtocolError`` for an unknown verb or argument."""
    if verb not in ACTIONS:
        raise ProtocolError(f"there is no verb {verb!r}")
    values = dict(arguments)
    try:
        if isinstance(values.get("prompt"), dict):
            values["prompt"] = Prompt(**values["prompt"])
        action: Action = ACTIONS[verb](**values)
    except TypeError as error:
        raise ProtocolError(f"{verb}: {error}") from error
    return action


@dataclass(frozen=True, slots=True)
class Command:
    """A host asks for ``action`` in a call; its answer goes to ``host``."""

    type: ClassVar[str] = "command"
    id: str
    call: str
    epoch: int
    host: str
    action: Action
    #: process instance that waits for the answer; comes back with it
    instance: str = ""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """A host has committed the call's events up to ``seq``, and owns it from now on in ``epoch``."""

    type: ClassVar[str] = "acknowledge"
    call: str
    seq: int
    epoch: int
    host: str


@dataclass(frozen=True, slots=True)
class Resend:
    """A host misses the call's events after ``seq``."""

    type: ClassVar[str] = "resend"
    call: str
    seq: int


@dataclass(frozen=True, slots=True)
class Event:
    """An agent reports. ``event`` is ``incoming``, ``answered``, ``result``, ``ended``, or ``unknown``: a command for a
    call that the agent does not have, answered without a number (``seq`` 0)."""

    type: ClassVar[str] = "event"
    call: str
    seq: int
    agent: str
    boot: str
    event: str
    #: wall clock of the agent, seconds since 1970
    at: float = 0.0
    #: command that a ``result`` or ``unknown`` answers, its verb and instance
    id: str = ""
    verb: str = ""
    instance: str = ""
    data: dict[str, Any] = field(default_factory=dict)


Message: TypeAlias = Command | Acknowledge | Resend | Event


def encode(message: Message) -> bytes:
    """Return the message as JSON."""
    body = asdict(message)
    if isinstance(message, Command):
        body["verb"] = message.action.verb
        body["arguments"] = body.pop("action")
    return json.dumps({"v": VERSION, "type": message.type, **body}, separators=(",", ":")).encode()


def decode(raw: bytes | str) -> Message:
    """Return the message. Raises ``ProtocolError`` when it is none of this version."""
    try:
        body = json.loads(raw)
        version, kind = body.pop("v"), body.pop("type")
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise ProtocolError(f"not a message: {raw[:100]!r}") from error
    if version != VERSION:
        raise ProtocolError(f"version {version} is not spoken here, only {VERSION}")
    try:
        if kind == Command.type:
            action = action_from(body.pop("verb"), body.pop("arguments"))
            return Command(action=action, **body)
        return {item.type: item for item in (Acknowledge, Resend, Event)}[kind](**body)
    except (TypeError, KeyError) as error:
        raise ProtocolError(f"{kind}: {error}") from error


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of life in ``AGENTS`` or ``HOSTS``. Alive is whose ``beat`` changes, so no clocks are compared."""

    boot: str
    beat: int
    #: wall clock at the start of the process, seconds since 1970
    started: float = 0.0
    #: how many calls it could take now
    free: int = 0
    #: agents: a snapshot of each call: ``id``, ``state``, ``seq``, ``doing`` (verb), ``since``
    calls: list[dict[str, Any]] = field(default_factory=list)
    #: agents: file that is locked as long as the process lives, and the machine on which that can be seen
    lock: str = ""
    machine: str = ""
    pid: int = 0

    def encode(self) -> bytes:
        """Return the sign as JSON."""
        return json.dumps({"v": VERSION, **asdict(self)}, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, raw: bytes | str) -> Sign:
        """Return the sign. Raises ``ProtocolError`` when it is none of this version."""
        try:
            body = json.loads(raw)
            if body.pop("v") != VERSION:
                raise ProtocolError("a sign of another version")
            return cls(**body)
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise ProtocolError(f"not a sign of life: {raw[:100]!r}") from error


class Watch:
    """Tells who of a group is alive by their changing signs, on the watcher's own monotonic clock."""

    def __init__(self) -> None:
        self._signs: dict[str, Sign] = {}
        self._changed: dict[str, float] = {}

    def look(self, signs: dict[str, Sign], now: float) -> None:
        """Take in the group's signs as they are now."""
        for name, sign in signs.items():
            before = self._signs.get(name)
            if before is None or (before.boot, before.beat) != (sign.boot, sign.beat):
                self._changed[name] = now
        self._signs = {**self._signs, **signs}

    def blind(self, now: float) -> None:
        """The signs cannot be seen: silence up to now means nothing."""
        for name in self._changed:
            self._changed[name] = now

    def sign(self, name: str) -> Sign | None:
        """Return the last sign that was seen of ``name``."""
        return self._signs.get(name)

    def silence(self, name: str, now: float) -> float | None:
        """Return the seconds since ``name`` last changed its sign; None when it was never seen."""
        changed = self._changed.get(name)
        return None if changed is None else now - changed

    def alive(self, now: float, limit: float) -> list[str]:
        """Return the names that changed their sign within ``limit`` seconds."""
        return sorted(name for name, changed in self._changed.items() if now - changed <= limit)

    def forget(self, name: str) -> None:
        """Drop what is known of ``name``."""
        self._signs.pop(name, None)
        self._changed.pop(name, None)
