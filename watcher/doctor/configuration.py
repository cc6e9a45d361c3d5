"""Checks of the configuration: the file, where each secret comes from, and who else can read it."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from stat import S_ISDIR

from watcher.delivery.apprise_notifier import check_url
from watcher.delivery.channel_url import delivery_caveat, schema
from watcher.doctor.finding import Finding, failed, ok, warning
from watcher.errors import os_error_text
from watcher.settings import Settings
from watcher.settings.derived import sealing_keys
from watcher.settings.key_names import toml_key
from watcher.settings.load import Configuration
from watcher.settings.secret_sources import SecretOrigin

_WRITABLE_BY_OTHERS = 0o022
_READABLE_BY_OTHERS = 0o077
_MIN_KEY_LENGTH = 16
_UNCHOSEN_ZONES = ("UTC", "Etc/UTC")


def check_file(configuration: Configuration) -> Iterator[Finding]:
    """Report on the file itself. Loading it has already found it to be without faults."""
    settings = configuration.settings
    accounts, channels = len(settings.accounts), len(settings.channels)
    counts = f"{accounts} {'account' if accounts == 1 else 'accounts'}, {channels} channel{'s' * (channels != 1)}"
    yield ok("configuration", f"{configuration.file}: no fault; {counts}")
    if configuration.file.stat().st_mode & _WRITABLE_BY_OTHERS:
        yield failed(
            "configuration",
            f"{configuration.file}: others than its owner can write it, and so send your password elsewhere",
            f"run `chmod go-w {configuration.file}`",
        )
    if not accounts:
        yield warning("accounts", "there is none, so nothing is watched", "`watcher init` adds one")
    if not channels:
        yield warning("channels", "there is none, so nobody is told of anything", "`watcher init` adds one")


def check_time_zone(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Report the zone of quiet hours, digests, and days. That of a server often differs from its users'."""
    zone = settings.timezone
    text = f"{zone.key}, where it is {now.astimezone(zone):%H:%M} now"
    if "timezone" in settings.model_fields_set or zone.key not in _UNCHOSEN_ZONES:
        yield ok("time zone", text)
    else:
        yield warning("time zone", f"the machine's: {text}", 'set yours, such as timezone = "America/New_York"')


def check_secrets(configuration: Configuration) -> Iterator[Finding]:
    """Report where each secret comes from, without its value."""
    for origin in configuration.origins:
        yield _secret(origin)
    keys = sealing_keys(configuration.settings)
    if keys and len(keys[0].get_secret_value()) < _MIN_KEY_LENGTH:
        text = f"has fewer than {_MIN_KEY_LENGTH} characters, which can be guessed"
        yield warning("secret state_key", text, 'write a longer one before it, "new,old"')


def _secret(origin: SecretOrigin) -> Finding:
    about = f"secret {toml_key(origin.key_path)}"
    text = f"found in the {origin.source} {origin.display_name}"
    if origin.source == "secret file" and origin.open_to_others:
        return warning(about, f"{text}, which others can read", f"run `chmod 600 {origin.display_name}`")
    return ok(about, text)


def check_recipes(configuration: Configuration) -> Iterator[Finding]:
    """Report the recipe of each account that uses one. Loading the configuration already checked it."""
    for name, account in configuration.settings.accounts.items():
        recipe = getattr(account, "recipe", None)
        if isinstance(recipe, Path):
            yield ok(f"account {name}", f"its recipe {recipe} has no fault")


def check_channels(configuration: Configuration) -> Iterator[Finding]:
    """Report whether each channel's URL can be used, and caveats about its delivery. Sends nothing."""
    for name, channel in configuration.settings.channels.items():
        about = f"channel {name}"
        error, caveat = check_url(channel.url), delivery_caveat(channel.url)
        if error is not None:
            yield failed(about, error, f"correct the url of [channels.{name}]")
        elif caveat is not None:
            yield warning(about, caveat, f"`watcher notify test {name}`, and look whether it arrives")
        else:
            yield ok(about, f"a {schema(channel.url)} URL; `watcher notify test {name}` sends a test")


def check_state_folder(configuration: Configuration) -> Iterator[Finding]:
    """Report who can read the folder of database, sessions, and letters."""
    folder = configuration.settings.state_dir
    try:
        mode = folder.stat().st_mode
    except FileNotFoundError:
        yield ok("state folder", f"{folder} is not there yet; it is made at the first start")
        return
    except OSError as error:
        yield failed(
            "state folder", f"{folder}: {os_error_text(error)}", "name a folder of the user who runs this program"
        )
        return
    if not S_ISDIR(mode):
        yield failed("state folder", f"{folder} is no folder", "name a folder in state_dir")
    elif mode & _READABLE_BY_OTHERS:
        yield warning("state folder", f"others can look into {folder}", f"run `chmod 700 {folder}`")
    else:
        yield ok("state folder", f"{folder} is its owner's alone")
