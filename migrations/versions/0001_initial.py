"""The tables of the first release."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import engine.kernel.db

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables as the models are."""
    op.create_table(
        "application",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("process_id", sa.String(), nullable=False),
        sa.Column("definition_id", sa.String(length=32), nullable=True),
        sa.Column("parameters", engine.kernel.db.Json, nullable=False),
        sa.Column("created_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("changed_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application")),
    )
    with op.batch_alter_table("application", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_application_process_id"), ["process_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_application_tenant_id"), ["tenant_id"], unique=False)

    op.create_table(
        "call",
        sa.Column("direction", sa.String(length=8), nullable=False),
        sa.Column("from_number", sa.String(), nullable=False),
        sa.Column("to_number", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("agent_boot", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("instance_id", sa.String(length=32), nullable=True),
        sa.Column("application_id", sa.String(length=32), nullable=True),
        sa.Column("sip_call_id", sa.String(), nullable=False),
        sa.Column("started_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("answered_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ended_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("cause", sa.String(length=16), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call")),
    )
    with op.batch_alter_table("call", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_call_agent"), ["agent"], unique=False)
        batch_op.create_index(batch_op.f("ix_call_application_id"), ["application_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_call_from_number"), ["from_number"], unique=False)
        batch_op.create_index(batch_op.f("ix_call_instance_id"), ["instance_id"], unique=False)
        batch_op.create_index("ix_call_state_owner", ["state", "owner"], unique=False)
        batch_op.create_index(batch_op.f("ix_call_tenant_id"), ["tenant_id"], unique=False)
        batch_op.create_index("ix_call_tenant_started", ["tenant_id", "started_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_call_to_number"), ["to_number"], unique=False)

    op.create_table(
        "call_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("call_id", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(length=16), nullable=False),
        sa.Column("verb", sa.String(length=16), nullable=True),
        sa.Column("data", engine.kernel.db.Json, nullable=False),
        sa.Column("at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_event")),
        sa.UniqueConstraint("call_id", "seq", name=op.f("uq_call_event_call_id_seq")),
    )
    op.create_table(
        "caught_mail",
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("instance_id", sa.String(length=32), nullable=True),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("recipients", engine.kernel.db.Json, nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("attachments", engine.kernel.db.Json, nullable=False),
        sa.Column("received_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_caught_mail")),
        sa.UniqueConstraint("message_id", name=op.f("uq_caught_mail_message_id")),
    )
    with op.batch_alter_table("caught_mail", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_caught_mail_instance_id"), ["instance_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_caught_mail_tenant_id"), ["tenant_id"], unique=False)
        batch_op.create_index("ix_caught_mail_tenant_received", ["tenant_id", "received_at"], unique=False)

    op.create_table(
        "contact",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("tags", engine.kernel.db.Json, nullable=False),
        sa.Column("consent", sa.String(length=12), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("created_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("changed_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
    )
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_tenant_id"), ["tenant_id"], unique=False)
        batch_op.create_index("ix_contact_tenant_name", ["tenant_id", "name"], unique=False)

    op.create_table(
        "definition",
        sa.Column("tenant_id", sa.String(length=32), nullable=False),
        sa.Column("deployment_id", sa.String(length=32), nullable=False),
        sa.Column("process_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("resource", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("parameters", engine.kernel.db.Json, nullable=False),
        sa.Column("warnings", engine.kernel.db.Json, nullable=False),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.Column("created_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_definition")),
        sa.UniqueConstraint(
            "tenant_id", "process_id", "version", name=op.f("uq_definition_tenant_id_process_id_version")
        ),
    )
    with op.batch_alter_table("definition", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_definition_process_id"), ["process_id", "version"], unique=False)
        batch_op.create_index(batch_op.f("ix_definition_tenant_id"), ["tenant_id"], unique=False)

    op.create_table(
        "delivered_event",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("instance_id", sa.String(length=32), nullable=False),
        sa.Column("delivered_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_delivered_event")),
    )
    with op.batch_alter_table("delivered_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_delivered_event_delivered_at"), ["delivered_at"], unique=False)

    op.create_table(
        "deployment",
        sa.Column("tenant_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployment")),
    )
    with op.batch_alter_table("deployment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deployment_tenant_id"), ["tenant_id"], unique=False)

    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("instance_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("created_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("key", name=op.f("uq_event_key")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index("ix_event_instance", ["instance_id", "id"], unique=False)

    op.create_table(
        "extension",
        sa.Column("number", sa.String(length=6), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=True),
        sa.Column("sip_account_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extension")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_extension_tenant_id_number")),
    )
    with op.batch_alter_table("extension", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_extension_tenant_id"), ["tenant_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_extension_user_id"), ["user_id"], unique=False)

    op.create_table(
        "history",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("instance_id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=32), nullable=False),
        sa.Column("token_id", sa.String(length=32), nullable=False),
        sa.Column("element_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("came_from", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("entered_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("left_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("changes", engine.kernel.db.Json, nullable=False),
        sa.Column("operation", sa.String(), nullable=True),
        sa.Column("input", engine.kernel.db.Json, nullable=True),
        sa.Column("output", engine.kernel.db.Json, nullable=True),
        sa.Column("rules", engine.kernel.db.Json, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history")),
    )
    with op.batch_alter_table("history", schema=None) as batch_op:
        batch_op.create_index("ix_history_instance", ["instance_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_history_tenant_id"), ["tenant_id"], unique=False)

    op.create_table(
        "host",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("seen_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_host")),
    )
    op.create_table(
        "incident",
        sa.Column("instance_id", sa.String(length=32), nullable=False),
        sa.Column("token_id", sa.String(length=32), nullable=False),
        sa.Column("element_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("operation", sa.String(), nullable=True),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("resolution", sa.String(length=12), nullable=True),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
    )
    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_incident_instance_id"), ["instance_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_incident_resolved_at"), ["resolved_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_incident_tenant_id"), ["tenant_id"], unique=False)

    op.create_table(
        "instance",
        sa.Column("definition_id", sa.String(length=32), nullable=False),
        sa.Column("process_id", sa.String(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("priority", sa.String(length=12), nullable=False),
        sa.Column("business_key", sa.String(), nullable=True),
        sa.Column("parent_id", sa.String(length=32), nullable=True),
        sa.Column("parent_token", sa.String(length=32), nullable=True),
        sa.Column("started_by", sa.String(), nullable=False),
        sa.Column("started_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("owned_until", engine.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("state", sa.LargeBinary(), nullable=True),
        sa.Column("final_data", sa.LargeBinary(), nullable=True),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instance")),
    )
    with op.batch_alter_table("instance", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_instance_business_key"), ["business_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_instance_definition_id"), ["definition_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_instance_owner"), ["owner"], unique=False)
        batch_op.create_index("ix_instance_parent", ["parent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_instance_process_id"), ["process_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_instance_status"), ["status"], unique=False)
        batch_op.create_index(batch_op.f("ix_instance_tenant_id"), ["tenant_id"], unique=False)
        batch_op.create_index("ix_instance_tenant_started", ["tenant_id", "started_at"], unique=False)

    op.create_table(
        "memo",
        sa.Column("owner_id", sa.String(length=32), nullable=True),
        sa.Column("call_id", sa.String(length=32), nullable=False),
        sa.Column("recording_id", sa.String(length=32), nullable=False),
        sa.Column("recording_file", sa.String(length=32), nullable=True),
        sa.Column("instance_id", sa.String(length=32), nullable=False),
        sa.Column("contact_id", sa.String(length=32), nullable=True),
        sa.Column("caller", sa.String(), nullable=False),
        sa.Column("caller_name", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("recorded_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("duration_s", sa.Double(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("call_back_by", sa.Date(), nullable=True),
        sa.Column("reviewer_id", sa.String(length=32), nullable=True),
        sa.Column("reviewed_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("document_file", sa.String(length=32), nullable=True),
        sa.Column("delete_after", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memo")),
    )
    with op.batch_alter_table("memo", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_memo_call_id"), ["call_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_memo_contact_id"), ["contact_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_memo_instance_id"), ["instance_id"], unique=False)
        batch_op.create_index("ix_memo_owner_recorded", ["owner_id", "recorded_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_memo_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_memo_tenant_id"), ["tenant_id"], unique=False)
        batch_op.create_index("ix_memo_tenant_recorded", ["tenant_id", "recorded_at"], unique=False)

    op.create_table(
        "outbox",
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("instance_id", sa.String(length=32), nullable=False),
        sa.Column("token_id", sa.String(length=32), nullable=False),
        sa.Column("element_id", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.String(length=32), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("payload", engine.kernel.db.Json, nullable=False),
        sa.Column("created_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("next_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("taken_by", sa.String(), nullable=True),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_key")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outbox_instance_id"), ["instance_id"], unique=False)
        batch_op.create_index("ix_outbox_open", ["kind", "next_at"], unique=False)

    op.create_table(
        "phone_number",
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("application_id", sa.String(length=32), nullable=True),
        sa.Column("created_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_number")),
        sa.UniqueConstraint("number", name=op.f("uq_phone_number_number")),
    )
    with op.batch_alter_table("phone_number", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_phone_number_application_id"), ["application_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_phone_number_tenant_id"), ["tenant_id"], unique=False)

    op.create_table(
        "recording",
        sa.Column("call_id", sa.String(length=32), nullable=False),
        sa.Column("command", sa.String(), nullable=False),
        sa.Column("stored_file_id", sa.String(length=32), nullable=True),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("duration_s", sa.Double(), nullable=False),
        sa.Column("reason", sa.String(length=12), nullable=True),
        sa.Column("created_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recording")),
    )
    with op.batch_alter_table("recording", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recording_call_id"), ["call_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_recording_command"), ["command"], unique=False)
        batch_op.create_index(batch_op.f("ix_recording_tenant_id"), ["tenant_id"], unique=False)

    op.create_table(
        "resource",
        sa.Column("deployment_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resource")),
        sa.UniqueConstraint("deployment_id", "name", name=op.f("uq_resource_deployment_id_name")),
    )
    with op.batch_alter_table("resource", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_resource_deployment_id"), ["deployment_id"], unique=False)

    op.create_table(
        "role",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role")),
        sa.UniqueConstraint("name", name=op.f("uq_role_name")),
    )
    op.create_table(
        "sip_account",
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("ha1", sa.String(), nullable=False),
        sa.Column("display_name", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("trunk", sa.Boolean(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=True),
        sa.Column("expires_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sip_account")),
        sa.UniqueConstraint("username", name=op.f("uq_sip_account_username")),
    )
    with op.batch_alter_table("sip_account", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sip_account_address"), ["address"], unique=False)
        batch_op.create_index(batch_op.f("ix_sip_account_tenant_id"), ["tenant_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sip_account_user_id"), ["user_id"], unique=False)

    op.create_table(
        "start_subscription",
        sa.Column("tenant_id", sa.String(length=32), nullable=False),
        sa.Column("definition_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("element_id", sa.String(), nullable=False),
        sa.Column("timer", sa.String(), nullable=False),
        sa.Column("due_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_start_subscription")),
    )
    with op.batch_alter_table("start_subscription", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_start_subscription_definition_id"), ["definition_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_start_subscription_due_at"), ["due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_start_subscription_name"), ["name"], unique=False)
        batch_op.create_index(batch_op.f("ix_start_subscription_tenant_id"), ["tenant_id"], unique=False)

    op.create_table(
        "stored_file",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("created_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_file")),
        sa.UniqueConstraint("path", name=op.f("uq_stored_file_path")),
    )
    with op.batch_alter_table("stored_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stored_file_tenant_id"), ["tenant_id"], unique=False)

    op.create_table(
        "subscription",
        sa.Column("tenant_id", sa.String(length=32), nullable=False),
        sa.Column("instance_id", sa.String(length=32), nullable=False),
        sa.Column("token_id", sa.String(length=32), nullable=False),
        sa.Column("element_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("correlation", sa.String(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
    )
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_subscription_instance_id"), ["instance_id"], unique=False)
        batch_op.create_index("ix_subscription_lookup", ["kind", "name", "correlation"], unique=False)
        batch_op.create_index(batch_op.f("ix_subscription_tenant_id"), ["tenant_id"], unique=False)

    op.create_table(
        "tenant",
        sa.Column("parent_id", sa.String(length=32), nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("branding", engine.kernel.db.Json, nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("created_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["tenant.id"], name=op.f("fk_tenant_parent_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenant")),
        sa.UniqueConstraint("name", name=op.f("uq_tenant_name")),
    )
    with op.batch_alter_table("tenant", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tenant_parent_id"), ["parent_id"], unique=False)

    op.create_table(
        "timer",
        sa.Column("instance_id", sa.String(length=32), nullable=False),
        sa.Column("token_id", sa.String(length=32), nullable=False),
        sa.Column("due_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("fired", sa.Boolean(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timer")),
        sa.UniqueConstraint("instance_id", "token_id", name=op.f("uq_timer_instance_id_token_id")),
    )
    with op.batch_alter_table("timer", schema=None) as batch_op:
        batch_op.create_index("ix_timer_due", ["fired", "due_at"], unique=False)

    op.create_table(
        "user_account",
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("password", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("fs_uniquifier", sa.String(length=64), nullable=False),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("created_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_login_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("email", name=op.f("uq_user_account_email")),
        sa.UniqueConstraint("fs_uniquifier", name=op.f("uq_user_account_fs_uniquifier")),
    )
    with op.batch_alter_table("user_account", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_user_account_tenant_id"), ["tenant_id"], unique=False)

    op.create_table(
        "user_task",
        sa.Column("instance_id", sa.String(length=32), nullable=False),
        sa.Column("process_id", sa.String(), nullable=False),
        sa.Column("element_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("assignee", sa.String(), nullable=True),
        sa.Column("candidate_groups", engine.kernel.db.Json, nullable=False),
        sa.Column("candidate_users", engine.kernel.db.Json, nullable=False),
        sa.Column("screen", sa.String(), nullable=True),
        sa.Column("form", engine.kernel.db.Json, nullable=False),
        sa.Column("variables", engine.kernel.db.Json, nullable=False),
        sa.Column("created_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("due_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("follow_up_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("completed_at", engine.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("task_priority", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_task")),
    )
    with op.batch_alter_table("user_task", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_user_task_assignee"), ["assignee"], unique=False)
        batch_op.create_index("ix_user_task_inbox", ["tenant_id", "status", "created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_user_task_instance_id"), ["instance_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_user_task_tenant_id"), ["tenant_id"], unique=False)

    op.create_table(
        "contact_number",
        sa.Column("contact_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("label", sa.String(length=24), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_contact_number_contact_id_contact"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_number")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_contact_number_tenant_id_number")),
    )
    with op.batch_alter_table("contact_number", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_number_contact_id"), ["contact_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_contact_number_tenant_id"), ["tenant_id"], unique=False)

    op.create_table(
        "user_roles",
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("role_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["role_id"], ["role.id"], name=op.f("fk_user_roles_role_id_role"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_user_roles_user_id_user_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "role_id", name=op.f("pk_user_roles")),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("user_roles")
    with op.batch_alter_table("contact_number", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_number_tenant_id"))
        batch_op.drop_index(batch_op.f("ix_contact_number_contact_id"))

    op.drop_table("contact_number")
    with op.batch_alter_table("user_task", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_user_task_tenant_id"))
        batch_op.drop_index(batch_op.f("ix_user_task_instance_id"))
        batch_op.drop_index("ix_user_task_inbox")
        batch_op.drop_index(batch_op.f("ix_user_task_assignee"))

    op.drop_table("user_task")
    with op.batch_alter_table("user_account", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_user_account_tenant_id"))

    op.drop_table("user_account")
    with op.batch_alter_table("timer", schema=None) as batch_op:
        batch_op.drop_index("ix_timer_due")

    op.drop_table("timer")
    with op.batch_alter_table("tenant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tenant_parent_id"))

    op.drop_table("tenant")
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_subscription_tenant_id"))
        batch_op.drop_index("ix_subscription_lookup")
        batch_op.drop_index(batch_op.f("ix_subscription_instance_id"))

    op.drop_table("subscription")
    with op.batch_alter_table("stored_file", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_stored_file_tenant_id"))

    op.drop_table("stored_file")
    with op.batch_alter_table("start_subscription", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_start_subscription_tenant_id"))
        batch_op.drop_index(batch_op.f("ix_start_subscription_name"))
        batch_op.drop_index(batch_op.f("ix_start_subscription_due_at"))
        batch_op.drop_index(batch_op.f("ix_start_subscription_definition_id"))

    op.drop_table("start_subscription")
    with op.batch_alter_table("sip_account", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sip_account_user_id"))
        batch_op.drop_index(batch_op.f("ix_sip_account_tenant_id"))
        batch_op.drop_index(batch_op.f("ix_sip_account_address"))

    op.drop_table("sip_account")
    op.drop_table("role")
    with op.batch_alter_table("resource", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_resource_deployment_id"))

    op.drop_table("resource")
    with op.batch_alter_table("recording", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_recording_tenant_id"))
        batch_op.drop_index(batch_op.f("ix_recording_command"))
        batch_op.drop_index(batch_op.f("ix_recording_call_id"))

    op.drop_table("recording")
    with op.batch_alter_table("phone_number", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_phone_number_tenant_id"))
        batch_op.drop_index(batch_op.f("ix_phone_number_application_id"))

    op.drop_table("phone_number")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_open")
        batch_op.drop_index(batch_op.f("ix_outbox_instance_id"))

    op.drop_table("outbox")
    with op.batch_alter_table("memo", schema=None) as batch_op:
        batch_op.drop_index("ix_memo_tenant_recorded")
        batch_op.drop_index(batch_op.f("ix_memo_tenant_id"))
        batch_op.drop_index(batch_op.f("ix_memo_state"))
        batch_op.drop_index("ix_memo_owner_recorded")
        batch_op.drop_index(batch_op.f("ix_memo_instance_id"))
        batch_op.drop_index(batch_op.f("ix_memo_contact_id"))
        batch_op.drop_index(batch_op.f("ix_memo_call_id"))

    op.drop_table("memo")
    with op.batch_alter_table("instance", schema=None) as batch_op:
        batch_op.drop_index("ix_instance_tenant_started")
        batch_op.drop_index(batch_op.f("ix_instance_tenant_id"))
        batch_op.drop_index(batch_op.f("ix_instance_status"))
        batch_op.drop_index(batch_op.f("ix_instance_process_id"))
        batch_op.drop_index("ix_instance_parent")
        batch_op.drop_index(batch_op.f("ix_instance_owner"))
        batch_op.drop_index(batch_op.f("ix_instance_definition_id"))
        batch_op.drop_index(batch_op.f("ix_instance_business_key"))

    op.drop_table("instance")
    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_incident_tenant_id"))
        batch_op.drop_index(batch_op.f("ix_incident_resolved_at"))
        batch_op.drop_index(batch_op.f("ix_incident_instance_id"))

    op.drop_table("incident")
    op.drop_table("host")
    with op.batch_alter_table("history", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_history_tenant_id"))
        batch_op.drop_index("ix_history_instance")

    op.drop_table("history")
    with op.batch_alter_table("extension", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_extension_user_id"))
        batch_op.drop_index(batch_op.f("ix_extension_tenant_id"))

    op.drop_table("extension")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index("ix_event_instance")

    op.drop_table("event")
    with op.batch_alter_table("deployment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_deployment_tenant_id"))

    op.drop_table("deployment")
    with op.batch_alter_table("delivered_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_delivered_event_delivered_at"))

    op.drop_table("delivered_event")
    with op.batch_alter_table("definition", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_definition_tenant_id"))
        batch_op.drop_index(batch_op.f("ix_definition_process_id"))

    op.drop_table("definition")
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.drop_index("ix_contact_tenant_name")
        batch_op.drop_index(batch_op.f("ix_contact_tenant_id"))

    op.drop_table("contact")
    with op.batch_alter_table("caught_mail", schema=None) as batch_op:
        batch_op.drop_index("ix_caught_mail_tenant_received")
        batch_op.drop_index(batch_op.f("ix_caught_mail_tenant_id"))
        batch_op.drop_index(batch_op.f("ix_caught_mail_instance_id"))

    op.drop_table("caught_mail")
    op.drop_table("call_event")
    with op.batch_alter_table("call", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_call_to_number"))
        batch_op.drop_index("ix_call_tenant_started")
        batch_op.drop_index(batch_op.f("ix_call_tenant_id"))
        batch_op.drop_index("ix_call_state_owner")
        batch_op.drop_index(batch_op.f("ix_call_instance_id"))
        batch_op.drop_index(batch_op.f("ix_call_from_number"))
        batch_op.drop_index(batch_op.f("ix_call_application_id"))
        batch_op.drop_index(batch_op.f("ix_call_agent"))

    op.drop_table("call")
    with op.batch_alter_table("application", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_application_tenant_id"))
        batch_op.drop_index(batch_op.f("ix_application_process_id"))

    op.drop_table("application")
