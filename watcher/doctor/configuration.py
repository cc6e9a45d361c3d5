"""Checks of the configuration: the file, where each secret comes from, and who else can read it."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from shlex import quote
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
    yield ok("configuration", f"{configuration.file} has no errors ({counts})")
    if configuration.file.stat().st_mode & _WRITABLE_BY_OTHERS:
        yield failed(
            "configuration",
            f"{configuration.file} can be changed by others, who could send your password elsewhere",
            f"run `chmod go-w {quote(str(configuration.file))}`",
        )
    if not accounts:
        yield warning("accounts", "there is none, so no case is checked", "`watcher init` adds one")
    if not channels:
        yield warning("channels", "there is none, so no alerts are sent", "`watcher init` adds one")


def check_time_zone(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Report the zone of quiet hours, digests, and days. That of a server often differs from its users'."""
    zone = settings.timezone
    text = f"{zone.key}, where it is now {now.astimezone(zone):%H:%M}"
    if "timezone" in settings.model_fields_set or zone.key not in _UNCHOSEN_ZONES:
        yield ok("time zone", text)
    else:
        yield warning(
            "time zone", f"not set; the machine's is {text}", 'set yours, such as timezone = "America/New_York"'
        )


def check_secrets(configuration: Configuration) -> Iterator[Finding]:
    """Report where each secret comes from, without its value."""
    for origin in configuration.origins:
        yield _secret(origin)
    keys = sealing_keys(configuration.settings)
    if keys and len(keys[0].get_secret_value()) < _MIN_KEY_LENGTH:
        text = f"has fewer than {_MIN_KEY_LENGTH} characters, so it could be guessed"
        yield warning("secret state_key", text, 'put a longer key before it: "new,old"')


def _secret(origin: SecretOrigin) -> Finding:
    about = f"secret {toml_key(origin.key_path)}"
    text = f"found in the {origin.source} {origin.display_name}"
    if origin.source == "secret file" and origin.open_to_others:
        return warning(about, f"{text}, but others can read it", f"run `chmod 600 {quote(str(origin.display_name))}`")
    return ok(about, text)


def check_recipes(configuration: Configuration) -> Iterator[Finding]:
    """Report the recipe of each account that uses one. Loading the configuration already checked it."""
    for name, account in configuration.settings.accounts.items():
        recipe = getattr(account, "recipe", None)
        if isinstance(recipe, Path):
            yield ok(f"account {name}", f"its recipe {recipe} has no errors")


def check_channels(configuration: Configuration) -> Iterator[Finding]:
    """Report whether each channel's URL can be used, and caveats about its delivery. Sends nothing."""
    for name, channel in configuration.settings.channels.items():
        about = f"channel {name}"
        error, caveat = check_url(channel.url), delivery_caveat(channel.url)
        if error is not None:
            yield failed(about, error, f"correct the url of [channels.{name}]")
        elif caveat is not None:
            yield warning(about, caveat, f"run `watcher notify test {quote(name)}` and check that the message arrives")
        else:
            yield ok(about, f"a {schema(channel.url)} address; `watcher notify test {quote(name)}` sends a test")


def check_state_folder(configuration: Configuration) -> Iterator[Finding]:
    """Report who can read the folder of database, sessions, and letters."""
    folder = configuration.settings.state_dir
    try:
        mode = folder.stat().st_mode
    except FileNotFoundError:
        yield ok("state folder", f"{folder} does not exist yet; the first check creates it")
        return
    except OSError as error:
        yield failed(
            "state folder",
            f"{folder}: {os_error_text(error)}",
            "set state_dir to a folder of the user who runs this program",
        )
        return
    if not S_ISDIR(mode):
        yield failed("state folder", f"{folder} is not a folder", "set state_dir to a folder")
    elif mode & _READABLE_BY_OTHERS:
        yield warning("state folder", f"others can read {folder}", f"run `chmod 700 {quote(str(folder))}`")
    else:
        yield ok("state folder", f"only its owner can read {folder}")
