"""The search of a mailbox for the code that one sign-in asked for.

A code is accepted only from a message that arrived after the request, by the mail server's clock and by its own `Date`,
and that is from the expected sender (see `watcher.sign_in.code_mail`). A message is used once. Several accounts may
share the mailbox: a message to another account's user name is not this one's, and one to this account's is preferred.
Of two different codes, none is used.
"""

from collections import Counter
from datetime import datetime
from typing import Final

from watcher.errors import CodeNeeded
from watcher.messages import _, mark
from watcher.sign_in.code_mail import MailVerdict, Verdict, find_code
from watcher.sign_in.imap import Folder
from watcher.sign_in.shared_mailbox import UsedMails

_REASONS: Final = {
    MailVerdict.OTHER_SENDER: mark("{count} from other senders"),
    MailVerdict.FORGED: mark("{count} forged according to the mail server (DMARC)"),
    MailVerdict.TOO_OLD: mark("{count} dated before the request or without a date (check the clocks)"),
    MailVerdict.UNREADABLE: mark("{count} malformed"),
    MailVerdict.NO_CODE: mark("{count} without a code"),
    MailVerdict.SEVERAL: mark("{count} with several numbers that could be the code"),
    MailVerdict.CODE: mark("{count} for another account"),
}


class CodeSearch:
    """The messages examined for one request."""

    def __init__(
        self, *, sender: str, since: datetime, used: UsedMails, recipient: str, others: frozenset[str] = frozenset()
    ) -> None:
        """`recipient` and `others` are user names in lower case: this account's, and those that share the mailbox."""
        self.sender, self._since, self._used = sender, since, used
        self._recipient, self._others = recipient, others
        self._verdicts: dict[tuple[int, int], Verdict] = {}
        self._newest: datetime | None = None
        self.error: str | None = None

    def code_in(self, folder: Folder) -> str | None:
        """Return the code in the folder's new messages and mark them as used; None if there is none.

        Raises `CodeNeeded` if there are two, `StoreUnusable` if they cannot be marked.
        """
        arrivals = folder.newest()
        self.error = None
        self._newest = max(arrivals.values(), default=None)
        validity = folder.uid_validity
        used = self._used.uids(validity)
        new = [uid for uid, at in arrivals.items() if at >= self._since and uid not in used]
        for uid in new:
            if (validity, uid) not in self._verdicts:
                self._verdicts[validity, uid] = find_code(folder.message(uid), sender=self.sender, since=self._since)
        found = self._mine({uid: self._verdicts[validity, uid] for uid in new})
        codes = set(found.values())
        if len(codes) > 1:
            raise CodeNeeded(
                _(
                    "Two e-mails with different codes came from {sender}. One may be forged or for another account, so "
                    "neither was used.",
                    sender=self.sender,
                )
            )
        if codes:
            self._used.add(found, validity)
        return codes.pop() if codes else None

    def _mine(self, verdicts: dict[int, Verdict]) -> dict[int, str]:
        """Return the codes that may be this account's, by UID."""
        found = {uid: verdict for uid, verdict in verdicts.items() if verdict.code is not None}
        to_me = {uid: verdict for uid, verdict in found.items() if self._recipient in verdict.recipients}
        to_anyone = {uid: verdict for uid, verdict in found.items() if not verdict.recipients & self._others}
        return {uid: verdict.code for uid, verdict in (to_me or to_anyone).items() if verdict.code is not None}

    def reasons(self) -> str:
        """Return why there is no code, for a person."""
        if self.error is not None:
            return self.error
        if not self._verdicts:
            if self._newest is None:
                return _("no e-mail arrived after the request (the folder is empty)")
            return _(
                "no e-mail arrived after the request (the newest is from {newest} UTC)",
                newest=f"{self._newest:%H:%M:%S}",
            )
        counts = Counter(verdict.kind for verdict in self._verdicts.values())
        reasons = ", ".join(_(text, count=counts[kind]) for kind, text in _REASONS.items() if counts[kind])
        return _("of the e-mails that arrived, {reasons}", reasons=reasons)
