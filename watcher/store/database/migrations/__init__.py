"""The migrations, run by Alembic; nothing else imports them."""
