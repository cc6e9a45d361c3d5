"""Checks of who gets the alerts: cases that no channel covers, and rules of channels that match nothing."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches

from watcher.alerts.coverage import covers, is_for_account, is_limited
from watcher.alerts.plan import plan_of_case
from watcher.app import App
from watcher.context.known_cases import KnownCase, known_cases
from watcher.doctor.finding import Finding, about_channel, ok, warning
from watcher.messages import _, plural
from watcher.settings import ChannelSettings
from watcher.text.case_numbers import normalized_number
from watcher.text.person_names import normalized_name

_MAX_LISTED = 6


def check_coverage(app: App) -> Iterator[Finding]:
    """Report cases and people whose alerts go nowhere, and rules of channels that match no case."""
    settings = app.settings
    cases = [case for case in known_cases(app.store, settings) if not case.finished]
    if not settings.channels or not cases:
        return
    people = sorted({case.person for case in app.store.user_cases().values() if case.person})
    findings: list[Finding] = []
    unread = set(settings.accounts) - {case.account for case in cases}
    for channel in settings.channels.values():
        may_match_later = any(is_for_account(channel, account) for account in unread)
        unmatched = [] if may_match_later else list(_unmatched_numbers(channel, cases, people))
        unmatched += _unmatched_people(channel, people)
        if not unmatched and not may_match_later and not any(_covers(channel, case) for case in cases):
            unmatched.append(_without_cases(channel))
        findings += unmatched
    uncovered = [
        case for case in cases if not any(plan_of_case(settings.channels, case.account, case.case_number, case.person))
    ]
    findings += _uncovered(uncovered, cases)
    if not findings:
        text = plural("the alerts of {n} case go to a channel", "the alerts of {n} cases go to a channel", len(cases))
        findings.append(ok(_("who gets alerts"), text))
    yield from findings


def _covers(channel: ChannelSettings, case: KnownCase) -> bool:
    return covers(channel, case.account, case.case_number, case.person)


def _unmatched_numbers(
    channel: ChannelSettings, cases: Sequence[KnownCase], people: Sequence[str]
) -> Iterator[Finding]:
    numbers = {normalized_number(case.case_number): case.case_number for case in cases}
    for number in sorted(channel.cases):
        if normalized_number(number) in numbers:
            continue
        problem = _("its `cases` name {number}, which is not being watched", number=number)
        if normalized_name(number) in map(normalized_name, people):
            remedy = _("{name} is a person: write the name in `people`", name=number)
        else:
            known = _nearest(number, numbers.values(), normalized_number)
            remedy = (
                _("did you mean {name}? Correct `cases`", name=known)
                if known
                else _("correct `cases`; `watcher status` shows the numbers")
            )
        yield warning(about_channel(channel.name), problem, remedy)


def _unmatched_people(channel: ChannelSettings, people: Sequence[str]) -> Iterator[Finding]:
    names = set(map(normalized_name, people))
    for person in sorted(channel.people):
        if normalized_name(person) in names:
            continue
        problem = _("its `people` name {person}, who has no case", person=person)
        known = _nearest(person, people, normalized_name)
        remedy = (
            _("did you mean {name}? Correct `people`", name=known)
            if known
            else _("run `watcher label CASE --person NAME` with the same name")
        )
        yield warning(about_channel(channel.name), problem, remedy)


def _without_cases(channel: ChannelSettings) -> Finding:
    problem = _("gets no alert of any case")
    if is_limited(channel):
        remedy = _(
            "a case must match all of `accounts`, `cases`, and `people`; `watcher notify plan` shows who gets what"
        )
    else:
        remedy = _("its `accounts` have no cases yet; `watcher notify plan` shows who gets what")
    return warning(about_channel(channel.name), problem, remedy)


def _uncovered(uncovered: Sequence[KnownCase], cases: Sequence[KnownCase]) -> Iterator[Finding]:
    """Yield a finding for each person, and one for the cases of nobody, whose alerts go to no channel."""
    by_person: dict[str, list[KnownCase]] = defaultdict(list)
    for case in uncovered:
        by_person[case.person or ""].append(case)
    remedy = _("add the case or the person to a channel; `watcher notify plan` shows who gets what")
    for person, of_person in sorted(by_person.items()):
        listed = ", ".join(case.label or case.case_number for case in of_person[:_MAX_LISTED])
        more = len(of_person) - _MAX_LISTED
        names = plural("{names}, and {n} more", "{names}, and {n} more", more, names=listed) if more > 0 else listed
        about = _("person {name}", name=person) if person else _("cases")
        if person and len(of_person) == sum(case.person == person for case in cases):
            yield warning(about, _("no channel gets any of their alerts: {names}", names=names), remedy)
        else:
            yield warning(about, _("no channel gets the alerts of {names}", names=names), remedy)


def _nearest(typed: str, known: Iterable[str], normalized: Callable[[str], str]) -> str | None:
    by_form = {normalized(name): name for name in known}
    near = get_close_matches(normalized(typed), by_form, n=1)
    return by_form[near[0]] if near else None
