"""The engine's public face: what other rooms may call.

Unless it says otherwise a function needs an open unit of work. Everything that moves an instance only inserts an
event row and rings; a host delivers it (see ``engine.execution.advance``).
"""

from __future__ import annotations

from engine.definitions.models import Definition
from engine.definitions.parameters import check as check_parameters
from engine.definitions.parameters import with_defaults
from engine.definitions.problems import Problem, Refused
from engine.definitions.store import (
    definition_by_id,
    deploy,
    deployment_files,
    diagram_xml,
    find_definition,
    lint_files,
    list_definitions,
)
from engine.execution.answers import Failure, resume
from engine.execution.carriers import register_carrier
from engine.execution.clock import register_sweep, run_clock
from engine.execution.events import statuses
from engine.execution.history import history, state_at
from engine.execution.host import Listener, run_host
from engine.execution.incidents import cancel_instance, list_incidents, retry_incident, skip_incident
from engine.execution.messages import send_message, send_signal
from engine.execution.records import History, Incident, Instance, Outbox, UserTask
from engine.execution.starting import start
from engine.execution.tasks import claim_task, complete_task, get_task, list_tasks, may_do, release_task
from engine.execution.view import show
from engine.execution.waiting import wait_for_event
from engine.execution.worker import run_worker

__all__ = [
    "Definition",
    "Failure",
    "History",
    "Incident",
    "Instance",
    "Listener",
    "Outbox",
    "Problem",
    "Refused",
    "UserTask",
    "cancel_instance",
    "check_parameters",
    "claim_task",
    "complete_task",
    "definition_by_id",
    "deploy",
    "deployment_files",
    "diagram_xml",
    "find_definition",
    "get_task",
    "history",
    "lint_files",
    "list_definitions",
    "list_incidents",
    "list_tasks",
    "may_do",
    "register_carrier",
    "register_sweep",
    "release_task",
    "resume",
    "retry_incident",
    "run_clock",
    "run_host",
    "run_worker",
    "send_message",
    "send_signal",
    "show",
    "skip_incident",
    "start",
    "state_at",
    "statuses",
    "wait_for_event",
    "with_defaults",
]
