"""The questions of `watcher init` about accounts and channels. The answers go into a draft."""

from pathlib import Path

from pydantic import SecretStr

from watcher import portals
from watcher.cli.terminal.output import print_error
from watcher.cli.terminal.prompts import ask, ask_choice, ask_list, ask_secret, confirm
from watcher.delivery.apprise_notifier import check_url
from watcher.portal import Portal, Question
from watcher.settings.key_names import KeyPath, toml_key
from watcher.wizard import ConfigDraft

_SEVERITIES = {
    "important": "what moves a case, or needs you",
    "urgent": "only what cannot wait: requests, appointments, deadlines, denials, a refused sign-in",
    "routine": "everything, small things too",
}
_PRIVACY = {
    "masked": "case numbers hidden but for their last digits (IOE••••••0001)",
    "full": "everything, with the case number",
    "minimal": "only that something changed",
}
_EXAMPLES = """\
Alerts go to an address that Apprise understands, for example:
  ntfys://ntfy.sh/a-long-topic-that-nobody-guesses     the ntfy app on a phone
  mailtos://user:password@example.org                  e-mail
  tgram://bot-token/chat-id                            Telegram
https://appriseit.com/services/ lists them all."""


def ask_about_accounts(draft: ConfigDraft) -> None:
    """Ask about existing accounts that are incomplete or that the user wants to review, then about new ones."""
    for name in list(draft.get(("accounts",)) or {}):
        if _is_incomplete(draft, ("accounts", name)) or confirm(f"Go through account {name} again?", default=False):
            _ask_about_account(draft, name)
    while not draft.get(("accounts",)) or confirm("Add another account?", default=False):
        _ask_about_account(draft, ask("A name for the account, as you like", "family"))


def _ask_about_account(draft: ConfigDraft, name: str) -> None:
    """Repeat the questions until the program can use the answers."""
    section = ("accounts", name)
    draft.begin_section(section)
    while True:
        portal = _ask_portal(draft, section)
        answers: dict[str, str] = {}
        for question in portal.questions:
            if question.only_if is None or answers.get(question.only_if[0]) == question.only_if[1]:
                answers[question.key] = _ask(draft, (*section, *question.key.split(".")), question)
        faults = _faults(draft, section)
        if not faults:
            draft.end_section()
            return
        for line in faults:
            print_error(line)
        print_error("Once more, please; what was right can stay.")


def _ask_portal(draft: ConfigDraft, key_path: KeyPath) -> Portal:
    """Ask for the portal. Keys of a portal chosen earlier are removed."""
    titles = {name: portals.find(name).title for name in portals.names()}
    current = str(draft.get((*key_path, "portal")) or "uscis")
    portal = portals.find(ask_choice(f"Where is the account {key_path[-1]}?", titles, current))
    draft.set((*key_path, "portal"), portal.name)
    for key in set(draft.get(key_path)) - set(portal.account.model_fields):
        draft.set((*key_path, key), None)
    return portal


def _ask(draft: ConfigDraft, key_path: KeyPath, question: Question) -> str:
    """Ask one question and save the answer. For a secret, return only whether there is one."""
    if question.secret:
        return _ask_for_secret(draft, key_path, question)
    if question.choices:
        answer = ask_choice(question.text, question.choices, str(draft.get(key_path) or question.default))
        draft.set(key_path, answer)
        return answer
    while True:
        answer = _ask_for_text(draft, key_path, question)
        if answer or not question.required:
            return answer
        print_error("An answer is needed here.")


def _ask_for_text(draft: ConfigDraft, key_path: KeyPath, question: Question) -> str:
    current = draft.get(key_path)
    if question.multiple:
        values = ask_list(question.text, current if isinstance(current, list) else [])
        draft.set(key_path, values or None)
        return " ".join(values)
    answer = ask(question.text, str(current or question.default))
    if question.is_path and Path(answer).expanduser().exists():
        answer = str(Path(answer).expanduser().absolute())
    draft.set(key_path, answer or None)
    return answer


def _ask_for_secret(draft: ConfigDraft, key_path: KeyPath, question: Question) -> str:
    while True:
        is_set = draft.has_secret(key_path)
        answer = ask_secret(question.text, is_set=is_set)
        if answer:
            draft.set_secret(key_path, answer)
        if answer or is_set or not question.required:
            return "given" if answer or is_set else ""
        print_error("An answer is needed here.")


def ask_about_channels(draft: ConfigDraft) -> None:
    """Ask about existing channels that are incomplete or that the user wants to review, then about new ones."""
    for name in list(draft.get(("channels",)) or {}):
        if _is_incomplete(draft, ("channels", name)) or confirm(f"Go through channel {name} again?", default=False):
            _ask_about_channel(draft, name)
    while confirm("Add a channel for alerts?", default=not draft.get(("channels",))):
        _ask_about_channel(draft, ask("A name for the channel, as you like", "phone"))


def _ask_about_channel(draft: ConfigDraft, name: str) -> None:
    section = ("channels", name)
    draft.begin_section(section)
    while True:
        _ask_for_address(draft, (*section, "url"))
        for key, question, choices, default in (
            ("min_severity", "What is sent there?", _SEVERITIES, "important"),
            ("privacy", "How much does an alert say?", _PRIVACY, "masked"),
        ):
            draft.set((*section, key), ask_choice(question, choices, str(draft.get((*section, key)) or default)))
        hours = ask("Quiet hours, such as 22:00-07:00; - for none", str(draft.get((*section, "quiet_hours")) or "-"))
        draft.set((*section, "quiet_hours"), None if hours == "-" else hours)
        faults = _faults(draft, section)
        if not faults:
            draft.end_section()
            return
        for line in faults:
            print_error(line)


def _ask_for_address(draft: ConfigDraft, key_path: KeyPath) -> None:
    """Ask for a usable address. It is a secret, because anyone who has it can read or write there."""
    print_error(_EXAMPLES)
    while True:
        is_set = draft.has_secret(key_path)
        answer = ask_secret("The address", is_set=is_set)
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


def _faults(draft: ConfigDraft, key_path: KeyPath) -> list[str]:
    """Return the faults in this section of the draft."""
    marker = f": {toml_key(key_path)}"
    return [line for line in draft.faults() if f"{marker}." in line or f"{marker}:" in line]
