"""Take what a person's own tab handed over, as one check of the account, through the code that imports saved pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from watcher.actions import Refused
from watcher.actions.accounts import end_pause, import_cookies
from watcher.app import App
from watcher.errors import UnexpectedAnswer
from watcher.export.calendar_file import update_calendar_file
from watcher.handover.offer import NothingToHandOver, plan_of
from watcher.handover.payload import HandedAnswer, HandOver, HandOverRefused, as_http_archive, read_payload
from watcher.handover.replays import forget, refuse_replay
from watcher.messages import _, plural
from watcher.model.account_health import ReadResult
from watcher.model.change import RecordedChange
from watcher.model.ledger import UserCase
from watcher.portal import CaseFailed, CaseRead, CaseResult, HandoverPlan
from watcher.reading.poll import record_results
from watcher.settings import AccountSettings
from watcher.settings.derived import is_watched
from watcher.store import Busy
from watcher.text.case_numbers import normalized_number
from watcher.text.json import load_or_none

_FILE, _PAGE, _BROWSER = "hand-over", "hand-over.html", "browser"
_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a hand-over.

    `elsewhere` are the numbers of watched cases that the person who is signed in cannot see: they belong to another
    person's account at the portal. `unreadable` are cases whose answers were incomplete, with the reason.
    """

    result: ReadResult
    elsewhere: tuple[str, ...] = ()
    unreadable: tuple[CaseFailed, ...] = field(default=())


def take(app: App, name: str, content: bytes) -> Taken:
    """Record a hand-over to the account `name` as one check.

    Raises `Refused`, after which nothing has changed, `StoreUnusable`, and `LockLost`.
    """
    try:
        return _take(app, app.settings.accounts[name], content)
    except (HandOverRefused, NothingToHandOver) as refused:
        raise Refused(str(refused)) from None


def take_session(app: App, name: str, cookies: bytes) -> tuple[str, ...]:
    """Import the cookies that the extension sends, end the pause that waited for them, and return what to say.

    Raises ValueError for what are no cookies of this account, and `Refused`.
    """
    imported, skipped = import_cookies(app, name, cookies, file=_BROWSER)
    end_pause(app, name, has_session=True)
    return imported, *skipped


def _take(app: App, account: AccountSettings, content: bytes) -> Taken:
    name = account.name
    plan = plan_of(account)
    hand_over = read_payload(content, origin=plan.origin)
    results, elsewhere = _results(app, account, hand_over)
    if not any(isinstance(result, CaseRead) for result in results):
        raise _nothing_read(account, plan, results, elsewhere)
    taken = app.sessions.of(name, "hand-overs")
    refuse_replay(hand_over, taken, app.clock.now())
    try:
        recorded = record_results(results, account, app.portal_of(name), app.context)
    except Busy:
        forget(hand_over, taken)
        raise HandOverRefused(
            _("{account} is being checked at this moment. Hand over again in a minute.", account=name)
        ) from None
    update_calendar_file(app.context)
    unreadable = tuple(result for result in results if isinstance(result, CaseFailed))
    return Taken(result=recorded, elsewhere=elsewhere, unreadable=unreadable)


def _results(app: App, account: AccountSettings, hand_over: HandOver) -> tuple[list[CaseResult], tuple[str, ...]]:
    """Return the results of the watched cases, and the numbers of those that another person's account shows.

    A case that is only embedded in the answer of another one is taken from there.
    """
    reads: dict[str, CaseRead] = {}
    failures: dict[str, CaseFailed] = {}
    elsewhere: list[str] = []
    for number, answers in hand_over.by_case().items():
        if number and not any(map(_shows_something, answers)):
            elsewhere.append(number)
            continue
        try:
            found = _imported(app, account, answers)
        except UnexpectedAnswer as error:
            if not number:
                raise HandOverRefused(_("{reason}. Nothing was changed.", reason=error)) from None
            failures[number] = CaseFailed(case_number=number, error=error)
            continue
        for read in found:
            if read.snapshot.case_number == number or read.snapshot.case_number not in reads:
                reads[read.snapshot.case_number] = read
    watched = {number: read for number, read in reads.items() if is_watched(account, number)}
    failed = [
        failure for number, failure in failures.items() if number not in watched and (is_watched(account, number))
    ]
    missing = [number for number in elsewhere if number not in reads and is_watched(account, number)]
    return [*watched.values(), *failed], tuple(missing)


def _shows_something(answer: HandedAnswer) -> bool:
    """Return whether the portal showed the case to the person who is signed in. Some say "nothing" with status 200."""
    content = load_or_none(answer.body)
    is_empty = content is None and answer.body.strip() in {b"", b"null"}
    return answer.status == _OK and not is_empty and not (isinstance(content, dict) and content.get("data", "") is None)


def _imported(app: App, account: AccountSettings, answers: tuple[HandedAnswer, ...]) -> Sequence[CaseRead]:
    """Return the cases in the answers of one case, or in the pages that the person looked at."""
    importer = app.portal_of(account.name).importer(account)
    if importer is None:
        return ()
    if answers[0].case_number:
        return importer([(_FILE, as_http_archive(answers))], app.settings.language)
    return importer([(_PAGE, answer.body) for answer in answers], app.settings.language)


def _nothing_read(
    account: AccountSettings, plan: HandoverPlan, results: Sequence[CaseResult], elsewhere: Sequence[str]
) -> HandOverRefused:
    """Return why no case was read: damage, another person's account, or none of the account's cases."""
    for result in results:
        if isinstance(result, CaseFailed):
            return HandOverRefused(
                _(
                    "{case}: {reason}. Nothing was changed. Reload the page, then hand over again.",
                    case=result.case_number,
                    reason=result.error,
                )
            )
    if elsewhere:
        return HandOverRefused(
            _(
                "The person who is signed in at {site} cannot see the cases of {account}, or the session has just"
                " ended. Sign in as the person whose cases they are, then hand over again.",
                site=plan.origin,
                account=account.name,
            )
        )
    return HandOverRefused(
        _("The page shows no case that {account} watches. Nothing was changed.", account=account.name)
    )


def report_of(taken: Taken, said: Mapping[str, UserCase]) -> tuple[str, ...]:
    """Return a headline, then a line for each change and for each case that was not read.

    `said` is what the user calls cases, by normalized number.
    """
    result = taken.result
    cases = plural("{n} case read", "{n} cases read", result.cases_read)
    changes = plural("{n} change", "{n} changes", len(result.changes)) if result.changes else _("no changes")
    return (
        _("{cases}, {changes}.", cases=cases, changes=changes),
        *(_change_line(change, said) for change in result.changes),
        *(
            _("{case}: not shown to the person who is signed in; hand it over from their account.", case=number)
            for number in taken.elsewhere
        ),
        *(_("{case}: {reason}", case=failure.case_number, reason=failure.error) for failure in taken.unreadable),
    )


def _change_line(change: RecordedChange, said: Mapping[str, UserCase]) -> str:
    number = change.change.case_number
    if number is None:
        return change.summary
    user = said.get(normalized_number(number))
    name = user.label if user is not None and user.label else number
    return _("{case}: {reason}", case=name, reason=change.summary)
