"""What has to be true after a run, from the story and the contract alone. Nothing of the program is imported here."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from tests.adversary.channel import Arrival
from tests.adversary.processes import Interruption, Kill, query
from tests.adversary.story import TITLES, Author, CaseStory, Happening

_ROUTINE = frozenset({"item_closed", "case_added", "case_returned", "history_added"})
_CAUSED_BY_TIME = frozenset(
    {"silent_update", "blind", "recovered", "portal_unreadable", "channel_failing", "stalled", "deadline_near"}
    | {"deadline_passed", "sign_in_rejected", "clock_set_back", "session_ended", "mfa_needed"}
)
"""Kinds that hostile portals, channels, and clocks may cause. They say nothing that the story could contradict."""

_STATUS = re.compile(rf"(?:{'|'.join(map(re.escape, TITLES))}|Case Was Received) q[0-9]+q")
_DATE = re.compile(r"[A-Z][a-z]+ [0-9]{1,2}, [0-9]{4}")
_SEVERAL_CASES = "Watching "
_BEFORE = "Before this:"
_LATE = "This alert is late. Newer alerts"
_ENDS_WITHIN = 15.0  # seconds
_ON_ITS_WAY = 2.0  # seconds in which the request of a killed process may still be read


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A row of the outbox."""

    id: int
    channel: str
    state: str
    severity: str
    case_number: str | None
    text: tuple[str, str]
    covered_by: int | None
    changes: frozenset[int]


@dataclass(slots=True, kw_only=True)
class Verdict:
    """What was wrong, by kind, and what was counted.

    Of the alerts that came twice, `after_acceptance` had been accepted before the kill, at most `longest_gap` seconds;
    those `in_flight` were accepted although their sender was being killed. `interrupted` ones could not be committed
    because the database was gone.
    """

    lost: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)
    unproved: list[str] = field(default_factory=list)
    untrue: list[str] = field(default_factory=list)
    after_acceptance: int = 0
    in_flight: int = 0
    interrupted: int = 0
    longest_gap: float = 0.0
    happenings: int = 0
    alerts: int = 0
    dropped: int = 0

    @property
    def faults(self) -> list[str]:
        kinds = {"lost": self.lost, "invented": self.invented, "double": self.unproved, "untrue": self.untrue}
        return [f"{kind}: {text}" for kind, texts in kinds.items() for text in texts]


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel of the configuration. `cases` are those it is about; `takes_routine`: alerts of every severity."""

    name: str
    targets: tuple[str, ...]
    cases: frozenset[str]
    takes_routine: bool

    def takes(self, happening: Happening) -> bool:
        return happening.number in self.cases and (self.takes_routine or not happening.kinds <= _ROUTINE)


def judge(
    author: Author,
    arrivals: Sequence[Arrival],
    kills: Sequence[Kill],
    interruptions: Sequence[Interruption],
    database: Path,
    channels: Sequence[Channel],
    notices: Counter[str],
) -> Verdict:
    """Compare the story with the history, the outbox, and what arrived.

    `notices` are titles of messages without an alert, and how often each may arrive at a target.
    """
    verdict = Verdict(happenings=len(author.happenings))
    alerts = _alerts(database)
    verdict.alerts, verdict.dropped = len(alerts), sum(alert.state == "dropped" for alert in alerts.values())
    _judge_history(verdict, author.happenings, database)
    _judge_outbox(verdict, author.happenings, alerts, channels)
    for channel in channels:
        rows = [alert for alert in alerts.values() if alert.channel == channel.name]
        stories = [story for story in author.cases.values() if story.number in channel.cases]
        for target in channel.targets:
            mine = [arrival for arrival in arrivals if arrival.target == target and arrival.title not in notices]
            noticed = Counter(arrival.title for arrival in arrivals if arrival.target == target and arrival.accepted)
            verdict.invented += [
                f"{target}: {noticed[title]} times: {title}" for title in notices if noticed[title] > notices[title]
            ]
            judge_arrivals(verdict, target, mine, rows, kills, interruptions)
            _judge_truth(verdict, target, mine, stories)
    return verdict


def _alerts(database: Path) -> dict[int, Alert]:
    linked = defaultdict[int, set[int]](set)
    for alert, change in query(database, "SELECT alert_id, change_id FROM alert_change") or ():
        linked[alert].add(change)
    rows = query(database, "SELECT id, channel, state, severity, case_number, title, body, covered_by FROM alert")
    assert rows is not None, "the database cannot be read at the end"
    return {
        row[0]: Alert(
            id=row[0],
            channel=row[1],
            state=row[2],
            severity=row[3],
            case_number=row[4],
            text=_text(row[5], row[6]),
            covered_by=row[7],
            changes=frozenset(linked[row[0]]),
        )
        for row in rows
    }


def _text(title: str, body: str) -> tuple[str, str]:
    lines = [line.rstrip() for line in body.strip().splitlines()]
    if lines and lines[0].startswith(_LATE):
        lines = lines[2:]
    return title.strip(), "\n".join(lines)


def _judge_history(verdict: Verdict, happenings: Iterable[Happening], database: Path) -> None:
    """Every happening is one change; every other change is of a kind that needs none."""
    told = {happening.change for happening in happenings if happening.change is not None}
    verdict.lost += [
        f"{happening.number} {sorted(happening.kinds)} {happening.token} was never recorded"
        for happening in happenings
        if happening.change is None
    ]
    rows = query(database, 'SELECT id, kind, case_number, summary FROM "change"') or ()
    verdict.invented += [
        f"change {change} {kind} {number}: {summary}"
        for change, kind, number, summary in rows
        if change not in told and kind not in _CAUSED_BY_TIME
    ]


def _judge_outbox(
    verdict: Verdict, happenings: Iterable[Happening], alerts: Mapping[int, Alert], channels: Iterable[Channel]
) -> None:
    """Every happening has an alert on each channel that takes its severity; each was sent, or dropped for another."""
    told = {happening.change for happening in happenings}
    linked = defaultdict[int, set[str]](set)
    for alert in alerts.values():
        for change in alert.changes:
            linked[change].add(alert.channel)
        if alert.state == "dropped" and alert.changes & told and not _has_sent_successor(alert, alerts):
            verdict.lost.append(f"alert {alert.id} was dropped, and no later one about the case was sent: {alert}")
        elif alert.state not in {"sent", "dropped"}:
            verdict.lost.append(f"alert {alert.id} on {alert.channel} is still {alert.state}: {alert.text[0]}")
    for happening in happenings:
        has_alert = linked[happening.change or 0]
        for channel in channels if happening.change is not None else ():
            if channel.takes(happening) and channel.name not in has_alert:
                verdict.lost.append(f"{channel.name} has no alert about {happening.number} {happening.token}")


def _has_sent_successor(alert: Alert, alerts: Mapping[int, Alert]) -> bool:
    """Return whether the alert was dropped for a later one about the case that was sent, or dropped likewise."""
    later = alerts.get(alert.covered_by or 0)
    while later is not None and later.id > alert.id and later.case_number == alert.case_number:
        if later.state == "sent":
            return True
        alert, later = later, alerts.get(later.covered_by or 0)
    return False


def judge_arrivals(
    verdict: Verdict,
    target: str,
    arrivals: Sequence[Arrival],
    alerts: Sequence[Alert],
    kills: Sequence[Kill],
    interruptions: Sequence[Interruption] = (),
) -> None:
    """What is marked as sent was accepted, once; a second time only with a kill between acceptance and commit.

    A process whose database was taken away could not commit either.
    """
    rows, seen = defaultdict[tuple[str, str], list[Alert]](list), defaultdict[tuple[str, str], list[Arrival]](list)
    for alert in alerts:
        rows[alert.text].append(alert)
    for arrival in arrivals:
        seen[_text(arrival.title, arrival.body)].append(arrival)
    verdict.invented += [f"{target}: a message that no alert has: {title}" for title, _ in seen.keys() - rows.keys()]
    for text, same in rows.items():
        accepted = [arrival for arrival in seen[text] if arrival.accepted is not None]
        sent = [alert for alert in same if alert.state == "sent"]
        verdict.lost += [f"{target}: marked as sent, never accepted: {text[0]}"] * max(0, len(sent) - len(accepted))
        surplus = len(accepted) - len(same)  # one that was accepted may be dropped after a kill before its commit
        if surplus > 0:
            ids = {alert.id for alert in same}
            found = [proof_of(one, other, seen[text], ids, kills) for one, other in pairwise(accepted)]
            proofs = [proof for proof in found if proof is not None]
            verdict.after_acceptance += sum(proof >= 0 for proof in proofs)
            verdict.in_flight += sum(proof < 0 for proof in proofs)
            verdict.longest_gap = max([verdict.longest_gap, *proofs])
            interrupted = [one for one, proof in zip(accepted, found, strict=False) if proof is None]
            interrupted = [one for one in interrupted if _was_interrupted(one, interruptions)]
            verdict.interrupted += len(interrupted)
            if surplus > len(proofs) + len(interrupted):
                verdict.unproved.append(
                    f"{target}: {len(accepted)} times, {len(same)} alerts: {text[0]}{_when(seen[text])}"
                )


def proof_of(
    arrival: Arrival, second: Arrival, same: Iterable[Arrival], ids: Collection[int], kills: Iterable[Kill]
) -> float | None:
    """Return for how many seconds the message had been accepted when a kill met it before its commit; else None.

    The victim is the process that sent the message, or the one for which that process sends and which would have marked
    the alert as sent. At that moment the database showed that the alert was on its way for that one. Neither of them
    had begun another attempt, and the `second` time came later. Negative if the channel accepted a message whose
    sender was being killed.
    """
    if arrival.accepted is None or arrival.sender is None:
        return None
    for kill in kills:
        if kill.claims is None or kill.at > second.began or arrival.began > kill.gone + _ON_ITS_WAY:
            continue
        claimants = {kill.claims[alert] for alert in ids & kill.claims.keys()}
        involved = {arrival.sender.pid, arrival.sender.parent}
        if arrival.sender.parent is None:  # it had been killed before its child could look: the claim tells
            involved.add(kill.pid)
        again = any(arrival.began < other.began <= kill.at and _is_of(other, involved) for other in same)
        if kill.pid in involved and claimants & involved and not again:
            return kill.at - arrival.accepted
    return None


def _was_interrupted(arrival: Arrival, interruptions: Iterable[Interruption]) -> bool:
    """Return whether the sender had to end because its database was gone, a moment before or after the acceptance."""
    return any(
        _is_of(arrival, each.pids) and abs((arrival.accepted or 0) - each.at) < _ENDS_WITHIN for each in interruptions
    )


def _is_of(arrival: Arrival, processes: Collection[int | None]) -> bool:
    return arrival.sender is not None and bool({arrival.sender.pid, arrival.sender.parent or 0} & set(processes))


def _when(arrivals: Iterable[Arrival]) -> str:
    return "; " + ", ".join(
        f"{arrival.began:.3f}-{arrival.accepted or 0:.3f} by {arrival.sender}" for arrival in arrivals
    )


def _judge_truth(verdict: Verdict, target: str, arrivals: Sequence[Arrival], stories: Iterable[CaseStory]) -> None:
    """The last message about a case names its status as it is, and the last one about an item has its date.

    A message that says that newer ones were sent before it does not count.
    """
    for story in stories:
        about = [
            arrival
            for arrival in _in_order(arrivals)
            if story.number[-4:] in arrival.title
            and not arrival.title.startswith(_SEVERAL_CASES)
            and not arrival.body.startswith(_LATE)
        ]
        verdict.untrue += [f"{target}: {fault}" for fault in untrue_about(story, about)]


def untrue_about(story: CaseStory, about: Sequence[Arrival]) -> Iterator[str]:
    """Yield what the last messages about a case say that is not so. `about` are in the order of their acceptance."""
    told = [f"{arrival.title}\n{arrival.body.partition(_BEFORE)[0]}" for arrival in about]
    statuses = [status for head in told for status in _STATUS.findall(head)]
    if story.status and statuses and statuses[-1] != story.status:
        yield f"the last message about {story.number} says {statuses[-1]}: {story.status}"
    for token, item in story.open_items.items():
        last = next((head for head in reversed(told) if token in head and _DATE.search(head)), "")
        if item.due_on and f"{item.due_on:%B} {item.due_on.day}, {item.due_on.year}" not in last:
            yield f"{story.number} {token} is due {item.due_on}; the last message: {last}"


def _in_order(arrivals: Sequence[Arrival]) -> Iterator[Arrival]:
    """Yield what was accepted, in the order in which it was."""
    yield from sorted(
        (arrival for arrival in arrivals if arrival.accepted is not None), key=lambda arrival: arrival.accepted or 0.0
    )
