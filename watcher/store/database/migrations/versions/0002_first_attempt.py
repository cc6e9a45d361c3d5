"""When an alert was first attempted, and which alert was sent together with or instead of it."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("alert", sa.Column("first_attempt_at", UTCDateTime(), nullable=True))
    op.add_column("alert", sa.Column("covered_by", sa.Integer(), nullable=True))
