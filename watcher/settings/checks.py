"""Checks that involve several keys of a configuration, or the environment. Each yields its faults."""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from shlex import quote
from typing import Any

from pydantic import SecretStr

from watcher.clock.durations import format_duration
from watcher.messages import _
from watcher.settings import Settings
from watcher.settings.config_files import Document
from watcher.settings.faults import did_you_mean
from watcher.settings.handover import interval_of
from watcher.settings.key_names import KeyPath, env_name, secret_file_name, toml_key
from watcher.settings.sections import Portals
from watcher.text.loopback import is_loopback

ChannelFault = Callable[[SecretStr], str | None]
"""Returns the fault of a channel's URL without showing it, or None."""

_OTHER_VARIABLES = frozenset({"WATCHER_CONFIG"})
# Kubernetes and Docker set these for a service or container that is named "watcher".
_SET_BY_CLUSTER = re.compile(r"WATCHER_(SERVICE_HOST|SERVICE_PORT.*|PORT|PORT_.*|NAME|ENV_.*)")
_NAME = re.compile(r"[^\W_][^\x00-\x1f\x7f/\\]{0,63}")


def section_faults(key_path: KeyPath, keys: object) -> Iterator[str]:
    """Check the name and type of a section `[accounts.NAME]` or `[channels.NAME]`. Names are used in file names."""
    if not isinstance(keys, dict):
        yield _("{key}: must be a section: write [{key}] and its keys below", key=toml_key(key_path))
    elif not _NAME.fullmatch(name := str(key_path[-1])) or name != name.strip():
        key = toml_key(key_path)
        yield _("{key}: a name starts with a letter or digit and has up to 64 characters, without slashes", key=key)
    elif "name" in keys:
        yield _("{key}: unknown key; the name is in the section's title", key=toml_key((*key_path, "name")))


def portal_faults(key_path: KeyPath, keys: Mapping[str, Any], portals: Portals) -> Iterator[str]:
    """Check that an account has a portal and that it exists."""
    known = ", ".join(portals.names())
    portal = keys.get("portal")
    if portal is None:
        yield _("{key}: is missing; use one of: {known}", key=toml_key((*key_path, "portal")), known=known)
    elif portal not in portals.names():
        yield _(
            "{key}: there is no portal {portal!r}; use one of: {known}",
            key=toml_key((*key_path, "portal")),
            portal=portal,
            known=known,
        )


def chosen_account_faults(key_path: KeyPath, keys: Mapping[str, Any], accounts: Collection[str]) -> Iterator[str]:
    """Check that the accounts of a channel exist."""
    names = keys.get("accounts")
    for name in names if isinstance(names, list) else ():
        if isinstance(name, str) and name not in accounts:
            yield _(
                "{key}: there is no account {account!r}; {hint}",
                key=toml_key((*key_path, "accounts")),
                account=name,
                hint=did_you_mean(name, accounts),
            )


def file_mode_faults(document: Document, secrets: Sequence[KeyPath]) -> Iterator[str]:
    """Check that a file with `secrets` is readable only by its owner."""
    if secrets and document.open_to_others:
        yield (
            _(
                "{keys}: this file contains a secret, but others can read it; run `chmod 600 {file}`, or move the "
                "secret to the environment variable {variable} or to the file {secret_file} in secrets_dir",
                keys=", ".join(map(toml_key, secrets)),
                file=quote(str(document.file)),
                variable=env_name(secrets[0]),
                secret_file=secret_file_name(secrets[0]),
            )
        )


def shared_variable_faults(secrets: Sequence[KeyPath]) -> Iterator[str]:
    """Check that no two secrets have the same variable, as names that differ only in punctuation would."""
    owners: dict[str, list[KeyPath]] = defaultdict(list)
    for key_path in secrets:
        owners[env_name(key_path)].append(key_path)
    pairs = {(first[:2], other[:2]): name for name, (first, *others) in owners.items() for other in others}
    for (first, other), name in pairs.items():
        yield _(
            "{key}: has the same environment variable as {other} ({variable}); rename one of them",
            key=toml_key(other),
            other=toml_key(first),
            variable=name,
        )


def unknown_variable_faults(
    environ: Mapping[str, str], secrets: Sequence[KeyPath], invalid: Collection[KeyPath]
) -> Iterator[str]:
    """Check that every WATCHER_ variable belongs to a secret. Variables of `invalid` sections are ignored."""
    known = {*map(env_name, secrets), *_OTHER_VARIABLES}
    ignored = tuple(f"{env_name(key_path)}__" for key_path in invalid)
    for name in sorted(environ):
        expected = name in known or name.startswith(ignored) or _SET_BY_CLUSTER.fullmatch(name)
        if name.startswith("WATCHER_") and not expected:
            yield _("{name}: unknown environment variable; {hint}", name=name, hint=did_you_mean(name, known))


def interval_faults(settings: Settings, portals: Portals) -> Iterator[str]:
    """Check that no interval is shorter than the portal allows. Test servers on this machine are exempt."""
    for name, account in settings.accounts.items():
        shortest = account.min_every
        if shortest is None:
            shortest = portals.find(account.portal).min_every
        every = interval_of(account, settings)
        if every < shortest and not is_loopback(account.base_url):
            key = toml_key(("accounts", name, "every")) if account.every else "schedule.every"
            yield _(
                '{key}: {every} is too often for account {account} at {portal}; use "{shortest}" or more',
                key=key,
                every=format_duration(every),
                account=name,
                portal=account.portal,
                shortest=format_duration(shortest),
            )


def login_faults(settings: Settings) -> Iterator[str]:
    """Check that no two accounts are the same login, which each would sign in to and lock."""
    names: dict[str, str] = {}
    for name, account in settings.accounts.items():
        login = account.login()
        if login is not None and (other := names.setdefault(login, name)) != name:
            same = toml_key(("accounts", other))
            yield (
                _(
                    "{key}: has the same login (portal, address, and user) as {other}, which could lock it; remove one "
                    "of the two sections and list the cases of both in the other",
                    key=toml_key(("accounts", name)),
                    other=same,
                )
            )


def url_faults(settings: Settings, channel_fault: ChannelFault) -> Iterator[str]:
    """Check that alerts can be sent to each channel's URL."""
    for name, channel in settings.channels.items():
        if fault := channel_fault(channel.url):
            yield f"{toml_key(('channels', name, 'url'))}: {fault}"


def web_faults(settings: Settings) -> Iterator[str]:
    """Check that the page is not offered to other machines without encryption, unless the user says so."""
    web = settings.web
    if (web.tls_cert is None) != (web.tls_key is None):
        missing, given = ("tls_cert", "tls_key") if web.tls_cert is None else ("tls_key", "tls_cert")
        yield _("web.{missing}: is missing; {given} needs it", missing=missing, given=given)
    if web.listen and not web.is_local and not (web.serves_tls or web.insecure_lan or web.url.startswith("https:")):
        yield _(
            "web.listen: other machines can reach this address without encryption; set url to the https address of a "
            "proxy, or tls_cert and tls_key, or insecure_lan = true in a network that you trust"
        )
    if web.url.startswith("http:") and not (web.insecure_lan or is_loopback(web.url)):
        yield _("web.url: use https; http is allowed for this machine, or with insecure_lan = true")
    if web.url.startswith("http:") and web.serves_tls:
        yield _("web.url: use https, because tls_cert is set")
