"""Who answers a number: what the media room asks of the platform (``media.calls.Applications``)."""

from __future__ import annotations

from sqlalchemy import select

from engine.kernel.db import db
from media.calls import Target
from media.edge.accounts import SipAccount
from modules.inventory import find_dialled
from modules.portals.pbx.models import Application, Extension

#: diagram that connects two phones of one tenant
EXTENSION_CALL = "extension_call"


class TenantApplications:
    """Resolves a dialled number to an application, or to an extension of the caller's own tenant."""

    def resolve(self, number: str, caller: str, account: str) -> Target | None:
        """Return who answers ``number``.

        An account of a tenant reaches that tenant's extensions before anything else. Everybody reaches numbers
        that are bound to an application.
        """
        return self._extension(number, account) or self._application(number)

    def _extension(self, number: str, account: str) -> Target | None:
        caller = db.session.scalar(select(SipAccount).where(SipAccount.username == account))
        if caller is None or caller.trunk:
            return None
        statement = select(Extension).where(Extension.tenant_id == caller.tenant_id, Extension.number == number)
        extension = db.session.scalar(statement)
        if extension is None:
            return None
        return Target(
            tenant_id=extension.tenant_id,
            application_id="",
            name=f"Extension {extension.number}",
            process_id=EXTENSION_CALL,
            parameters={"extension": extension.number},
        )

    def _application(self, number: str) -> Target | None:
        dialled = find_dialled(number)
        if dialled is None or dialled.application_id is None:
            return None
        application = db.session.get(Application, dialled.application_id)
        if application is None:
            return None
        return Target(
            tenant_id=application.tenant_id,
            application_id=application.id,
            name=application.name,
            process_id=None if application.definition_id else application.process_id,
            definition_id=application.definition_id,
            parameters=application.parameters,
        )

    def dial_address(self, tenant_id: str, target: str) -> str | None:
        """Return the SIP user that rings for a tenant's extension; None: there is none, or it is disabled."""
        statement = (
            select(SipAccount.username)
            .join(Extension, Extension.sip_account_id == SipAccount.id)
            .where(Extension.tenant_id == tenant_id, Extension.number == target, SipAccount.enabled)
        )
        found: str | None = db.session.scalar(statement)
        return found
