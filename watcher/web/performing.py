"""Actions of the page, by name, as the commands carry them out. Imported only in the process that performs one."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeAlias

from watcher.actions import Refused, accounts, alerts, cases, hand_over, items, letters
from watcher.app import App
from watcher.context.known_cases import KnownCase, known_cases
from watcher.errors import os_error_text
from watcher.messages import _
from watcher.model.web import KeyKind
from watcher.notices.file_type import NotADocument
from watcher.settings import ChannelSettings
from watcher.web import entry_actions, push_actions
from watcher.web.outcome import Outcome

Arguments: TypeAlias = Mapping[str, Any]


def perform(app: App, name: str, arguments: Arguments) -> Outcome:
    """Perform an action. What it refuses is an outcome too. Raises `StoreUnusable`."""
    try:
        return _ACTIONS[name](app, arguments)
    except (Refused, ValueError) as refused:
        return Outcome(refused=str(refused))


def _done(app: App, arguments: Arguments) -> Outcome:
    item = items.set_done(app, arguments["item"])
    return Outcome(texts=(items.done_text(item),)) if item else _gone()


def _reopen(app: App, arguments: Arguments) -> Outcome:
    item = app.store.ledger.reopen(arguments["item"])
    return Outcome(texts=(items.reopened_text(item),)) if item else _gone()


def _due(app: App, arguments: Arguments) -> Outcome:
    """Enter the date of a letter; ask first if the agency shows an earlier one."""
    number, day = arguments["item"], date.fromisoformat(arguments["day"])
    today = app.clock.now().astimezone(app.settings.timezone).date()
    items.check_distance(day, today)
    before = app.store.ledger.item(number)
    if before is None:
        return _gone()
    warning = items.earlier_date(app, before, day)
    if warning and not arguments["confirmed"]:
        return Outcome(confirm=warning)
    item = app.store.ledger.set_due(number, day)
    if item is None:
        return _gone()
    texts = (*items.due_texts(item, day, today), items.later_than_estimate(before, day))
    return Outcome(texts=tuple(filter(None, texts)))


def _label(app: App, arguments: Arguments) -> Outcome:
    number = arguments["case"]
    values = {
        name: cases.own_text(arguments[name], max_length=cases.MAX_LABEL_LENGTH) if arguments[name] else None
        for name in ("label", "person")
    }
    app.store.user.label({number: values})
    text = cases.labeled_text(number, app.store.user_case(number))
    return Outcome(texts=(text, *cases.same_labels(app.store.user_cases(), [number])))


def _note(app: App, arguments: Arguments) -> Outcome:
    text = cases.own_text(arguments["text"], max_length=cases.MAX_NOTE_LENGTH)
    return Outcome(texts=(cases.add_note(app, _known(app, arguments), text),))


def _remind(app: App, arguments: Arguments) -> Outcome:
    text = cases.own_text(arguments["text"], max_length=cases.MAX_REMINDER_LENGTH)
    day = date.fromisoformat(arguments["day"])
    items.check_distance(day, app.clock.now().date())
    return Outcome(texts=cases.add_reminder(app, _known(app, arguments), text, day))


def _finish(app: App, arguments: Arguments) -> Outcome:
    _was_watched, text, ends = cases.finish(app, _known(app, arguments))
    return Outcome(texts=tuple(filter(None, (text, ends))))


def _watch(app: App, arguments: Arguments) -> Outcome:
    _was_finished, text = cases.watch(app, _known(app, arguments))
    return Outcome(texts=(text,))


def _seen(app: App, arguments: Arguments) -> Outcome:
    text = alerts.acknowledge(app, arguments["alert"])
    return Outcome(texts=(text,)) if text else _gone()


def _retry(app: App, arguments: Arguments) -> Outcome:
    tried = alerts.retry(app, arguments["alert"])
    failed = [_reason(alert.id, alert.channel, text) for alert in tried if (text := alerts.reason_not_sent(alert))]
    if failed:
        return Outcome(refused="\n".join(failed))
    return Outcome(texts=tuple(_("Alert {number} was sent.", number=alert.id) for alert in tried))


def _reason(number: int, channel: str, reason: str) -> str:
    return _("alert {number} to {channel}: {reason}", number=number, channel=channel, reason=reason)


def _test_channel(app: App, arguments: Arguments) -> Outcome:
    channel: ChannelSettings = app.settings.channels[arguments["channel"]]
    language = app.settings.language_of(channel.name)
    result = alerts.send_test(channel, language=language, notifier=app.notifier)
    if result.error is not None:
        return Outcome(refused=_("{channel}: not sent: {reason}", channel=channel.name, reason=result.error))
    sent = _("{channel}: test alert sent.", channel=channel.name)
    return Outcome(texts=tuple(filter(None, (sent, result.caveat))))


def _resume(app: App, arguments: Arguments) -> Outcome:
    return Outcome(texts=(accounts.resume_account(app, arguments["account"]),))


def _forget(app: App, arguments: Arguments) -> Outcome:
    return Outcome(texts=(accounts.forget_session(app, arguments["account"]),))


def _code(app: App, arguments: Arguments) -> Outcome:
    expected, text = accounts.enter_code(app, arguments["account"], arguments["code"])
    return Outcome(texts=(text,)) if expected else Outcome(refused=text)


def _cookies(app: App, arguments: Arguments) -> Outcome:
    """Import a browser's session, and end the pause that waited for one."""
    account, (file, content) = arguments["account"], arguments["file"]
    imported, skipped = accounts.import_cookies(app, account, content, file=file)
    accounts.end_pause(app, account, has_session=True)
    advice = _("Delete {file} now: whoever has it can use your account.", file=file)
    return Outcome(texts=(imported, *skipped, advice))


def _hand_over(app: App, arguments: Arguments) -> Outcome:
    app.store.web.note_seen(arguments["key"], app.clock.now())
    taken = hand_over.take(app, arguments["account"], arguments["content"])
    return Outcome(texts=hand_over.report_of(taken, app.store.user_cases()))


def _hand_over_session(app: App, arguments: Arguments) -> Outcome:
    app.store.web.note_seen(arguments["key"], app.clock.now())
    return Outcome(texts=hand_over.take_session(app, arguments["account"], arguments["content"]))


def _letter(app: App, arguments: Arguments) -> Outcome:
    """Keep a letter, and offer the dates that it names."""
    known, (file, content) = _known(app, arguments), arguments["file"]
    try:
        letter, text = letters.keep_letter(app, known, file, content)
    except NotADocument as error:
        return Outcome(refused=f"{file}: {error}")
    except OSError as error:
        return Outcome(refused=f"{file}: {os_error_text(error)}")
    ahead, remark = letters.dates_ahead(app, known, letter)
    return Outcome(texts=tuple(filter(None, (text, remark))), days=tuple(ahead))


def _calendar(app: App, arguments: Arguments) -> Outcome:
    """Replace the address of the calendar feed."""
    app.store.web.replace(KeyKind.CALENDAR, arguments["token"], now=app.clock.now(), person=arguments["person"])
    return Outcome(texts=(_("The feed has a new address. It is shown only once."),))


_ACTIONS: dict[str, Callable[[App, Arguments], Outcome]] = {
    "done": _done,
    "reopen": _reopen,
    "due": _due,
    "label": _label,
    "note": _note,
    "remind": _remind,
    "finish": _finish,
    "watch": _watch,
    "seen": _seen,
    "retry": _retry,
    "test_channel": _test_channel,
    "resume": _resume,
    "forget": _forget,
    "code": _code,
    "cookies": _cookies,
    "hand_over": _hand_over,
    "hand_over_session": _hand_over_session,
    "letter": _letter,
    **entry_actions.ACTIONS,
    "calendar": _calendar,
    **push_actions.ACTIONS,
}


def _known(app: App, arguments: Arguments) -> KnownCase:
    """Return the case that an action is about."""
    known = known_cases(app.store, app.settings)
    found = next((case for case in known if case.case_number == arguments["case"]), None)
    if found is None:
        raise Refused(_("This case is no longer being watched."))
    return found


def _gone() -> Outcome:
    return Outcome(refused=_("It no longer exists."))
