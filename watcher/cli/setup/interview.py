"""The questions of `watcher init` about accounts and channels, answer by answer, into a draft."""

from pathlib import Path

from pydantic import SecretStr

from watcher import portals
from watcher.cli.terminal.output import print_error
from watcher.cli.terminal.prompts import ask, ask_for_secret, ask_for_several, ask_whether, ask_which
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
    """The accounts that are there, where they lack something or the person wants to; then new ones."""
    for name in list(draft.get(("accounts",)) or {}):
        if _lacks_something(draft, ("accounts", name)) or ask_whether(
            f"Go through account {name} again?", default=False
        ):
            _ask_about_account(draft, name)
    while not draft.get(("accounts",)) or ask_whether("Add another account?", default=False):
        _ask_about_account(draft, ask("A name for the account, as you like", "family"))


def _ask_about_account(draft: ConfigDraft, name: str) -> None:
    """Asks until the program can use what was answered."""
    place = ("accounts", name)
    draft.begin(place)
    while True:
        chosen = _portal(draft, place)
        answered: dict[str, str] = {}
        for question in chosen.questions:
            if question.only_if is None or answered.get(question.only_if[0]) == question.only_if[1]:
                answered[question.key] = _ask(draft, (*place, *question.key.split(".")), question)
        faults = _faults(draft, place)
        if not faults:
            draft.end()
            return
        for line in faults:
            print_error(line)
        print_error("Once more, please; what was right can stay.")


def _portal(draft: ConfigDraft, key_path: KeyPath) -> Portal:
    """Which portal; keys of another portal that was chosen before are taken away."""
    titles = {name: portals.find(name).title for name in portals.names()}
    before = str(draft.get((*key_path, "portal")) or "uscis")
    chosen = portals.find(ask_which(f"Where is the account {key_path[-1]}?", titles, before))
    draft.set((*key_path, "portal"), chosen.name)
    for key in set(draft.get(key_path)) - set(chosen.account.model_fields):
        draft.set((*key_path, key), None)
    return chosen


def _ask(draft: ConfigDraft, key_path: KeyPath, question: Question) -> str:
    """One answer, kept at once. Of a secret nothing but whether it was given is returned."""
    if question.secret:
        return _ask_for_secret(draft, key_path, question)
    if question.choices:
        said = ask_which(question.text, question.choices, str(draft.get(key_path) or question.default))
        draft.set(key_path, said)
        return said
    while True:
        said = _ask_for_text(draft, key_path, question)
        if said or not question.required:
            return said
        print_error("An answer is needed here.")


def _ask_for_text(draft: ConfigDraft, key_path: KeyPath, question: Question) -> str:
    before = draft.get(key_path)
    if question.multiple:
        several = ask_for_several(question.text, before if isinstance(before, list) else [])
        draft.set(key_path, several or None)
        return " ".join(several)
    said = ask(question.text, str(before or question.default))
    if question.is_path and Path(said).expanduser().exists():
        said = str(Path(said).expanduser().absolute())
    draft.set(key_path, said or None)
    return said


def _ask_for_secret(draft: ConfigDraft, key_path: KeyPath, question: Question) -> str:
    while True:
        known = draft.has_secret(key_path)
        said = ask_for_secret(question.text, known=known)
        if said:
            draft.set_secret(key_path, said)
        if said or known or not question.required:
            return "given" if said or known else ""
        print_error("An answer is needed here.")


def ask_about_channels(draft: ConfigDraft) -> None:
    """The channels that are there, where the person wants to; then new ones."""
    for name in list(draft.get(("channels",)) or {}):
        if _lacks_something(draft, ("channels", name)) or ask_whether(
            f"Go through channel {name} again?", default=False
        ):
            _ask_about_channel(draft, name)
    while ask_whether("Add a channel for alerts?", default=not draft.get(("channels",))):
        _ask_about_channel(draft, ask("A name for the channel, as you like", "phone"))


def _ask_about_channel(draft: ConfigDraft, name: str) -> None:
    place = ("channels", name)
    draft.begin(place)
    while True:
        _ask_for_address(draft, (*place, "url"))
        for key, question, choices, usual in (
            ("min_severity", "What is sent there?", _SEVERITIES, "important"),
            ("privacy", "How much does an alert say?", _PRIVACY, "masked"),
        ):
            draft.set((*place, key), ask_which(question, choices, str(draft.get((*place, key)) or usual)))
        hours = ask("Quiet hours, such as 22:00-07:00; - for none", str(draft.get((*place, "quiet_hours")) or "-"))
        draft.set((*place, "quiet_hours"), None if hours == "-" else hours)
        faults = _faults(draft, place)
        if not faults:
            draft.end()
            return
        for line in faults:
            print_error(line)


def _ask_for_address(draft: ConfigDraft, key_path: KeyPath) -> None:
    """An address that can be sent to; it is a secret, for whoever has it can read or write there."""
    print_error(_EXAMPLES)
    while True:
        known = draft.has_secret(key_path)
        said = ask_for_secret("The address", known=known)
        fault = check_url(SecretStr(said)) if said else None
        if fault is not None:
            print_error(fault)
        elif said:
            draft.set_secret(key_path, said)
            return
        elif known:
            return


def _lacks_something(draft: ConfigDraft, section: KeyPath) -> bool:
    """Whether it cannot be used, or was broken off before all was asked, which need not make it unusable."""
    return draft.broke_off_in(section) or bool(_faults(draft, section))


def _faults(draft: ConfigDraft, key_path: KeyPath) -> list[str]:
    """What is wrong with this section of the draft."""
    own = f": {toml_key(key_path)}"
    return [line for line in draft.faults() if f"{own}." in line or f"{own}:" in line]
