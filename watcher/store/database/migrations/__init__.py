"""Migrations, run by Alembic; nothing else imports them."""
