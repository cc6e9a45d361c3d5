"""What SQLite objects to, in words a person can act on; for a server see `watcher.store.database.postgres`."""

_REASONS = {
    "not a database": "it is no SQLite database, or a damaged one; `watcher restore` brings back a backup",
    "malformed": "the database is damaged; `watcher restore` brings back a backup",
    "disk is full": "the disk is full; nothing was lost, free some space",
    "readonly": "it cannot be written to; check its owner and mode and those of its folder",
    "unable to open": "it cannot be opened; check that its folder exists and belongs to the user who runs this",
    "locked": "another program holds it locked",
    "disk i/o": "the disk reports errors",
}


def reason_of(error: object) -> str:
    """Why SQLite refused; its own words where none of ours fit."""
    said = str(error)
    return next((reason for sign, reason in _REASONS.items() if sign in said.lower()), said)
