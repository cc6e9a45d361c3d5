"""What must hold between the keys of a configuration, and between them and the environment. Each yields its faults."""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from pydantic import SecretStr

from watcher.clock.durations import format_duration
from watcher.settings import Settings
from watcher.settings.addresses import is_loopback
from watcher.settings.config_files import Document
from watcher.settings.faults import did_you_mean
from watcher.settings.key_names import KeyPath, env_name, secret_file_name, toml_key
from watcher.settings.sections import Portals

ChannelFault = Callable[[SecretStr], str | None]
"""What is wrong with a channel's URL, in words that do not show it; None where nothing is."""

_NO_SECRETS = frozenset({"WATCHER_CONFIG"})
# Kubernetes and Docker set these for a service or container that is named "watcher".
_OF_A_CLUSTER = re.compile(r"WATCHER_(SERVICE_HOST|SERVICE_PORT.*|PORT|PORT_.*|NAME|ENV_.*)")
_NAME = re.compile(r"[^\W_][^\x00-\x1f\x7f/\\]{0,63}")


def section_faults(key_path: KeyPath, keys: object) -> Iterator[str]:
    """What is wrong with a section `[accounts.NAME]` or `[channels.NAME]` as such. Names serve as file names too."""
    if not isinstance(keys, dict):
        yield f"{toml_key(key_path)}: must be a table: write [{toml_key(key_path)}] and its keys below"
    elif not _NAME.fullmatch(name := str(key_path[-1])) or name != name.strip():
        key = toml_key(key_path)
        yield f"{key}: a name begins with a letter or digit and has up to 64 characters, none of them a slash"
    elif "name" in keys:
        yield f"{toml_key((*key_path, 'name'))}: unknown key; the name stands in the section's title"


def portal_faults(key_path: KeyPath, keys: Mapping[str, Any], portals: Portals) -> Iterator[str]:
    """Whether an account says which portal it is at, and that one exists."""
    known = ", ".join(portals.names())
    portal = keys.get("portal")
    if portal is None:
        yield f"{toml_key((*key_path, 'portal'))}: is missing; write one of {known}"
    elif portal not in portals.names():
        yield f"{toml_key((*key_path, 'portal'))}: there is no portal {portal!r}; write one of {known}"


def chosen_account_faults(key_path: KeyPath, keys: Mapping[str, Any], accounts: Collection[str]) -> Iterator[str]:
    """Whether the accounts that a channel is for exist."""
    chosen = keys.get("accounts")
    for name in chosen if isinstance(chosen, list) else ():
        if isinstance(name, str) and name not in accounts:
            yield f"{toml_key((*key_path, 'accounts'))}: there is no account {name!r}; {did_you_mean(name, accounts)}"


def file_mode_faults(document: Document, secrets: Sequence[KeyPath]) -> Iterator[str]:
    """A file that holds `secrets` is its owner's alone."""
    if secrets and document.open_to_others:
        yield (
            f"{', '.join(map(toml_key, secrets))}: a secret stands here, and others than the owner can read this file; "
            f"run `chmod 600 {document.file}`, or move it to the environment ({env_name(secrets[0])}) or to a file "
            f"{secret_file_name(secrets[0])} in secrets_dir"
        )


def shared_variable_faults(secrets: Sequence[KeyPath]) -> Iterator[str]:
    """No two secrets have one variable: names that differ only in their punctuation would share a password."""
    owners: dict[str, list[KeyPath]] = defaultdict(list)
    for place in secrets:
        owners[env_name(place)].append(place)
    pairs = {(first[:2], other[:2]): name for name, (first, *others) in owners.items() for other in others}
    for (first, other), name in pairs.items():
        yield f"{toml_key(other)}: cannot be told from {toml_key(first)} in {name}; give one of them another name"


def unknown_variable_faults(
    environ: Mapping[str, str], secrets: Sequence[KeyPath], unread: Collection[KeyPath]
) -> Iterator[str]:
    """Every WATCHER_ variable is a secret's, but for those of sections that could not be read."""
    known = {*map(env_name, secrets), *_NO_SECRETS}
    passed_over = tuple(f"{env_name(place)}__" for place in unread)
    for name in sorted(environ):
        expected = name in known or name.startswith(passed_over) or _OF_A_CLUSTER.fullmatch(name)
        if name.startswith("WATCHER_") and not expected:
            yield f"{name}: unknown environment variable; {did_you_mean(name, known)}"


def interval_faults(settings: Settings, portals: Portals) -> Iterator[str]:
    """No account is read more often than its portal allows, but for a test server on this machine."""
    for name, account in settings.accounts.items():
        own = account.min_every
        shortest = portals.find(account.portal).min_every if own is None else own
        every = account.every or settings.schedule.every
        if every < shortest and not is_loopback(account.base_url):
            key = toml_key(("accounts", name, "every")) if account.every else "schedule.every"
            wanted = f'"{format_duration(shortest)}" or more'
            yield f"{key}: {format_duration(every)} is too often for account {name} at {account.portal}; write {wanted}"


def url_faults(settings: Settings, channel_fault: ChannelFault) -> Iterator[str]:
    """Whether each channel's URL is one that alerts can be sent to."""
    for name, channel in settings.channels.items():
        if fault := channel_fault(channel.url):
            yield f"{toml_key(('channels', name, 'url'))}: {fault}"
