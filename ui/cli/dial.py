"""``cms dial``: a real SIP call through the edge."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from engine.kernel.errors import CmsError, ConfigurationError, InvalidInput
from engine.kernel.settings import Settings, load_settings
from media.edge.accounts import TRUNK_USERNAME
from media.edge.probe import edge_probes
from media.plan import Plan

WITHHELD = "anonymous"
NUMBER = re.compile(r"[+*#0-9A-Za-z][0-9A-Za-z_.*#-]*")
KEYS = re.compile(r"[0-9*#A-Da-d,]*")


class NotConnected(CmsError):
    """The call was not answered; the message says why."""

    code = "dial.not_connected"


@click.command()
@click.argument("number")
@click.option("--from", "caller", default="", help="Caller's number; without it the number is withheld.")
@click.option("--press", default="", metavar="KEYS", help='Keys to press after the answer; "," waits a second.')
@click.option("--speak", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Sound file to speak.")
@click.option("--speak-after", type=float, metavar="SECONDS", help="When; default: once the far end is silent.")
@click.option("--record", type=click.Path(dir_okay=False, path_type=Path), help="WAV file for what was heard.")
@click.option("--max-duration", type=float, default=120.0, show_default=True, metavar="SECONDS")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def dial(
    number: str,
    caller: str,
    press: str,
    speak: Path | None,
    speak_after: float | None,
    record: Path | None,
    max_duration: float,
    as_json: bool,
) -> None:
    """Call NUMBER as a telephone network would, and say what happened.

    Ends when the far end hangs up. Exit code 0: answered.
    """
    _check(number, caller, press)
    settings = load_settings()
    edge = next(iter(edge_probes(settings)))
    if not edge.ok:
        raise NotConnected(f"nobody answers SIP on port {settings.sip_port}; is ./cms run up? ({edge.detail})")
    with tempfile.TemporaryDirectory(prefix="cms-dial-") as directory:
        plan = _plan(settings, number, caller, press, max_duration)
        heard = Path(directory) / "heard.wav"
        words = _playable(speak, Path(directory)) if speak else ""
        outcome = make_call({**plan, "speak": words, "speak_after": speak_after, "record": str(heard)})
        if record is not None and heard.exists():
            shutil.copyfile(heard, record)
    if as_json:
        click.echo(json.dumps(outcome, indent=2))
    else:
        _describe(number, outcome)
    if outcome["result"] != "answered":
        raise NotConnected(f"{number} was not reached: {_reason(outcome)}")


def _check(number: str, caller: str, press: str) -> None:
    if not NUMBER.fullmatch(number):
        raise InvalidInput(f"{number!r} is not a number that can be dialled.", {"number": "Digits, letters, + * #."})
    if caller and not NUMBER.fullmatch(caller):
        raise InvalidInput(f"{caller!r} is not a caller's number.", {"from": "Such as +4930123456."})
    if not KEYS.fullmatch(press):
        raise InvalidInput(f"{press!r} are not keys.", {"press": "0-9, *, #, A-D, and commas."})


def _plan(settings: Settings, number: str, caller: str, press: str, max_duration: float) -> dict[str, Any]:
    edge = f"127.0.0.1:{settings.sip_port}"
    return asdict(
        Plan(
            target=f"sip:{number}@{edge}",
            caller=f"sip:{caller or WITHHELD}@{edge}",
            username=TRUNK_USERNAME,
            password=settings.secret("trunk_password"),
            press=press,
            max_duration=max_duration,
        )
    )


def make_call(plan: dict[str, Any]) -> dict[str, Any]:
    """Let a process of its own make the call, because pjsua2 may end it by abort. Raises ``CmsError``."""
    done = subprocess.run(
        [sys.executable, "-m", "media.agent.dialer"],
        input=json.dumps(plan).encode(),
        capture_output=True,
        cwd=Path(__file__).parents[2],
        timeout=plan["max_duration"] + plan["ring_timeout"] + 30,
        check=False,
    )
    try:
        outcome: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise CmsError(f"the caller's process ended with {done.returncode}: {said[-1] if said else ''}") from error
    return outcome


def _playable(path: Path, directory: Path) -> str:
    """Return the sound as WAV of 8 kHz, mono."""
    made = directory / "speak.wav"
    try:
        subprocess.run(["sox", path, "-r", "8000", "-c", "1", "-b", "16", made], capture_output=True, check=True)
    except FileNotFoundError as error:
        raise ConfigurationError("sox is not installed; ./cms install brings it") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        raise InvalidInput(f"{path} is not a sound: {said[-1] if said else ''}", {"speak": "A WAV file."}) from error
    return str(made)


def _describe(number: str, outcome: dict[str, Any]) -> None:
    for item in outcome["events"]:
        more = "  ".join(str(value) for key, value in item.items() if key not in ("at_s", "event"))
        click.echo(f"{item['at_s']:7.2f} s  {item['event']}  {more}".rstrip())
    click.echo(f"{number}: {outcome['result']}, {outcome['duration_s']:.1f} s")


def _reason(outcome: dict[str, Any]) -> str:
    status = outcome.get("status")
    if outcome.get("message"):
        return str(outcome["message"])
    if status in (401, 407, 403):
        return f"the edge refused the account {TRUNK_USERNAME} ({status})"
    return f"{outcome['result'].replace('_', ' ')} ({status})"
