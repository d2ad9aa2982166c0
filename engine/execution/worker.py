"""A worker process: RQ jobs of the queue ``external``."""

from __future__ import annotations

from rq import SimpleWorker
from rq.serializers import JSONSerializer

from engine.execution.external import job_queue, name_worker
from engine.kernel.bus import bus, connect_bus
from engine.kernel.db import process_app
from engine.kernel.settings import Settings


def run_worker(settings: Settings, name: str) -> None:
    """Work until SIGTERM. One job at a time, in this process: RQ's forking worker would share its connections."""
    process_app(settings)
    connect_bus(settings)
    name_worker(name)
    worker = SimpleWorker([job_queue()], connection=bus(), serializer=JSONSerializer)
    worker.work(logging_level="WARNING")
