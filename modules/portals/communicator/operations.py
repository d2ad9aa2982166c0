"""The verbs that the memo diagrams use."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Literal, TypeVar

from sqlalchemy import or_, select
from typing_extensions import TypedDict

from engine.kernel.db import db, now, settings_in_force
from engine.kernel.errors import BusinessError, InvalidInput, NotFound, TransientError
from engine.kernel.files import FileStore, StoredFile
from engine.operations import operation, operation_context
from media.models import Call, Recording
from modules.administration import Brand, brand_of, forget_mails
from modules.directory import Contact
from modules.identity import User, find_tenant, subtree_of, users_with_role
from modules.portals.communicator import wording
from modules.portals.communicator.models import Memo

Row = TypeVar("Row", Call, Recording, Memo, StoredFile)
Outcome = Literal["call_back", "hand_over", "file"]


class MemoGone(BusinessError):
    """The memo was deleted before."""

    code = "communicator.memo_gone"


class StoredMemo(TypedDict):
    """Result of ``communicator.store_memo``; also what the mail about it is written from."""

    memo: str
    #: user id, e-mail address and name of the owner; empty where nobody was found
    owner: str
    owner_email: str
    owner_name: str
    #: number as people write it, empty when withheld
    caller: str
    #: name, else number, else "unknown caller"
    caller_name: str
    duration_s: float
    length: str
    recorded_at: str
    #: stored file id
    recording_file: str
    #: ISO 8601 instant with zone
    delete_after: str
    kept_until: str
    link: str


class FiledMemo(TypedDict):
    """Result of ``communicator.file_memo``."""

    memo: str
    state: str


class DeletedMemo(TypedDict):
    """Result of ``communicator.delete_memo``: how many of each were deleted."""

    memo: str
    recordings: int
    mails: int
    documents: int


@operation("communicator.store_memo", idempotent=True)
def store_memo(
    *, call: str, recording: str, contact: str = "", owner: str | None = "", keep_days: int = 30
) -> StoredMemo:
    """Keep a recording as a memo for its owner: a user's id or mail address, else who looks after the caller."""
    context = operation_context()
    found = _own(Call, call, context.tenant_id)
    sound = _own(Recording, recording, context.tenant_id)
    if sound.stored_file_id is None:
        raise TransientError("The recording is not finished yet.", code="communicator.recording_unfinished")
    caller = _contact(contact, context.tenant_id)
    user = _owner(owner or "", caller, context.tenant_id)
    memo = db.session.scalar(select(Memo).where(Memo.recording_id == sound.id))
    if memo is None:
        memo = Memo(
            tenant_id=context.tenant_id,
            owner_id=user.id if user else None,
            call_id=found.id,
            recording_id=sound.id,
            recording_file=sound.stored_file_id,
            instance_id=context.instance_id,
            contact_id=caller.id if caller else None,
            caller=found.from_number,
            caller_name=caller.name if caller else "",
            number=found.to_number,
            recorded_at=sound.created_at,
            duration_s=sound.duration_s,
            delete_after=now() + timedelta(days=max(keep_days, 0)),
        )
        db.session.add(memo)
        db.session.flush()
    return _stored(memo, user)


@operation("communicator.review_memo", raises=(MemoGone, InvalidInput), idempotent=True)
def review_memo(*, memo: str, outcome: Outcome, note: str | None = "", call_back_by: str | None = "") -> dict[str, Any]:
    """Note what the reviewer decided; the result is what the document "memo_note" is written from."""
    found = _live(memo)
    found.outcome = outcome
    found.note = (note or "").strip()
    found.call_back_by = _date(call_back_by or "")
    reviewer = db.session.get(User, operation_context().actor_id)
    found.reviewer_id = reviewer.id if reviewer else None
    found.reviewed_at = now()
    found.state = "reviewed"
    return _note(found, reviewer)


@operation("communicator.file_memo", raises=(MemoGone,), idempotent=True)
def file_memo(*, memo: str, document: str = "") -> FiledMemo:
    """Put the PDF note to the memo."""
    found = _live(memo)
    if document:
        found.document_file = _own(StoredFile, document, found.tenant_id).id
    found.state = "filed"
    return {"memo": found.id, "state": found.state}


@operation("communicator.delete_memo", idempotent=True)
def delete_memo(*, memo: str) -> DeletedMemo:
    """Delete recording, mail copy and note of a memo; what remains says only that somebody called."""
    found = _own(Memo, memo, operation_context().tenant_id)
    store = FileStore(settings_in_force())
    recordings = _delete_file(store, found.recording_file)
    documents = _delete_file(store, found.document_file)
    mails = forget_mails(found.instance_id)
    if sound := db.session.get(Recording, found.recording_id):
        sound.stored_file_id = None
        sound.deleted_at = sound.deleted_at or now()
    found.recording_file = found.document_file = None
    found.note = ""
    found.state = "deleted"
    found.deleted_at = found.deleted_at or now()
    return {"memo": found.id, "recordings": recordings, "mails": mails, "documents": documents}


def _own(model: type[Row], row_id: str, tenant_id: str) -> Row:
    """Return a row of the tenant. Raises ``NotFound`` also for another tenant's."""
    row = db.session.get(model, row_id)
    if row is None or row.tenant_id != tenant_id:
        raise NotFound(f"There is no such {model.__name__.lower()}.", code="communicator.unknown")
    return row


def _live(memo_id: str) -> Memo:
    memo = _own(Memo, memo_id, operation_context().tenant_id)
    if memo.state == "deleted":
        raise MemoGone("The memo was deleted when its time was over.")
    return memo


def _contact(contact_id: str, tenant_id: str) -> Contact | None:
    contact = db.session.get(Contact, contact_id) if contact_id else None
    return contact if contact and contact.tenant_id == tenant_id else None


def _owner(wanted: str, caller: Contact | None, tenant_id: str) -> User | None:
    """Return whose memo it is. A memo is never lost because a user left: then the customer's administrators get it."""
    candidates = [wanted, (caller.owner_id or "") if caller else ""]
    people = subtree_of(tenant_id)
    for candidate in filter(None, candidates):
        user = db.session.scalar(
            select(User).where(
                or_(User.id == candidate, User.email == candidate.strip().lower()),
                User.tenant_id.in_(people),
                User.active.is_(True),
            )
        )
        if user is not None:
            return user
    return next(iter(users_with_role(tenant_id, ("customer_admin", "administrator"))), None)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidInput(f"{text!r} is no date.", {"call_back_by": "Write it as 2026-11-24."}) from error


def _stored(memo: Memo, owner: User | None) -> StoredMemo:
    zone = find_tenant(memo.tenant_id).timezone
    caller = wording.number(memo.caller)
    return {
        "memo": memo.id,
        "owner": owner.id if owner else "",
        "owner_email": owner.email if owner else "",
        "owner_name": owner.name if owner else "",
        "caller": caller,
        "caller_name": memo.caller_name or caller or "unknown caller",
        "duration_s": memo.duration_s,
        "length": wording.length(memo.duration_s),
        "recorded_at": wording.moment(memo.recorded_at, zone, weekday=True),
        "recording_file": memo.recording_file or "",
        "delete_after": memo.delete_after.isoformat(),
        "kept_until": wording.day(memo.delete_after, zone),
        "link": f"{settings_in_force().public_url}/inbox",
    }


def _note(memo: Memo, reviewer: User | None) -> dict[str, Any]:
    tenant = find_tenant(memo.tenant_id)
    contact = _contact(memo.contact_id or "", memo.tenant_id)
    owner = db.session.get(User, memo.owner_id) if memo.owner_id else None
    title, status = wording.OUTCOMES[memo.outcome or "file"]
    brand: Brand = brand_of(tenant.id)
    return {
        "brand": brand,
        "reference": memo.id[-8:],
        "caller": wording.number(memo.caller),
        "caller_name": memo.caller_name,
        "organisation": contact.organisation if contact else "",
        "number": wording.number(memo.number),
        "outcome_title": title,
        "outcome_status": status,
        "call_back_by": wording.day(memo.call_back_by, tenant.timezone) if memo.call_back_by else "",
        "recorded_at": wording.moment(memo.recorded_at, tenant.timezone, weekday=True),
        "time_zone": tenant.timezone,
        "length": wording.length(memo.duration_s),
        "owner_name": owner.name if owner else "",
        "reviewer": reviewer.name if reviewer else "the platform",
        "reviewed_at": wording.moment(memo.reviewed_at or now(), tenant.timezone),
        "kept_until": wording.day(memo.delete_after, tenant.timezone),
        "note": memo.note,
    }


def _delete_file(store: FileStore, file_id: str | None) -> int:
    stored = db.session.get(StoredFile, file_id) if file_id else None
    if stored is None:
        return 0
    store.delete(stored)
    return 1
