"""The raw answers of portals, without secrets, and encrypted because they contain more than a case needs."""

from collections.abc import Sequence
from dataclasses import replace

from pydantic import SecretStr
from sqlalchemy import Connection

from watcher.model.writes import WriteSet
from watcher.privacy.redaction import redact_body
from watcher.privacy.sealing import Seal, Unsealable
from watcher.store.database.engine import Database, queries_on
from watcher.store.database.tables import ANSWERS, META
from watcher.store.queries.cases import RAW_ANSWERS, RAW_ANSWERS_OF_CASE
from watcher.store.queries.meta import meta_value

_NAME = "watcher-answer 1"
_SAMPLE = "answers_sealed_like"


class RawAnswerStore:
    """Seals answers before they are written and opens them after they are read."""

    def __init__(self, database: Database, keys: Sequence[SecretStr]) -> None:
        """If the first key has changed, reseal everything in one transaction.

        Answers that no key opens are deleted, because nobody can read them.
        """
        self._database, self._seal = database, Seal(_NAME, keys)
        with database.queries() as run:
            sample = meta_value(run, _SAMPLE)
        if sample is None or not self._seal.is_current(bytes.fromhex(sample)):
            with database.writing() as connection:
                self._reseal(connection)

    def sealed(self, write_set: WriteSet) -> WriteSet:
        """Return the write set with its answers sealed, secrets blanked."""
        if not write_set.answers:
            return write_set
        sealed = {name: self._seal.seal(redact_body(body)) for name, body in write_set.answers.items()}
        return replace(write_set, answers=sealed)

    def about(self, account: str, case_number: str) -> dict[tuple[str, str], bytes]:
        """Return the answers about a case by quality and endpoint, without those that no key opens."""
        with self._database.queries() as run:
            rows = run(RAW_ANSWERS_OF_CASE, account=account, case_number=case_number)
            opened = [(row, self._open(row.body)) for row in rows]
        return {(row.quality, row.endpoint): body for row, body in opened if body is not None}

    def _open(self, sealed: bytes) -> bytes | None:
        try:
            return self._seal.unseal(sealed)
        except Unsealable:
            return None

    def _reseal(self, connection: Connection) -> None:
        opened = [(row, self._open(row.body)) for row in queries_on(connection)(RAW_ANSWERS)]
        connection.execute(ANSWERS.delete())
        resealed = [row._asdict() | {"body": self._seal.seal(body)} for row, body in opened if body is not None]
        if resealed:
            connection.execute(ANSWERS.insert(), resealed)
        connection.execute(META.delete().where(META.c.key == _SAMPLE))
        connection.execute(META.insert(), {"key": _SAMPLE, "value": self._seal.seal(b"").hex()})
