"""``python -m media.agent --name agent-1``: run one agent until SIGTERM."""

from __future__ import annotations

import argparse
import fcntl
import logging
import os
import signal
import sys
import time

from media.agent.agent import Agent
from media.agent.configuration import Configuration, read_configuration
from media.agent.endpoint import SipError


def main() -> int:
    """Read the settings, take the lock, serve. 1: cannot serve, 2: wrong usage."""
    parser = argparse.ArgumentParser(prog="media.agent", description="One media agent of the platform.")
    parser.add_argument("--name", required=True, help="agent-1, agent-2, …; decides the ports")
    try:
        configuration = read_configuration(parser.parse_args().name)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    logging.basicConfig(
        level=configuration.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    lock = _lock(configuration)
    if lock is None:
        logging.error("%s runs already on %s", configuration.name, configuration.data_dir)
        return 1
    agent = Agent(configuration)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: agent.stop())
    try:
        agent.run()
    except SipError as error:
        logging.error("SIP port %d cannot be opened: %s", configuration.sip_port, error)
        return 1
    return 0


def _lock(configuration: Configuration) -> int | None:
    """Hold the agent's lock file until this process is gone: that is how hosts see its death at once."""
    configuration.lock.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(configuration.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    # A host that looks whether we live holds the lock for an instant.
    for _ in range(20):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(0.05)
        else:
            return descriptor
    os.close(descriptor)
    return None


if __name__ == "__main__":
    sys.exit(main())
