"""Dialling somebody else for the caller: SIPp is the edge and the far end in one."""

from __future__ import annotations

import time

import pytest

from media.protocol import Answer, Collect, Dial, Hangup
from tests import support
from tests.sip import caller
from tests.sip.caller import Sipp
from tests.sip.driver import Driver, Line, agent

RESPOND = """<send{more}><![CDATA[

SIP/2.0 {status}
[last_Via:]
[last_From:]
[last_To:];tag=far[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:far@[local_ip]:[local_port]>
{body}

]]></send>"""
INVITED = '<recv request="INVITE"/>'
ACKNOWLEDGED = '<recv request="ACK"/>'
SDP = caller.SDP


def respond(status: str, body: str = "Content-Length: 0") -> str:
    """Return the step of a far end that answers a request."""
    more = "" if status.startswith("1") else ' retrans="500"'
    return RESPOND.format(status=status, body=body, more=more)


def done(method: str) -> str:
    """Return the step of a far end that is sent a request and agrees."""
    return f'<recv request="{method}" timeout="15000"/>' + RESPOND.format(
        status="200 OK", body="Content-Length: 0", more=""
    ).replace(";tag=far[call_number]", "")


BYE = """<send retrans="500"><![CDATA[

BYE [next_url] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
[$far];tag=far[call_number]
[$near]
[last_Call-ID:]
CSeq: 1 BYE
Max-Forwards: 70
Content-Length: 0

]]></send><recv response="200"/>"""


class Exchange:
    """An agent whose edge is a SIPp that plays ``far_end``."""

    def __init__(self, data_dir, redis_url: str) -> None:
        self.directory, self.redis_url = data_dir, redis_url
        # SIPp takes its media port and the three after it.
        self.ports = support.free_ports(24)

    def far_end(self, xml: str) -> Sipp:
        """Be the far end of the next call."""
        return Sipp(self.directory, xml, port=self.ports[0], media_port=self.ports[8])

    def agent(self):
        """Run the agent."""
        return agent(self.directory, self.redis_url, self.ports[1], rtp_port=24_200, edge_port=self.ports[0])

    def call(self, driver: Driver, xml: str) -> tuple[Sipp, Line]:
        """Call the agent and answer."""
        target = f"127.0.0.1:{self.ports[1]}"
        sipp = Sipp(self.directory, xml, "-s", "2000", port=self.ports[2], media_port=self.ports[16], target=target)
        line = driver.next_call()
        assert line.do(Answer()) == {}
        return sipp, line


@pytest.fixture
def exchange(data_dir, redis_server: str) -> Exchange:
    return Exchange(data_dir, redis_server)


def test_both_talk_until_the_caller_hangs_up(exchange: Exchange) -> None:
    far = caller.scenario(INVITED, respond("180 Ringing"), respond("200 OK", SDP), ACKNOWLEDGED, done("BYE"))
    with exchange.agent(), Driver(exchange.redis_url) as driver, exchange.far_end(far) as far_end:
        sipp, line = exchange.call(driver, caller.answered(caller.pause(2500)))
        with sipp:
            command = line.order(Dial("201", caller="+4930123456"))
            result = line.wait("result", command=command)
            assert result.data["result"]["result"] == "answered"
            assert 1 < result.data["result"]["duration_s"] < 4
            assert line.wait("ended").seq > result.seq
            assert sipp.verdict() == 0
            assert far_end.verdict() == 0


@pytest.mark.parametrize(
    ("status", "result"),
    [("486 Busy Here", "busy"), ("480 Temporarily Unavailable", "unavailable"), ("404 Not Found", "unavailable"),
     ("408 Request Timeout", "no_answer"), ("603 Decline", "busy")],
)  # fmt: skip
def test_a_target_that_does_not_answer_gives_its_reason(exchange: Exchange, status: str, result: str) -> None:
    far = caller.scenario(INVITED, respond(status), ACKNOWLEDGED)
    with exchange.agent(), Driver(exchange.redis_url) as driver, exchange.far_end(far) as far_end:
        sipp, line = exchange.call(driver, caller.answered(bye=False))
        with sipp:
            assert line.do(Dial("201")) == {"result": result, "duration_s": 0.0}
            assert line.do(Collect(first_digit_timeout=0.1))["reason"] == "no_input", "the caller is still there"
            line.do(Hangup())
            assert far_end.verdict() == 0
            assert sipp.verdict() == 0


CANCELLED = (
    '<recv request="CANCEL" timeout="15000"/>'
    + RESPOND.format(status="200 OK", body="Content-Length: 0", more="")
    + """<send retrans="500"><![CDATA[

SIP/2.0 487 Request Terminated
[last_Via:]
[last_From:]
[last_To:];tag=far[call_number]
[last_Call-ID:]
CSeq: [cseq] INVITE
Content-Length: 0

]]></send>"""
    + ACKNOWLEDGED
)


def test_ringing_too_long_is_no_answer_and_stops(exchange: Exchange) -> None:
    far = caller.scenario(INVITED, respond("180 Ringing"), CANCELLED)
    with exchange.agent(), Driver(exchange.redis_url) as driver, exchange.far_end(far) as far_end:
        sipp, line = exchange.call(driver, caller.answered(bye=False))
        with sipp:
            assert line.do(Dial("201", timeout=1.0)) == {"result": "no_answer", "duration_s": 0.0}
            line.do(Hangup())
            assert far_end.verdict() == 0
            assert sipp.verdict() == 0


def test_a_caller_who_gives_up_while_it_rings_releases_the_target(exchange: Exchange) -> None:
    far = caller.scenario(INVITED, respond("180 Ringing"), CANCELLED)
    with exchange.agent(), Driver(exchange.redis_url) as driver, exchange.far_end(far) as far_end:
        sipp, line = exchange.call(driver, caller.answered(caller.pause(1500)))
        with sipp:
            command = line.order(Dial("201"))
            ended = line.wait("ended")
            assert line.wait("result", command=command).data["error"]["code"] == "call.ended"
            assert ended.data["cause"] == "hangup"
            assert far_end.verdict() == 0
            assert sipp.verdict() == 0


def test_when_the_target_hangs_up_the_caller_goes_on(exchange: Exchange) -> None:
    remember = (
        '<recv request="INVITE" rrs="true"><action><ereg regexp=".*" search_in="hdr" header="From:" assign_to="1"/>'
        '<ereg regexp=".*" search_in="hdr" header="To:" assign_to="2"/></action></recv>'
    )
    bye = BYE.replace("[$far]", "From:[$2]").replace("[$near]", "To:[$1]")
    far = caller.scenario(
        remember, respond("180 Ringing"), respond("200 OK", SDP), ACKNOWLEDGED, caller.pause(1000), bye
    )
    with exchange.agent(), Driver(exchange.redis_url) as driver, exchange.far_end(far) as far_end:
        sipp, line = exchange.call(driver, caller.answered(bye=False))
        with sipp:
            result = line.do(Dial("201"))
            assert result["result"] == "answered"
            assert result["duration_s"] == pytest.approx(1.0, abs=0.6)
            began = time.monotonic()
            assert line.do(Collect(first_digit_timeout=0.2))["reason"] == "no_input"
            assert time.monotonic() - began < 2
            line.do(Hangup())
            assert far_end.verdict() == 0
            assert sipp.verdict() == 0


def test_a_target_that_is_no_address_is_unavailable(exchange: Exchange) -> None:
    with exchange.agent(), Driver(exchange.redis_url) as driver:
        sipp, line = exchange.call(driver, caller.answered(bye=False))
        with sipp:
            assert line.do(Dial("201@evil.example>;x=")) == {"result": "unavailable", "duration_s": 0.0}
            line.do(Hangup())
            assert sipp.verdict() == 0
