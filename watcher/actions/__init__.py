"""What a person can do, for commands and for the page: each action once, with what it says afterwards."""

LOCK_TIMEOUT = 120.0
"""How many seconds an action waits for another process to finish a check or a delivery."""


class Refused(Exception):
    """An action that was not carried out. The text says why, to the person who asked for it."""


class NotPossible(Refused):
    """An action that this account, case, or configuration does not have."""
