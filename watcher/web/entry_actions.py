"""Actions on who may enter, for `watcher.web.performing`. Imported only in the process that performs one."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from watcher.app import App
from watcher.model.web import KeyKind
from watcher.privacy.web_tokens import new_token
from watcher.web.outcome import Outcome
from watcher.web.passkeys import PasskeyRefused

Arguments: TypeAlias = Mapping[str, Any]

_ENDED = Outcome(refused="ended")
_NO_PROOF = Outcome(refused="no proof")
"""The page says these in its own words."""


def _use_link(app: App, arguments: Arguments) -> Outcome:
    """Use up a link. The device `present`, if any, stays signed in unless the link is for somebody else."""
    present, token, web = arguments["present"], new_token(), app.store.web
    key = web.use_link(arguments["link"], token, name=arguments["device_name"], now=arguments["now"])
    if key is None:
        return _ENDED
    if present is None:
        return Outcome(token=token)
    is_same = (present.person, present.read_only) == (key.person, key.read_only)
    web.remove(key.id if is_same else present.id)
    return Outcome(token="" if is_same else token)


def _note_seen(app: App, arguments: Arguments) -> Outcome:
    app.store.web.note_seen(arguments["device"], arguments["now"])
    return Outcome()


def _add_hand_over(app: App, arguments: Arguments) -> Outcome:
    """Add a key that hands over to an account."""
    token = new_token()
    app.store.web.add(KeyKind.HANDOVER, token, now=arguments["now"], name=arguments["account"])
    return Outcome(token=token)


def _end_keys(app: App, arguments: Arguments) -> Outcome:
    app.store.web.remove(*arguments["keys"])
    return Outcome()


def _add_passkey(app: App, arguments: Arguments) -> Outcome:
    from watcher.web.passkey_proofs import proof_of_new  # noqa: PLC0415 - slow to import, and rarely needed

    try:
        new = proof_of_new(arguments["answer"])
    except PasskeyRefused:
        return _NO_PROOF
    app.store.web.add_passkey(
        new.credential,
        new.public_key,
        sign_count=new.sign_count,
        owner=arguments["owner"],
        name=arguments["device_name"],
        now=arguments["now"],
    )
    return Outcome()


def _use_passkey(app: App, arguments: Arguments) -> Outcome:
    from watcher.web.passkey_proofs import proof_of_use  # noqa: PLC0415 - slow to import, and rarely needed

    passkey, token = arguments["passkey"], new_token()
    try:
        count = proof_of_use(arguments["answer"], passkey)
    except PasskeyRefused:
        return _NO_PROOF
    name, now = arguments["device_name"], arguments["now"]
    key = app.store.web.use_passkey(passkey, token, sign_count=count, name=name, now=now)
    return Outcome(token=token) if key is not None else _NO_PROOF


def _remove_passkey(app: App, arguments: Arguments) -> Outcome:
    app.store.web.remove_passkeys(arguments["passkey"])
    return Outcome()


ACTIONS: dict[str, Callable[[App, Arguments], Outcome]] = {
    "use_link": _use_link,
    "note_seen": _note_seen,
    "add_hand_over": _add_hand_over,
    "end_keys": _end_keys,
    "add_passkey": _add_passkey,
    "use_passkey": _use_passkey,
    "remove_passkey": _remove_passkey,
}
