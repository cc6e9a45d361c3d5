"""A portal made of Django's admin, so that sign-in form, CSRF tokens, sessions, and pages are not our own work."""
