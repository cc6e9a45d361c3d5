"""`watcher notify plan`: which channels get the alerts of each case, and when."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

import click

from watcher import portals
from watcher.alerts.plan import SEVERITIES, CasePlan, Recipient, Timing, plan_of_account, plan_of_case
from watcher.cli.context import read_only_context
from watcher.cli.options import CONFIG, JSON
from watcher.cli.terminal.output import print_json, print_line
from watcher.clock.durations import format_duration
from watcher.context.known_cases import KnownCase, known_cases
from watcher.messages import _, mark
from watcher.model.alert import AlertContext
from watcher.model.change import ChangeKind, Severity
from watcher.model.ledger import UserCase
from watcher.settings import Settings
from watcher.text.person_names import normalized_name

_WIDTH = 80
_INDENT = "  "
_SEVERITY_TEXTS = {
    Severity.URGENT: mark("urgent"),
    Severity.IMPORTANT: mark("important"),
    Severity.ROUTINE: mark("routine"),
}
_TO_ACT, _NOT_CHECKED = mark("to act on"), mark("not checked")

_TIMING_TEXTS = {
    ("at_once", False): mark("at once"),
    ("at_once", True): mark("at once, or after quiet hours ({quiet})"),
    ("digest", False): mark("in the digest ({digest})"),
    ("digest", True): mark("in the digest ({digest}), after quiet hours ({quiet})"),
    ("escalation", False): mark("after {delay} unless marked as seen"),
    ("escalation", True): mark("after {delay} unless marked as seen, or after quiet hours ({quiet})"),
}

_Rows = Sequence[tuple[str, tuple[Recipient, ...]]]
"""Recipients, each with what they get."""


@click.command("plan")
@CONFIG
@JSON
def notify_plan_command(config: Path | None, *, as_json: bool) -> None:
    """Show which channels get the alerts of each case, by severity, and when.

    Cases of one person stand together, and so do people whose alerts go to the same channels. Nothing is sent.
    """
    with read_only_context(config) as context:
        settings = context.settings
        cases = sorted(known_cases(context.store, settings), key=_order)
    channels = settings.channels
    plans = [(case, plan_of_case(channels, case.account, case.case_number, case.person)) for case in cases]
    accounts = {name: _account_rows(settings, name, cases) for name in settings.accounts}
    if as_json:
        print_json(
            {
                "cases": [_case_document(case, plan) for case, plan in plans],
                "accounts": [_account_document(name, rows) for name, rows in accounts.items()],
            }
        )
        return
    for line in _lines(plans, accounts, settings):
        print_line(line)


def _order(case: KnownCase) -> tuple[bool, str, str, str]:
    person = normalized_name(case.person or "")
    return not person, person, (case.label or case.case_number).casefold(), case.account


def _account_rows(settings: Settings, name: str, cases: Sequence[KnownCase]) -> _Rows:
    """Return who is asked to act on an account, and who is alerted that it is not being checked."""
    of_account = tuple(
        UserCase(number=case.case_number, person=case.person)
        for case in cases
        if case.account == name and not case.finished
    )
    about = AlertContext(account=name, portal_title="", links=None, changes=(), account_cases=of_account)
    account = settings.accounts[name]
    if portals.find(account.portal).is_manual:
        return [(_TO_ACT, plan_of_account(settings.channels, about, ChangeKind.LOOK_REMINDER))]
    asks = ChangeKind.LOOK_REMINDER if account.is_handed_over else ChangeKind.SIGN_IN_REJECTED
    return [
        (_TO_ACT, plan_of_account(settings.channels, about, asks)),
        (_NOT_CHECKED, plan_of_account(settings.channels, about, ChangeKind.BLIND)),
    ]


# --- as text ---


def _lines(
    plans: Sequence[tuple[KnownCase, CasePlan]], accounts: Mapping[str, _Rows], settings: Settings
) -> Iterator[str]:
    if not plans:
        yield _("No case is known yet. `watcher check` checks for the first time.")
    groups: dict[CasePlan, list[KnownCase]] = defaultdict(list)
    for case, plan in plans:
        groups[plan].append(case)
    for plan, cases in groups.items():
        yield from _people_lines(cases)
        yield from _row_lines([(_SEVERITY_TEXTS[severity], to) for severity, to in zip(SEVERITIES, plan, strict=True)])
        yield ""
    by_rows: dict[tuple[tuple[str, tuple[Recipient, ...]], ...], list[str]] = defaultdict(list)
    for name, rows in accounts.items():
        by_rows[tuple(rows)].append(name)
    for account_rows, names in by_rows.items():
        yield from _wrapped(_("Accounts: {names}", names=", ".join(names)), "")
        yield from _row_lines(account_rows)
        yield ""
    yield from _remarks(plans, settings)


def _people_lines(cases: Sequence[KnownCase]) -> Iterator[str]:
    """Yield a line for each person with the names of the cases."""
    people: dict[str, list[KnownCase]] = defaultdict(list)
    for case in cases:
        people[normalized_name(case.person or "")].append(case)
    for group in people.values():
        person = group[0].person or _("No person")
        yield from _wrapped(_("{person}: {cases}", person=person, cases=", ".join(map(_name, group))), "")


def _name(case: KnownCase) -> str:
    form = f" ({case.form})" if case.form else ""
    return case.label or f"{case.case_number}{form}"


def _row_lines(rows: _Rows) -> Iterator[str]:
    """Yield each row with its recipients by time; rows with the same recipients are one."""
    merged: dict[tuple[Recipient, ...], list[str]] = defaultdict(list)
    for what, recipients in rows:
        merged[recipients].append(_(what))
    width = max(len(", ".join(names)) for names in merged.values()) + 2
    for recipients, names in merged.items():
        start = f"{_INDENT}{', '.join(names):{width}}"
        for line in _recipient_lines(recipients):
            yield from _wrapped(line, start)
            start = " " * len(start)


def _recipient_lines(recipients: Sequence[Recipient]) -> Iterator[str]:
    if not recipients:
        yield _("no channel")
    by_timing: dict[Timing, list[str]] = defaultdict(list)
    for recipient in recipients:
        by_timing[recipient.timing].append(f"{recipient.channel}{'*' if recipient.kinds else ''}")
    for timing, names in by_timing.items():
        yield _("{when}: {channels}", when=_timing_text(timing), channels=", ".join(names))


def _timing_text(timing: Timing) -> str:
    delay = format_duration(timing.escalate_after) if timing.escalate_after else ""
    text = _TIMING_TEXTS[_when(timing), timing.quiet_hours is not None]
    return _(text, delay=delay, digest=str(timing.digest), quiet=str(timing.quiet_hours))


def _remarks(plans: Sequence[tuple[KnownCase, CasePlan]], settings: Settings) -> Iterator[str]:
    """Yield what the rows cannot say: channels of few kinds, and channels without any case."""
    for channel in settings.channels.values():
        if channel.kinds:
            kinds = ", ".join(sorted(channel.kinds))
            yield from _wrapped(_("* {channel} gets only these kinds: {kinds}", channel=channel.name, kinds=kinds), "")
    used = {recipient.channel for _case, plan in plans for recipients in plan for recipient in recipients}
    unused = [name for name in settings.channels if name not in used]
    if unused and plans:
        names = ", ".join(unused)
        text = _("No alert of a case goes to these channels; `watcher doctor` says why: {names}", names=names)
        yield from _wrapped(text, "")


def _wrapped(text: str, start: str) -> list[str]:
    """Return the text after `start`, in lines of 80 columns; the further ones are indented."""
    indent = " " * len(start) if start else _INDENT * 2
    return wrap(
        text, _WIDTH, initial_indent=start, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


# --- as JSON ---


def _when(timing: Timing) -> str:
    if timing.escalate_after:
        return "escalation"
    return "digest" if timing.digest else "at_once"


def _case_document(case: KnownCase, plan: CasePlan) -> dict[str, Any]:
    alerts = {
        severity.value: [_recipient_document(recipient) for recipient in recipients]
        for severity, recipients in zip(SEVERITIES, plan, strict=True)
    }
    about = {"account": case.account, "case_number": case.case_number, "form": case.form}
    return {**about, "label": case.label, "person": case.person, "finished": case.finished, "alerts": alerts}


def _account_document(name: str, rows: _Rows) -> dict[str, Any]:
    recipients = {what: [_recipient_document(recipient) for recipient in to] for what, to in rows}
    return {"name": name, "to_act_on": recipients[_TO_ACT], "not_checked": recipients.get(_NOT_CHECKED, [])}


def _recipient_document(recipient: Recipient) -> dict[str, Any]:
    timing = recipient.timing
    return {
        "channel": recipient.channel,
        "when": _when(timing),
        "quiet_hours": str(timing.quiet_hours) if timing.quiet_hours else None,
        "digest": str(timing.digest) if timing.digest else None,
        "escalate_after": format_duration(timing.escalate_after) if timing.escalate_after else None,
        "kinds": list(recipient.kinds),
    }
