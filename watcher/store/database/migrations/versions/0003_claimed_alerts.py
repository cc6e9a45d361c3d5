"""Who is sending an alert, which targets of its channel have accepted it, and when its service may be asked again."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("alert", sa.Column("claimed_by", sa.String(), nullable=True))
    op.add_column("alert", sa.Column("claimed_until", UTCDateTime(), nullable=True))
    op.add_column("alert", sa.Column("accepted_by", sa.String(), nullable=True))
    op.add_column("alert", sa.Column("service_rests_until", UTCDateTime(), nullable=True))
