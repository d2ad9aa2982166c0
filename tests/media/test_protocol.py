"""Messages between hosts and agents, and who is believed to live."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.kernel.settings import Settings
from media.agent.configuration import DEFAULTS, read_configuration
from media.agent.invite import Invite, parse_invite
from media.agent.ledger import Ledger
from media.agent.resp import Resp, RespError
from media.protocol import (
    Acknowledge,
    Answer,
    Cancel,
    Collect,
    Command,
    Dial,
    Event,
    Message,
    Prompt,
    ProtocolError,
    Record,
    Reject,
    Resend,
    Sign,
    Watch,
    decode,
    encode,
)

INVITE = """INVITE sip:1000@127.0.0.1:15101;transport=udp SIP/2.0\r
Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1\r
f: "Somebody else" <sip:999@evil.example>;tag=1\r
To: <sip:1000@cms>\r
P-Asserted-Identity: "Amara" <sip:+4930123456@cms>\r
X-CMS-Account: larkspur-201\r
Call-ID: abc@127.0.0.1\r
\r
v=0\r
"""


@pytest.mark.parametrize(
    "message",
    [
        Command("t:1", "c", 3, "interactive-1", Collect(Prompt(text="Ü?", language="de"), max_digits=4), "i"),
        Command("t:1", "c", 3, "interactive-1", Record("/x.wav", stop_key="*")),
        Command("t:1", "c", 3, "interactive-1", Dial("201", "+49", 5)),
        Command("t:1:cancel", "c", 3, "interactive-1", Cancel("t:1")),
        Command("t:1", "c", 3, "interactive-1", Answer()),
        Command("t:1", "c", 3, "interactive-1", Reject(486)),
        Acknowledge("c", 7, 2, "interactive-2"),
        Resend("c", 3),
        Event("c", 1, "agent-1", "boot", "result", 1.5, "t:1", "play", "i", {"result": {}}),
    ],
    ids=lambda message: type(getattr(message, "action", message)).__name__,
)
def test_a_message_comes_back_as_it_was(message: Message) -> None:
    assert decode(encode(message)) == message


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'{"v": 2, "type": "event"}',
        b'{"v": 1, "type": "event", "call": "c"}',
        b'{"v": 1, "type": "gossip"}',
        b'{"v": 1, "type": "command", "verb": "sing", "arguments": {}}',
        b'{"v": 1, "type": "command", "verb": "play", "arguments": {"volume": 3}}',
    ],
)
def test_nonsense_is_refused(raw: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(raw)


def test_an_unknown_field_of_a_message_is_refused() -> None:
    body = json.loads(encode(Resend("c", 1)))
    with pytest.raises(ProtocolError):
        decode(json.dumps({**body, "more": 1}))


def test_alive_is_whose_sign_changes() -> None:
    watch = Watch()
    watch.look({"a": Sign("boot", 1), "b": Sign("boot", 7)}, now=100.0)
    watch.look({"a": Sign("boot", 2), "b": Sign("boot", 7)}, now=102.0)
    assert watch.alive(103.0, limit=1.5) == ["a"]
    assert watch.silence("b", 103.0) == 3.0
    assert watch.silence("never", 103.0) is None
    watch.look({"b": Sign("another", 7)}, now=104.0)
    assert watch.alive(104.0, limit=1.5) == ["b"]


def test_silence_while_nothing_can_be_seen_means_nothing() -> None:
    watch = Watch()
    watch.look({"a": Sign("boot", 1)}, now=100.0)
    watch.blind(110.0)
    assert watch.silence("a", 111.0) == 1.0


def _hosts(*names: str, now: float = 0.0) -> Watch:
    watch = Watch()
    watch.look({name: Sign("boot", 1) for name in names}, now)
    return watch


def _event(seq: int) -> Event:
    return Event("c", seq, "agent-1", "boot", "result")


def test_events_are_sent_until_they_are_acknowledged() -> None:
    ledger, hosts = Ledger(), _hosts("h")
    ledger.add(_event(1))
    ledger.add(_event(2))
    assert ledger.due(0.1, hosts) == [("h", _event(1)), ("h", _event(2))]
    assert ledger.due(0.2, hosts) == []
    ledger.acknowledge("c", 1)
    ledger.add(_event(3))
    assert ledger.due(0.3, hosts) == [("h", _event(3))]
    assert ledger.due(2.5, hosts) == [("h", _event(2)), ("h", _event(3))]
    ledger.acknowledge("c", 3)
    assert ledger.due(9.0, hosts) == []
    assert ledger.unacknowledged("c") == 0


def test_events_wait_for_a_host_and_then_go_to_a_living_one() -> None:
    ledger = Ledger()
    ledger.add(_event(1))
    assert ledger.due(0.0, Watch()) == []
    hosts = _hosts("a")
    assert ledger.due(0.1, hosts) == [("a", _event(1))]
    hosts.look({"b": Sign("boot", 1)}, now=5.0)
    assert ledger.due(5.0, hosts) == [("b", _event(1))], "a has been silent for five seconds"
    ledger.own("c", "a")
    assert ledger.due(5.1, hosts) == [("b", _event(1))], "nor does an owner that is dead get it"


def test_a_new_owner_gets_what_is_open_at_once() -> None:
    ledger, hosts = Ledger(), _hosts("a", "b")
    ledger.own("c", "a")
    ledger.add(_event(1))
    assert ledger.due(0.1, hosts) == [("a", _event(1))]
    ledger.own("c", "b")
    assert ledger.due(0.2, hosts) == [("b", _event(1))]
    ledger.again("c")
    assert ledger.due(0.3, hosts) == [("b", _event(1))]


def test_the_agent_reads_settings_as_the_platform_does(tmp_path: Path) -> None:
    defaults = Settings()
    assert {name: str(getattr(defaults, name)) for name in DEFAULTS} == {name: str(v) for name, v in DEFAULTS.items()}
    toml = tmp_path / "cms.toml"
    toml.write_text('agent_port = 7000\nrtp_port = 9000\nweb_port = 1\ndata_dir = "/d"\n')
    found = read_configuration("agent-3", {"CMS_CONFIG": str(toml), "CMS_RTP_PORT": "9500"})
    assert (found.sip_port, found.rtp_port, found.inbound) == (7003, 9700, 2)
    assert found.redis_url == "unix:///d/run/redis.sock"
    with pytest.raises(ValueError, match="agent-1"):
        read_configuration("agent", {})


def test_the_callers_identity_is_the_one_that_the_edge_vouches_for() -> None:
    assert parse_invite(INVITE) == Invite("1000", "+4930123456", "larkspur-201", "abc@127.0.0.1")
    withheld = INVITE.replace("P-Asserted-Identity", "X-Other").replace("999@evil.example", "anonymous@invalid")
    assert parse_invite(withheld).from_number == ""
    boastful = INVITE.replace('"Amara"', r'"sip:110@cms \" <sip:112@cms>"')
    assert parse_invite(boastful).from_number == "+4930123456"


def test_the_agents_redis_client_speaks_redis(redis_server: str) -> None:
    client = Resp(redis_server)
    assert client.call("SET", "k", b"\r\n\xff") == "OK"
    assert client.pipeline([("GET", "k"), ("GET", "none"), ("RPUSH", "l", "a", 2), ("LRANGE", "l", 0, -1)]) == [
        b"\r\n\xff",
        None,
        2,
        [b"a", b"2"],
    ]
    assert client.call("XREAD", "BLOCK", 1, "STREAMS", "s", "0-0") is None
    with pytest.raises(RespError, match="WRONGTYPE"):
        client.call("GET", "l")
    client.close()
    assert client.call("GET", "none") is None
    with pytest.raises(RespError, match="reached"):
        Resp("unix:///nowhere.sock").call("PING")
