"""Stories of several people's cases and of channels for some of them, told to the real program, and an oracle.

A story is a list of steps: what a portal shows from some check on, and which changes that is. The oracle counts who
must get which alert and when, from the steps, the rules of the channels, and the contract only, without the program.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from tests.doubles.notifier import AcceptsAttachments
from tests.years.in_store import SettableClock
from watcher.app import App
from watcher.delivery.message_traits import NO_TRAITS, Traits
from watcher.errors import PortalUnavailable, ReadFailed
from watcher.model.account_health import resume
from watcher.model.alert import AlertState
from watcher.model.case import Snapshot
from watcher.portal import CaseFailed, CaseRead
from watcher.reading.poll import record_results

NEW_YORK = ZoneInfo("America/New_York")
_RANKS = {".": 0, "*": 1, "!": 2}
_LEAST = {"routine": 0, "important": 1, "urgent": 2}
_TO_ACT = {"sign_in_rejected"}
_NO_ANSWER = PortalUnavailable("no answer")

Rules = Mapping[str, Any]
"""The rules of a channel, as in the configuration."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a check finds, or only time causes, about one case or (`case` None) one account.

    `shown` are the fields that the portal shows from then on; None if it shows what it did. `gone`: it no longer lists
    the case. `error`: the check fails. `fails`: it cannot read this case, or an alert about the account is about that.
    `person`: the user says then whose the case is. `changes` has the changes, each
    with its severity: `!` urgent, `*` important, `.` routine; `+` is the first contact. `seen`: somebody marks the
    alert as seen at once.
    """

    at: datetime
    account: str
    case: str | None = None
    shown: Mapping[str, Any] | None = None
    gone: bool = False
    error: ReadFailed | None = None
    fails: str | None = None
    person: str | None = None
    changes: str = ""
    seen: bool = False


@dataclass(frozen=True, order=True)
class Received:
    """An alert that a channel got: when, and the changes in it, each with the number of its case."""

    at: datetime
    channel: str
    contents: tuple[str, ...]


# --- the oracle ---


@dataclass(kw_only=True)
class Oracle:
    """Counts the alerts. `people` says whose each case is; steps change it."""

    channels: Mapping[str, Rules]
    people: dict[str, str]
    _cases: dict[str, list[str]] = field(default_factory=dict)

    def count(self, steps: Iterable[Step]) -> list[Received]:
        """Return every alert that must be received, in order."""
        received: list[Received] = []
        for step in sorted(steps, key=lambda step: step.at):
            if step.case and step.person:
                self.people[step.case] = step.person
            if step.case and step.shown is not None and step.case not in self._cases.setdefault(step.account, []):
                self._cases[step.account].append(step.case)
            for name, rules in self.channels.items():
                received += self._received(step, name, rules)
        first = [alert for alert in received if alert.contents[0].startswith("+")]
        others = [alert for alert in received if alert not in first]
        return sorted(_still_true(others) + _together(first))

    def covers(self, rules: Rules, account: str, case: str) -> bool:
        """Return whether the channel is for this case now."""
        return (
            account in (rules.get("accounts") or [account])
            and case in (rules.get("cases") or [case])
            and (not rules.get("people") or self.people.get(case) in rules["people"])
        )

    def _received(self, step: Step, name: str, rules: Rules) -> Iterable[Received]:
        changes = [(mark_and_kind[0], mark_and_kind[1:]) for mark_and_kind in step.changes.split()]
        if not changes or not self._hears(step, rules):
            return
        if changes[0][0] == "+":
            yield Received(_after_quiet(step.at, rules), name, (f"+{step.case} {changes[0][1]}",))
            return
        if _is_limited(rules) and step.case is None:
            changes = [change for change in changes if change[1] not in _TO_ACT]
        kinds = rules.get("kinds")
        least = _LEAST[rules.get("min_severity", "important")]
        chosen = [
            (mark, kind) for mark, kind in changes if _rank(mark, kind, rules) >= least and (not kinds or kind in kinds)
        ]
        if not chosen:
            return
        is_urgent = any(mark == "!" for mark, _ in chosen)
        if rules.get("escalate_after") and (not is_urgent or step.seen):
            return
        contents = tuple(sorted(f"{step.case or step.account} {kind}" for _, kind in chosen))
        yield Received(_due(step.at, rules, is_urgent=is_urgent), name, contents)

    def _hears(self, step: Step, rules: Rules) -> bool:
        if step.case is not None:
            return self.covers(rules, step.account, step.case)
        if not _is_limited(rules):
            return step.account in (rules.get("accounts") or [step.account])
        failing = [step.fails] if step.fails else self._cases[step.account]
        return any(self.covers(rules, step.account, case) for case in failing)


def _is_limited(rules: Rules) -> bool:
    return bool(rules.get("people") or rules.get("cases"))


def _rank(mark: str, kind: str, rules: Rules) -> int:
    """Return the severity by which a change is chosen. Whoever heard of a problem hears of its end."""
    if kind == "recovered":  # after a rejected sign-in, of which channels for some cases heard only as `blind`
        return 1 if _is_limited(rules) else 2
    return _RANKS[mark]


def _together(first: Sequence[Received]) -> list[Received]:
    """Return one alert for all that a channel gets at the first contact with an account, which is at one moment."""
    contents: dict[tuple[datetime, str], list[str]] = {}
    for alert in first:
        contents.setdefault((alert.at, alert.channel), []).extend(alert.contents)
    return [
        Received(at, channel, tuple(sorted(text.removeprefix("+") for text in texts)))
        for (at, channel), texts in contents.items()
    ]


def _still_true(received: Sequence[Received]) -> list[Received]:
    """Return the alerts without those in a digest that say that an account fails, if it also says that it works."""
    ended = {(alert.at, alert.channel, text) for alert in received for text in alert.contents if "recovered" in text}
    return [
        alert
        for alert in received
        if not any(
            (alert.at, alert.channel, text.replace("blind", "recovered")) in ended
            for text in alert.contents
            if "blind" in text
        )
    ]


def _due(at: datetime, rules: Rules, *, is_urgent: bool) -> datetime:
    if rules.get("escalate_after"):
        at += timedelta(hours=int(rules["escalate_after"].removesuffix("h")))
    elif rules.get("digest") and not is_urgent:
        at = _next_digest(at, rules["digest"])
    breaks_quiet = is_urgent and rules.get("urgent_breaks_quiet", True)
    return at if breaks_quiet else _after_quiet(at, rules)


def _after_quiet(at: datetime, rules: Rules) -> datetime:
    """Return the end of the quiet hours, which go over midnight, if `at` is within them."""
    if not rules.get("quiet_hours"):
        return at
    start, end = map(time.fromisoformat, rules["quiet_hours"].split("-"))
    wall = at.astimezone(NEW_YORK)
    if end <= wall.time() < start:
        return at
    day = wall.date() + timedelta(days=int(wall.time() >= start))
    return datetime.combine(day, end, NEW_YORK).astimezone(UTC)


def _next_digest(at: datetime, digest: str) -> datetime:
    *weekly, hour = digest.split()
    day = at.astimezone(NEW_YORK).date()
    while True:
        due = datetime.combine(day, time.fromisoformat(hour), NEW_YORK).astimezone(UTC)
        if due > at and (weekly == ["daily"] or f"{day:%a}".lower() == weekly[1]):
            return due
        day += timedelta(days=1)


# --- the program ---


@dataclass(frozen=True, kw_only=True)
class Text:
    """A message that arrived, with everything in it that a person can read."""

    at: datetime
    channel: str
    title: str
    whole: str


@dataclass(slots=True)
class Phones(AcceptsAttachments):
    """A notifier that keeps every message. The URL's path is the channel's name."""

    clock: SettableClock
    texts: list[Text] = field(default_factory=list)

    def send(
        self,
        url: SecretStr,
        *,
        title: str,
        body: str,
        html: str,
        short: str,
        attachments: Sequence[Path] = (),
        accepted_by: Collection[str] = (),
        traits: Traits = NO_TRAITS,
    ) -> None:
        assert not accepted_by
        channel = urlsplit(url.get_secret_value()).path.strip("/")
        whole = "\n".join((title, body, html, short, traits.link, *map(str, attachments)))
        self.texts.append(Text(at=self.clock.now(), channel=channel, title=title, whole=whole))


@dataclass(kw_only=True)
class Program:
    """The real program, to which a story is told. `shown` is what the portal shows, by account and number."""

    app: App
    clock: SettableClock
    shown: dict[str, dict[str, Snapshot]] = field(default_factory=dict)
    gone: dict[str, Snapshot] = field(default_factory=dict)

    def tell(self, steps: Sequence[Step], *, reminders: Iterable[datetime] = ()) -> None:
        """Let the steps happen, and the program record reminders at these moments, in the order of time."""
        by_time: dict[datetime, list[Step]] = {at: [] for at in reminders}
        remind_at = set(by_time)
        for step in steps:
            by_time.setdefault(step.at, []).append(step)
        for at, together in sorted(by_time.items()):
            self._advance_to(at)
            self._let_happen(together)
            if at in remind_at:
                self.app.record_time_reminders(at_any_hour=False)
            self._advance_to(at)
            if any(step.seen for step in together):
                self._mark_seen({step.case for step in together if step.seen})
        self._advance_to(max(by_time) + timedelta(days=30))

    def received(self) -> list[Received]:
        """Return every alert that was sent, in order."""
        changes = {entry.id: entry for entry in self.app.store.history()}
        return sorted(
            Received(
                alert.sent_at,
                alert.channel,
                tuple(
                    sorted(
                        f"{changes[number].change.case_number or changes[number].account} {changes[number].change.kind}"
                        for number in alert.change_ids
                    )
                ),
            )
            for alert in self.app.store.outbox.list(state=AlertState.SENT)
            if alert.sent_at is not None
        )

    def _advance_to(self, moment: datetime) -> None:
        """Deliver what is due until then, like the daemon."""
        while (due := self.app.store.outbox.next_due()) is not None and due <= moment:
            self.clock.set(due)
            self.app.outbox_worker().deliver_due()
        self.clock.set(moment)

    def _let_happen(self, steps: Sequence[Step]) -> None:
        checked: dict[str, ReadFailed | None] = {}
        failing: set[str | None] = set()
        for step in steps:
            if step.case and step.person:
                self.app.store.user.label({step.case: {"person": step.person}})
            cases = self.shown.setdefault(step.account, {})
            if step.case and step.shown is not None:
                before = cases.get(step.case) or self.gone.pop(step.case, Snapshot(case_number=step.case))
                cases[step.case] = replace(before, **step.shown)
            if step.case and step.gone and step.case in cases:
                self.gone[step.case] = cases.pop(step.case)
            if step.fails and not step.changes:
                failing.add(step.fails)
                checked[step.account] = None
            if step.shown is not None or step.gone or step.error:
                checked[step.account] = step.error
        for name, error in checked.items():
            self._check(name, error, failing)

    def _check(self, name: str, error: ReadFailed | None, failing: Collection[str | None]) -> None:
        results: list[CaseRead | CaseFailed] = [
            CaseFailed(case_number=number, error=_NO_ANSWER) if number in failing else CaseRead(snapshot=snapshot)
            for number, snapshot in self.shown[name].items()
        ]
        if error is not None:
            results = [CaseFailed(case_number=next(iter(self.shown[name])), error=error)]
        account, portal = self.app.settings.accounts[name], self.app.portal_of(name)
        health = self.app.store.accounts.health(name, self.clock.now())
        if error is None and health.state.waits_for_person:
            self.app.store.accounts.set_health(name, resume(health))  # as `watcher resume` does
        record_results(results, account, portal, self.app.context, complete=True)

    def _mark_seen(self, cases: Collection[str | None]) -> None:
        """Mark the newest alerts about these cases as seen, as `watcher ack` does."""
        changes = {entry.id: entry.change.case_number for entry in self.app.store.history()}
        for alert in self.app.store.outbox.list(state=AlertState.SENT):
            if alert.sent_at == self.clock.now() and {changes[number] for number in alert.change_ids} <= set(cases):
                assert self.app.store.outbox.acknowledge(alert.id, self.clock.now())


def noon(day: date) -> datetime:
    """Return noon in New York in winter, an hour later in summer."""
    return datetime(day.year, day.month, day.day, 17, tzinfo=UTC)
