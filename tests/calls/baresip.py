"""An independent SIP phone for tests: Debian's baresip, which registers, answers, plays a tone and records."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import support
from tests.sip.caller import sound

MODULES = "/usr/lib/baresip/modules"
CONFIG = """\
poll_method epoll
sip_listen 127.0.0.1:{port}
net_interface 127.0.0.1
rtp_ports {rtp}-{rtp_end}
audio_player aubridge,out
audio_source aufile,{says}
snd_path {directory}
ausrc_srate 8000
auplay_srate 8000
module_path {modules}
module stdio.so
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
"""
ACCOUNT = "<sip:{user}@127.0.0.1:{sip_port};transport=udp>;auth_pass={password};answermode={answer};regint=60\n"


class Phone:
    """A running baresip."""

    def __init__(self, directory: Path, process: subprocess.Popen[str]) -> None:
        self._directory = directory
        self._log = directory / "baresip.log"
        self.process = process

    @property
    def log(self) -> str:
        """What it has printed."""
        return self._log.read_text(errors="replace")

    @property
    def heard(self) -> Path:
        """What it heard in its last call, 8 kHz mono; complete once the call has ended."""
        return max(self._directory.glob("dump-*-dec.wav"))

    def registered(self) -> bool:
        """Whether the registrar has accepted it."""
        return "200 OK" in self.log

    def refused(self) -> bool:
        """Whether the registrar has turned it away."""
        return "401 Unauthorized" in self.log or "403" in self.log


@contextmanager
def phone(
    directory: Path, sip_port: int, user: str, password: str, *, tone: int = 440, answer: str = "auto"
) -> Iterator[Phone]:
    """Run a phone that registers as ``user``, answers by itself (``answer="manual"``: only rings) and plays a tone."""
    directory.mkdir(parents=True, exist_ok=True)
    (port,) = support.free_ports(1)
    rtp = 61_000 + port % 200 * 20
    says = sound(directory / "says.wav", "synth", "60", "sine", str(tone), "vol", "0.3")
    (directory / "config").write_text(
        CONFIG.format(port=port, rtp=rtp, rtp_end=rtp + 18, says=says, directory=directory, modules=MODULES)
    )
    (directory / "accounts").write_text(ACCOUNT.format(user=user, sip_port=sip_port, password=password, answer=answer))
    (directory / "contacts").write_text("")
    with (directory / "baresip.log").open("w") as log:
        process = subprocess.Popen(
            ["baresip", "-f", str(directory)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield Phone(directory, process)
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
