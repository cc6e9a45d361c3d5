"""An office whose site is Django's own admin: its sign-in form, CSRF tokens, sessions and pages are nobody's here."""
