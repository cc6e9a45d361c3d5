"""Looks over a whole set-up: what is right, what deserves a thought, what is broken and what to do about it.

    finding        one line of the outcome
    configuration  the file, the secrets and who may read them
    disk           where state is kept, and whether the database is whole
    network        each portal's hosts: TLS, certificates, clock; no credential is sent
    books          accounts, sessions and alerts, as the database has them

Each check is a function that yields findings; `examination` puts them in order.
"""

from watcher.doctor.checklist import examine
from watcher.doctor.finding import Finding, Verdict

__all__ = ["Finding", "Verdict", "examine"]
