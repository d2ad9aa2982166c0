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
        sa.Column("end_told", sa.Boolean(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call")),
    )
    with op.batch_alter_table("call", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_call_agent"), ["agent"], unique=False)
        batch_op.create_index(batch_op.f("ix_call_application_id"), ["application_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_call_from_number"), ["from_number"], unique=False)
        batch_op.create_index(batch_op.f("ix_call_instance_id"), ["instance_id"], unique=False)
        batch_op.create_index("ix_call_owner_state", ["owner", "state"], unique=False)
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
        "recording",
        sa.Column("call_id", sa.String(length=32), nullable=False),
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
        batch_op.create_index(batch_op.f("ix_recording_tenant_id"), ["tenant_id"], unique=False)

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
    with op.batch_alter_table("user_account", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_user_account_tenant_id"))

    op.drop_table("user_account")
    with op.batch_alter_table("tenant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tenant_parent_id"))

    op.drop_table("tenant")
    with op.batch_alter_table("sip_account", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sip_account_user_id"))
        batch_op.drop_index(batch_op.f("ix_sip_account_tenant_id"))
        batch_op.drop_index(batch_op.f("ix_sip_account_address"))

    op.drop_table("sip_account")
    op.drop_table("role")
    with op.batch_alter_table("recording", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_recording_tenant_id"))
        batch_op.drop_index(batch_op.f("ix_recording_call_id"))

    op.drop_table("recording")
    op.drop_table("call_event")
    with op.batch_alter_table("call", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_call_to_number"))
        batch_op.drop_index("ix_call_tenant_started")
        batch_op.drop_index(batch_op.f("ix_call_tenant_id"))
        batch_op.drop_index("ix_call_owner_state")
        batch_op.drop_index(batch_op.f("ix_call_instance_id"))
        batch_op.drop_index(batch_op.f("ix_call_from_number"))
        batch_op.drop_index(batch_op.f("ix_call_application_id"))
        batch_op.drop_index(batch_op.f("ix_call_agent"))

    op.drop_table("call")
