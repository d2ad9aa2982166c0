"""Calls of phones and trunks to agents, and of agents to phones."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from media.edge.accounts import TRUNK_USERNAME, SipAccount
from tests import support
from tests.edge.conftest import PASSWORD, Edge
from tests.edge.sip import Dialog, Message, UserAgent

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def user_of(header: str) -> str:
    """The user part of an address header."""
    return re.search(r"sip:([^@>;]*)@", header).group(1)


def take(agents: list[UserAgent], timeout: float = 4) -> tuple[UserAgent, Message]:
    """Return the agent that got the INVITE, and the INVITE."""
    support.wait_until(lambda: any(agent.inbox.qsize() for agent in agents), timeout, what="an INVITE")
    agent = next(agent for agent in agents if agent.inbox.qsize())
    return agent, agent.expect("INVITE")


def call(edge: Edge, number: str = "1000") -> tuple[UserAgent, Dialog]:
    """Start a call of account 201 from a phone of its own."""
    phone = edge.phone()
    return phone, phone.invite(number, "201", PASSWORD)


def test_a_call_reaches_an_agent_with_the_accounts_own_number(edge: Edge, account: Callable[..., SipAccount]) -> None:
    account("desk-7", number="+4930555201", display_name='Anna "Smith"')
    agent = edge.agent(1)
    phone = edge.phone()
    forged = ("P-Asserted-Identity: <sip:+49110@cms>", "X-CMS-Account: admin", "Remote-Party-ID: <sip:+49110@cms>")
    dialog = phone.invite("+4930100000", "desk-7", PASSWORD, sender='"Bank" <sip:+49110@bank.example>', headers=forged)
    invite = agent.expect("INVITE")
    assert user_of(invite.uri) == "+4930100000"
    assert user_of(invite["from"]) == "+4930555201"
    assert invite["from"].startswith('"Anna Smith"')
    assert invite.all("p-asserted-identity") == ["<sip:+4930555201@cms>"]
    assert invite.all("x-cms-account") == ["desk-7"]
    assert invite.all("remote-party-id") == []
    assert "proxy-authorization" not in dict(invite.headers)
    at_agent = agent.accept(invite)
    phone.finish(dialog)
    assert dialog.answer.status == 200
    assert user_of(dialog.answer["from"]) == "+49110"  # the phone sees its own dialog unchanged
    agent.expect("ACK")
    phone.within(dialog, "INFO")
    info = agent.expect("INFO")
    assert user_of(info["from"]) == "+4930555201"
    agent.reply(info, 200, "OK")
    agent.within(at_agent, "BYE")
    bye = phone.expect("BYE")
    assert user_of(bye["to"]) == "+49110"
    phone.reply(bye, 200, "OK")
    assert agent.final("BYE").status == 200


def test_a_trunk_is_believed(edge: Edge) -> None:
    agent = edge.agent(1)
    password = edge.settings.secret("trunk_password")
    for sender, shown in [("<sip:+4930123456@x>", ["+4930123456"]), ("<sip:anonymous@anonymous.invalid>", [])]:
        trunk = edge.phone()
        dialog = trunk.invite("1000", TRUNK_USERNAME, password, sender=sender)
        invite = agent.expect("INVITE")
        assert user_of(invite["from"]) == user_of(sender)
        assert [user_of(value) for value in invite.all("p-asserted-identity")] == shown
        assert invite["x-cms-account"] == TRUNK_USERNAME
        agent.reply(invite, 603, "Decline")
        assert trunk.finish(dialog).answer.status == 603


def test_an_account_without_number_calls_anonymously(edge: Edge, account: Callable[..., SipAccount]) -> None:
    account("lobby", number="")
    agent, phone = edge.agent(1), edge.phone()
    phone.invite("1000", "lobby", PASSWORD)
    invite = agent.expect("INVITE")
    assert "anonymous" in invite["from"]
    assert invite.all("p-asserted-identity") == []


def test_without_account_nobody_calls(edge: Edge, account: Callable[..., SipAccount]) -> None:
    account("201")
    agent, phone = edge.agent(1), edge.phone()
    assert phone.call("1000", "201", "wrong password").answer.status == 407
    assert phone.call("1000", "999", PASSWORD).answer.status == 407
    assert agent.inbox.empty()


def test_calls_are_spread_and_the_pool_says_503_when_it_is_full(edge: Edge, account: Callable[..., SipAccount]) -> None:
    account("201")
    agents = [edge.agent(number) for number in (1, 2, 3)]
    calls = []
    for taken in range(6):
        phone, dialog = call(edge)
        agent, invite = take(agents)
        calls.append((phone, dialog, agent, agent.accept(invite)))
        phone.finish(dialog)
        agent.expect("ACK")
        assert max(edge.loads().values()) == taken // 3 + 1, "the least loaded agent gets the call"
    assert edge.loads() == {"agent-1": 2, "agent-2": 2, "agent-3": 2}
    refused = edge.phone().call("1000", "201", PASSWORD)
    assert refused.answer.status == 503
    assert refused.answer["retry-after"] == "5"
    phone, dialog, agent, _ = calls[0]
    phone.within(dialog, "BYE")
    agent.reply(agent.expect("BYE"), 200, "OK")
    phone, dialog = call(edge)
    assert take(agents)[0] is agent, "the slot that became free is used"


def test_a_full_and_a_dead_agent_are_passed_over(edge: Edge, account: Callable[..., SipAccount]) -> None:
    account("201")
    agents = [edge.agent(1), edge.agent(2, answers_options=False)]  # agent 3 does not exist
    busy, silent = agents
    phone, dialog = call(edge)
    seen = []
    for _ in range(2):
        agent, invite = take(agents, 6)
        seen.append(agent)
        if agent is busy:
            agent.reply(invite, 486, "Busy Here")
    assert phone.finish(dialog).answer.status == 503
    assert set(map(id, seen)) == {id(busy), id(silent)}
    assert edge.loads() == {"agent-1": 0, "agent-2": 0, "agent-3": 0}
    states = edge.agents()
    assert not states["agent-2"]["active"]
    assert not states["agent-3"]["active"]
    phone, dialog = call(edge)
    invite = busy.expect("INVITE", 0.5)  # the dead are not tried again, so nothing waits for them
    busy.accept(invite)
    assert phone.finish(dialog).answer.status == 200


@pytest.mark.parametrize("rings", [True, False])
def test_a_refusal_by_the_process_is_final(edge: Edge, account: Callable[..., SipAccount], rings: bool) -> None:
    account("201")
    agents = [edge.agent(number) for number in (1, 2, 3)]
    phone, dialog = call(edge)
    agent, invite = take(agents)
    if rings:
        agent.reply(invite, 180, "Ringing")
        phone.expect(180)
    agent.reply(invite, 486, "Busy Here", headers=() if rings else ("X-CMS-Refused: process",))
    assert phone.finish(dialog).answer.status == 486
    assert dialog.answer["x-cms-refused"] == ""
    assert sum(other.inbox.qsize() for other in agents if other is not agent) == 0
    assert set(edge.loads().values()) == {0}


def test_a_cancelled_call_leaves_no_load(edge: Edge, account: Callable[..., SipAccount]) -> None:
    account("201")
    agent = edge.agent(1)
    phone, dialog = call(edge)
    invite = agent.expect("INVITE")
    agent.reply(invite, 180, "Ringing")
    phone.expect(180)
    phone.cancel(dialog)
    assert phone.final("CANCEL").status == 200
    cancel = agent.expect("CANCEL")
    agent.reply(cancel, 200, "OK")
    agent.reply(invite, 487, "Request Terminated")
    assert phone.finish(dialog).answer.status == 487
    agent.expect("ACK")
    assert edge.loads()["agent-1"] == 0


def test_an_agent_calls_a_registered_phone(edge: Edge, account: Callable[..., SipAccount]) -> None:
    account("201")
    account("202")
    agent, phone = edge.agent(1), edge.phone()
    assert phone.register("201", PASSWORD) == 200
    dialog = agent.call_plainly("201")
    invite = phone.expect("INVITE")
    phone.reply(invite, 180, "Ringing")
    at_phone = phone.accept(invite)
    assert agent.finish(dialog).answer.status == 200
    phone.expect("ACK")
    assert edge.loads()["agent-1"] == 0, "its own calls do not count against the calls it may take"
    phone.within(at_phone, "BYE")
    agent.reply(agent.expect("BYE"), 200, "OK")
    assert phone.final("BYE").status == 200
    dialog = agent.call_plainly("201")
    phone.reply(phone.expect("INVITE"), 486, "Busy Here")
    assert agent.finish(dialog).answer.status == 486
    assert agent.finish(agent.call_plainly("202")).answer.status == 480
    assert agent.finish(agent.call_plainly("203")).answer.status == 404
    stranger = edge.phone()
    assert stranger.finish(stranger.call_plainly("201")).answer.status == 407


def test_other_methods_are_refused(edge: Edge) -> None:
    phone = edge.phone()
    phone.request("PUBLISH", "sip:201@cms", sender="<sip:x@cms>;tag=1", to="<sip:201@cms>", call_id="p", cseq=1)
    assert phone.final("PUBLISH").status == 405
    phone.request("BYE", "sip:201@cms", sender="<sip:x@cms>;tag=1", to="<sip:201@cms>;tag=2", call_id="b", cseq=1)
    assert phone.final("BYE").status == 481
