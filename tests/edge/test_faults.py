"""What the edge does when an agent, a host's view of it, or Kamailio itself is lost."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from media.edge import end_dialogs
from media.edge.accounts import SipAccount, registered
from media.edge.release import agent_dialogs
from tests import support
from tests.edge.conftest import PASSWORD, Edge
from tests.edge.test_calls import call


def test_a_lost_agents_far_ends_are_released(edge: Edge, account: Callable[..., SipAccount]) -> None:
    account("201")
    agent, phone = edge.agent(1), edge.phone()
    answered_phone, answered = call(edge)
    agent.accept(agent.expect("INVITE"))
    answered_phone.finish(answered)
    agent.expect("ACK")
    ringing_phone, ringing = call(edge)
    agent.reply(agent.expect("INVITE"), 180, "Ringing")
    ringing_phone.expect(180)
    assert phone.register("201", PASSWORD) == 200
    dialled = agent.call_plainly("201")
    phone.accept(phone.expect("INVITE"))
    agent.finish(dialled)
    phone.expect("ACK")
    assert len(agent_dialogs(edge.settings, "agent-1")) == 3
    assert edge.loads()["agent-1"] == 2
    agent.close()
    started = time.monotonic()
    assert end_dialogs("agent-1") == 3
    bye = answered_phone.expect("BYE")
    assert bye["call-id"] == answered.call_id
    answered_phone.reply(bye, 200, "OK")
    assert ringing_phone.finish(ringing).answer.status == 480
    phone.reply(phone.expect("BYE"), 200, "OK")
    assert time.monotonic() - started < 1
    assert edge.loads()["agent-1"] == 0
    assert end_dialogs("agent-1") == 0


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_other_agents_calls_are_left_alone(edge: Edge, account: Callable[..., SipAccount]) -> None:
    account("201")
    agents = [edge.agent(1), edge.agent(2)]
    calls = []
    for _ in agents:
        phone, dialog = call(edge)
        agent = support.wait_until(lambda: next((item for item in agents if item.inbox.qsize()), None))
        agent.accept(agent.expect("INVITE"))
        phone.finish(dialog)
        agent.expect("ACK")
        calls.append((agent, phone, dialog))
    lost, other = (next(item for item in calls if item[0] is agent) for agent in agents)
    assert end_dialogs("agent-1") == 1
    assert lost[1].expect("BYE")["call-id"] == lost[2].call_id
    _, phone, dialog = other
    phone.within(dialog, "INFO")
    other[0].reply(other[0].expect("INFO"), 200, "OK")
    assert phone.final("INFO").status == 200


def test_registrations_and_calls_outlive_a_restart(edge: Edge, account: Callable[..., SipAccount]) -> None:
    account("201")
    agent, phone = edge.agent(1), edge.phone()
    assert phone.register("201", PASSWORD) == 200
    caller, dialog = call(edge)
    agent.accept(agent.expect("INVITE"))
    caller.finish(dialog)
    agent.expect("ACK")
    edge.restart()
    assert len(registered(edge.settings, "201")) == 1
    dialled = agent.call_plainly("201")
    phone.accept(phone.expect("INVITE"))
    assert agent.finish(dialled).answer.status == 200
    assert end_dialogs("agent-1") == 2
    assert caller.expect("BYE")["call-id"] == dialog.call_id


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("victim", ["kamailio", "guard", "both"])
def test_a_killed_kamailio_leaves_its_ports_free(edge: Edge, victim: str) -> None:
    guard = edge.process.pid
    main = next(pid for pid in edge.family() if f"\nPPid:\t{guard}\n" in Path(f"/proc/{pid}/status").read_text())
    for pid in {"kamailio": [main], "guard": [guard], "both": [guard, main]}[victim]:
        os.kill(pid, signal.SIGKILL)
    edge.process.wait(8)
    if victim != "both":
        support.wait_until(lambda: not edge.family(), 8, what="the end of Kamailio's processes")
    edge.start()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_calls_of_an_agents_new_life_are_spared(edge: Edge, account: Callable[..., SipAccount]) -> None:
    account("201")
    agent = edge.agent(1)
    phone, dialog = call(edge)
    agent.accept(agent.expect("INVITE"))
    phone.finish(dialog)
    agent.expect("ACK")
    assert end_dialogs("agent-1", started_before=time.time() - 60) == 0
    assert end_dialogs("agent-1", started_before=time.time() + 60) == 1
