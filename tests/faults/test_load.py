"""A hundred calls, one a second: each leaves exactly what it should, and no process grows.

Not part of every run (three minutes): ``./cms test -m load``.
"""

from __future__ import annotations

import struct
import subprocess
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from tests.deployment import Platform
from tests.deployment import platform as platform_of_its_own
from tests.faults.phone import PACKET, to_mulaw
from tests.sip.caller import INVITE, PROVISIONAL, SDP, Sipp, hung_up, pause, request, samples, scenario
from tests.support import free_ports, wait_until

pytestmark = [pytest.mark.load, pytest.mark.timeout(600)]

CALLS = 100
KNOWN = ("+4930123456", "+4930123457")
STRANGER = "+4930999888"
AGENTS = 10
#: Seconds after the answer at which the greeting is over and the recording runs.
GREETING_MS = 8_500
#: Bytes by which a process may grow during the second half of the calls: buffers that fill, but no leak of calls.
GROWTH = 12_000_000
OPEN_TASKS = "SELECT count(*) FROM user_task WHERE status = 'open'"

#: The edge stands between caller and agent: what belongs to the call goes along the recorded route.
ACKNOWLEDGE = """<send><![CDATA[

ACK [next_url] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
[routes]
From: <sip:[field0]@[local_ip]:[local_port]>;tag=[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 2 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>"""


def authenticated(platform: Platform, *steps: str) -> str:
    """Return the scenario of a caller behind the trusted trunk, who is answered."""
    password = platform.settings.secret("trunk_password")
    to = "To: <sip:[service]@[remote_ip]:[remote_port]>"
    digest = f"[authentication username=cms-dial password={password}]"
    first = INVITE + '<recv response="100" optional="true"/><recv response="407" auth="true"/>' + request("ACK", 1)
    again = request("INVITE", 2, body=SDP, to=f"{to}\n{digest}")
    whole = scenario(first, again, PROVISIONAL, '<recv response="200" rrs="true"/>', ACKNOWLEDGE, *steps)
    return whole.replace("+4930123456", "[field0]").replace("[media_port]", "[auto_media_port]")


def speech(directory: Path) -> Path:
    """Write three seconds of speech as a capture of RTP packets, which SIPp plays."""
    wav = directory / "speech.wav"
    text = "This is a message for the load test of the telephone platform."
    subprocess.run(["espeak-ng", "-w", directory / "raw.wav", text], check=True)
    subprocess.run(
        ["sox", directory / "raw.wav", "-r", "8000", "-c", "1", "-b", "16", wav, "trim", "0", "3"],
        check=True,
    )
    path = directory / "speech.pcap"
    write_capture(path, to_mulaw(samples(wav)))
    return path


def write_capture(path: Path, coded: bytes) -> None:
    """Write G.711 as packets of 20 ms: Ethernet, IP, UDP and RTP heads, of which SIPp replaces the first three."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1))
        for number in range(len(coded) // PACKET):
            rtp = struct.pack("!BBHII", 0x80, 0, number + 1, number * PACKET, 0x10AD)
            rtp += coded[number * PACKET : (number + 1) * PACKET]
            udp = struct.pack("!HHHH", 6000, 6000, 8 + len(rtp), 0) + rtp
            host = b"\x7f\0\0\1"
            ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, host, host) + udp
            frame = b"\0" * 12 + b"\x08\0" + ip
            seconds, rest = divmod(number * 20_000, 1_000_000)
            file.write(struct.pack("<IIII", seconds, rest, len(frame), len(frame)) + frame)


def memory(platform: Platform) -> dict[str, int]:
    """Return the resident bytes of every process, by what it is."""
    assert platform.process is not None
    family = [psutil.Process(platform.process.pid), *psutil.Process(platform.process.pid).children(recursive=True)]
    return {f"{process.pid} {' '.join(process.cmdline())[:120]}": process.memory_info().rss for process in family}


def half(platform: Platform, directory: Path, count: int) -> None:
    """Make ``count`` calls, one a second: known callers and strangers in turn."""
    directory.mkdir()
    (directory / "known.csv").write_text("SEQUENTIAL\n" + "".join(f"{number};\n" for number in KNOWN))
    (directory / "strangers.csv").write_text(f"SEQUENTIAL\n{STRANGER};\n")
    say = f'<nop><action><exec play_pcap_audio="{speech(directory)}"/></action></nop>'
    target = f"127.0.0.1:{platform.settings.sip_port}"
    rate = ["-s", "1000", "-m", str(count // 2), "-r", "1", "-rp", "2000", "-timeout", "300s", "-l", "100"]
    media = free_ports(800, consecutive=True)
    known = authenticated(platform, pause(GREETING_MS), say, pause(3_000), hung_up())
    strangers = authenticated(platform, hung_up())
    with ExitStack() as stack:
        runs = [
            stack.enter_context(
                Sipp(
                    directory,
                    xml,
                    *rate,
                    *("-inf", str(directory / file)),
                    port=free_ports(1)[0],
                    media_port=port,
                    target=target,
                )
            )
            for xml, file, port in ((known, "known.csv", media[0]), (strangers, "strangers.csv", media[400]))
        ]
        assert [run.verdict(300) for run in runs] == [0, 0]


def count(platform: Platform, statement: str) -> int:
    """Return the number that a statement counts."""
    return int(next(iter(platform.query(statement)[0].values())))


def test_a_hundred_calls_leave_exactly_what_they_should(tmp_path: Path) -> None:
    with platform_of_its_own(agents=AGENTS) as platform:
        half(platform, tmp_path / "first", CALLS // 2)
        wait_until(lambda: count(platform, OPEN_TASKS) == CALLS // 4, 60, what="the tasks after the mails")
        before = memory(platform)
        half(platform, tmp_path / "second", CALLS - CALLS // 2)
        wait_until(lambda: count(platform, OPEN_TASKS) >= CALLS // 2, 60, what="the tasks after the mails")
        after = memory(platform)
        assert count(platform, "SELECT count(*) FROM incident") == 0
        assert count(platform, "SELECT count(*) FROM call WHERE state = 'ended' AND instance_id IS NOT NULL") == CALLS
        assert count(platform, "SELECT count(*) FROM memo") == CALLS // 2
        assert count(platform, "SELECT count(DISTINCT recording_id) FROM memo") == CALLS // 2
        assert count(platform, OPEN_TASKS) == CALLS // 2
        assert count(platform, "SELECT count(*) FROM caught_mail") == CALLS // 2
        assert count(platform, "SELECT count(*) FROM instance") == CALLS
        waiting = "SELECT count(*) FROM instance WHERE status = 'waiting'"  # for their review
        assert count(platform, waiting) == CALLS // 2
        ends = "SELECT count(*) FROM (SELECT instance_id FROM history GROUP BY instance_id) AS one"
        assert count(platform, ends) == CALLS
        short = "SELECT count(*) FROM recording WHERE duration_s < 2.5"
        assert count(platform, short) == 0, "what was said is in the recording"
    grown = {name: size - before[name] for name, size in after.items() if name in before}
    assert {name: size for name, size in grown.items() if size > GROWTH} == {}
    print("\n".join(f"{size / 1e6:+7.1f} MB  {name}" for name, size in grown.items()))
