"""The questions of `watcher init` about accounts and channels. The answers go into a draft."""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path

from pydantic import SecretStr

from watcher import portals
from watcher.cli.terminal.output import print_error
from watcher.cli.terminal.prompts import ask, ask_choice, ask_list, ask_secret, confirm
from watcher.delivery.apprise_notifier import check_url
from watcher.messages import Words, _, mark, shown
from watcher.portal import Portal, Question
from watcher.settings.checks import section_faults
from watcher.settings.key_names import KeyPath, toml_key
from watcher.wizard import ConfigDraft

_SEVERITIES = {
    "important": mark("when a case moves or needs you"),
    "urgent": mark("only what cannot wait: requests, appointments, deadlines, denials, sign-in problems"),
    "routine": mark("everything, small updates too"),
}
_PRIVACY = {
    "masked": mark("everything, but only the last digits of case numbers (IOE••••••0001)"),
    "full": mark("everything, with full case numbers"),
    "minimal": mark("only that something changed"),
}
_EXAMPLES = mark(
    """\
Alerts go to an address that Apprise understands, for example:
  ntfys://ntfy.sh/a-long-topic-that-nobody-guesses     the ntfy app on a phone
  mailtos://user:password@example.org                  e-mail
  tgram://bot-token/chat-id                            Telegram
All services: https://appriseit.com/services/"""
)
_NAME_QUESTIONS = {
    "accounts": mark("A short name for this account, for example maria"),
    "channels": mark("A short name for this channel, for example phone"),
}
_CHANGE = {"accounts": mark('Change the account "{name}"?'), "channels": mark('Change the channel "{name}"?')}
_NAME_IS_TAKEN = {
    "accounts": mark('There is already an account "{name}".'),
    "channels": mark('There is already a channel "{name}".'),
}


def portal_advice() -> str:
    """Return one sentence on which portal to choose."""
    found = map(portals.find, portals.names())
    return _("Which portal to choose: {choices}.", choices="; ".join(_(portal.choose_for) for portal in found))


def ask_setting(draft: ConfigDraft, key_path: KeyPath, ask_once: Callable[[], str]) -> str:
    """Ask until the answer is usable. A rejected answer is taken back. `ask_once` saves the answer and returns it."""
    while True:
        previous = draft.get(key_path)
        answer = ask_once()
        faults = _faults(draft, key_path)
        if not faults:
            return answer
        for line in faults:
            print_error(_message(line, key_path))
        print_error(_("Please correct this answer."))
        draft.set(key_path, previous if previous != answer else None)


def ask_about_accounts(draft: ConfigDraft) -> None:
    """Ask about existing accounts that are incomplete or that the user wants to review, then about new ones."""
    for name in list(draft.get(("accounts",)) or {}):
        if _is_incomplete(draft, ("accounts", name)) or _must_change(name, "accounts"):
            _ask_about_account(draft, name)
    while not draft.get(("accounts",)) or confirm(_("Add another account?"), default=False):
        _ask_about_account(draft, _ask_name(draft, "accounts"))


def _must_change(name: str, table: str) -> bool:
    return confirm(_(_CHANGE[table], name=name), default=False)


def _ask_name(draft: ConfigDraft, table: str, default: str = "") -> str:
    """Ask for the name of a section until it is new and usable, or the user wants to change the section that has it."""
    while True:
        taken = draft.get((table,)) or {}
        name = ask(_(_NAME_QUESTIONS[table]), "" if default in taken else default)
        faults = list(section_faults((table, name), {}))
        if faults:
            print_error(faults[0].partition(": ")[2] if name else _("Please enter a name."))
        elif name not in taken:
            return name
        else:
            print_error(_(_NAME_IS_TAKEN[table], name=name))
            if _must_change(name, table):
                return name


def _ask_about_account(draft: ConfigDraft, name: str) -> None:
    """Repeat the questions until the program can use the answers."""
    section = ("accounts", name)
    draft.begin_section(section)
    while True:
        portal = _ask_portal(draft, section)
        if portal.guide:
            print_error(_(portal.guide))
        answers: dict[str, str] = {}
        for question in chain(portal.questions, _further_questions(draft, section, portal)):
            if question.suggests:
                _print_variants(portal)
            if question.applies(answers):
                answers[question.key] = _ask(draft, (*section, *question.key_path), question)
        faults = _faults(draft, section)
        if not faults:
            draft.end_section()
            return
        for line in faults:
            print_error(line)
        print_error(_("Please go through the answers again. Press Enter to keep one."))


def _further_questions(draft: ConfigDraft, section: KeyPath, portal: Portal) -> Iterator[Question]:
    """Yield the questions that depend on the answers to the first ones, once these were given."""
    yield from portal.further_questions(draft.get(section))


def _print_variants(portal: Portal) -> None:
    variants = portal.variants()
    width = max((len(variant.name) for variant in variants), default=0)
    for variant in variants:
        print_error(f"  {variant.name:{width}}  {shown(variant.title)}")


def _ask_portal(draft: ConfigDraft, key_path: KeyPath) -> Portal:
    """Ask for the portal. Keys of a portal chosen earlier are removed."""
    titles = {name: _(portals.find(name).title) for name in portals.names()}
    current = str(draft.get((*key_path, "portal")) or "uscis")
    portal = portals.find(ask_choice(_("Which website is this account on?"), titles, current))
    draft.set((*key_path, "portal"), portal.name)
    for key in set(draft.get(key_path)) - set(portal.account.model_fields):
        draft.set((*key_path, key), None)
    return portal


def _ask(draft: ConfigDraft, key_path: KeyPath, question: Question) -> str:
    """Ask one question and save the answer. For a secret, return only whether there is one."""
    if question.choices:
        answer = _ask_choice(question.text, question.choices, str(draft.get(key_path) or question.default))
        draft.set(key_path, answer)
        return answer
    if question.secret:
        return _ask_for_secret(draft, key_path, question)
    answer = ask_setting(draft, key_path, lambda: _ask_for_text(draft, key_path, question))
    if not answer and question.if_empty:
        print_error(_(question.if_empty))
    return answer


def _ask_choice(question: str | Words, choices: Mapping[str, str], default: str) -> str:
    """Ask for one of the choices, whose texts are marked for translation."""
    return ask_choice(shown(question), {name: _(text) for name, text in choices.items()}, default)


def _ask_for_text(draft: ConfigDraft, key_path: KeyPath, question: Question) -> str:
    current = draft.get(key_path)
    if question.multiple:
        values = ask_list(shown(question.text), current if isinstance(current, list) else [])
        draft.set(key_path, values or None)
        answer = " ".join(values)
    else:
        answer = ask(shown(question.text), str(current or question.default))
        if question.is_path and Path(answer).expanduser().exists():
            answer = str(Path(answer).expanduser().absolute())
        draft.set(key_path, answer or None)
    if answer or not question.required:
        return answer
    print_error(_("Please enter an answer."))
    return _ask_for_text(draft, key_path, question)


def _ask_for_secret(draft: ConfigDraft, key_path: KeyPath, question: Question) -> str:
    while True:
        is_set = draft.has_secret(key_path)
        answer = ask_secret(shown(question.text), is_set=is_set)
        if answer:
            draft.set_secret(key_path, answer)
        if not (answer or is_set):
            if not question.required:
                return ""
            print_error(_("Please enter an answer."))
            continue
        faults = _faults(draft, key_path)
        if not faults:
            return "given"
        for line in faults:
            print_error(_message(line, key_path))
        print_error(_("Please correct this answer."))
        draft.remove_secret(key_path)


def ask_about_channels(draft: ConfigDraft) -> None:
    """Ask about existing channels that are incomplete or that the user wants to review, then about new ones."""
    for name in list(draft.get(("channels",)) or {}):
        if _is_incomplete(draft, ("channels", name)) or _must_change(name, "channels"):
            _ask_about_channel(draft, name)
    while confirm(_("Add a channel for alerts?"), default=not draft.get(("channels",))):
        _ask_about_channel(draft, _ask_name(draft, "channels", "phone"))


def _ask_about_channel(draft: ConfigDraft, name: str) -> None:
    section = ("channels", name)
    draft.begin_section(section)
    while True:
        _ask_for_address(draft, (*section, "url"))
        for key, question, choices, default in (
            ("min_severity", mark("Which alerts should it get?"), _SEVERITIES, "important"),
            ("privacy", mark("How much should an alert say?"), _PRIVACY, "masked"),
        ):
            draft.set((*section, key), _ask_choice(question, choices, str(draft.get((*section, key)) or default)))
        ask_setting(draft, (*section, "quiet_hours"), lambda: _ask_for_quiet_hours(draft, (*section, "quiet_hours")))
        faults = _faults(draft, section)
        if not faults:
            draft.end_section()
            return
        for line in faults:
            print_error(line)


def _ask_for_quiet_hours(draft: ConfigDraft, key_path: KeyPath) -> str:
    hours = ask(_("Quiet hours, for example 22:00-07:00 (- for none)"), str(draft.get(key_path) or "-"))
    draft.set(key_path, None if hours == "-" else hours)
    return hours


def _ask_for_address(draft: ConfigDraft, key_path: KeyPath) -> None:
    """Ask for a usable address. It is a secret, because anyone who has it can read or write there."""
    print_error(_(_EXAMPLES))
    while True:
        is_set = draft.has_secret(key_path)
        answer = ask_secret(_("Address"), is_set=is_set)
        error = check_url(SecretStr(answer)) if answer else None
        if error is not None:
            print_error(error)
        elif answer:
            draft.set_secret(key_path, answer)
            return
        elif is_set:
            return


def _is_incomplete(draft: ConfigDraft, section: KeyPath) -> bool:
    """Return whether the section is unusable or was interrupted. An interrupted one may be usable."""
    return draft.is_unfinished(section) or bool(_faults(draft, section))


def _message(line: str, key_path: KeyPath) -> str:
    """Return a fault without the file and the key, which the question names already."""
    return line.partition(f": {toml_key(key_path)}")[2].partition(": ")[2]


def _faults(draft: ConfigDraft, key_path: KeyPath) -> list[str]:
    """Return the faults in this section of the draft."""
    marker = f": {toml_key(key_path)}"
    return [line for line in draft.faults() if any(f"{marker}{end}" in line for end in ".:[")]
