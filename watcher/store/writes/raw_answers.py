"""The raw answers of portals, as the books keep them: sealed, because they hold more of a person than a case needs."""

from collections.abc import Sequence
from dataclasses import replace

from pydantic import SecretStr
from sqlmodel import Session, delete, select

from watcher.model.writes import WriteSet
from watcher.privacy.sealing import Seal, Unsealable
from watcher.store.database.engine import Database
from watcher.store.database.tables import AnswerRow, MetaRow

_NAME = "watcher-answer 1"
_SAMPLE = "answers_sealed_like"


class RawAnswerStore:
    """Seals answers on their way in and opens them on their way out."""

    def __init__(self, database: Database, keys: Sequence[SecretStr]) -> None:
        """Where the first key is another than last time, everything is sealed anew, in one transaction.

        What none of the keys opens is of no more use to anybody, and is removed.
        """
        self._database, self._seal = database, Seal(_NAME, keys)
        with database.reading() as session:
            sample = session.get(MetaRow, _SAMPLE)
        if sample is None or not self._seal.is_current(bytes.fromhex(sample.value)):
            with database.writing() as session:
                self._seal_anew(session)

    def sealed(self, news: WriteSet) -> WriteSet:
        """The news with its answers sealed."""
        if not news.answers:
            return news
        return replace(news, answers={name: self._seal.close(body) for name, body in news.answers.items()})

    def about(self, account: str, case_number: str) -> dict[tuple[str, str], bytes]:
        """The answers about a case, by quality and endpoint; what cannot be opened is left out."""
        query = select(AnswerRow).where(AnswerRow.account == account, AnswerRow.case_number == case_number)
        with self._database.reading() as session:
            rows = session.exec(query).all()
        opened = ((row, self._opened(row)) for row in rows)
        return {(row.quality, row.endpoint): body for row, body in opened if body is not None}

    def _opened(self, row: AnswerRow) -> bytes | None:
        try:
            return self._seal.open(row.body)
        except Unsealable:
            return None

    def _seal_anew(self, session: Session) -> None:
        rows = session.exec(select(AnswerRow)).all()
        opened = [(row, self._opened(row)) for row in rows]
        session.exec(delete(AnswerRow))
        session.add_all(
            AnswerRow(
                account=row.account,
                case_number=row.case_number,
                quality=row.quality,
                endpoint=row.endpoint,
                at=row.at,
                body=self._seal.close(body),
            )
            for row, body in opened
            if body is not None
        )
        sample = session.get(MetaRow, _SAMPLE) or MetaRow(key=_SAMPLE, value="")
        sample.value = self._seal.close(b"").hex()
        session.add(sample)
