"""Checks of the configuration: the file, where each secret comes from, and who else can read it."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from shlex import quote
from stat import S_ISDIR

from watcher.context.read_only import settings_with_devices
from watcher.delivery.apprise_notifier import check_url
from watcher.delivery.channel_url import delivery_caveat, schema
from watcher.doctor.finding import Finding, about_account, about_channel, about_secret, failed, ok, warning
from watcher.errors import os_error_text
from watcher.messages import _, mark, plural
from watcher.settings import Settings
from watcher.settings.derived import sealing_keys
from watcher.settings.key_names import toml_key
from watcher.settings.load import Configuration
from watcher.settings.secret_sources import SecretOrigin

_WRITABLE_BY_OTHERS = 0o022
_READABLE_BY_OTHERS = 0o077
_MIN_KEY_LENGTH = 16
_UNCHOSEN_ZONES = ("UTC", "Etc/UTC")
_FOUND = {
    "environment": mark("found in the environment {name}"),
    "secret file": mark("found in the secret file {name}"),
    "keyring": mark("found in the keyring {name}"),
    "configuration": mark("found in the configuration {name}"),
}


def check_file(configuration: Configuration) -> Iterator[Finding]:
    """Report on the file itself. Loading it has already found it to be without faults."""
    settings = configuration.settings
    file, about = configuration.file, _("configuration")
    text = _(
        "{file} has no errors ({accounts}, {channels})",
        file=file,
        accounts=plural("{n} account", "{n} accounts", len(settings.accounts)),
        channels=plural("{n} channel", "{n} channels", len(settings.channels)),
    )
    yield ok(about, text)
    if file.stat().st_mode & _WRITABLE_BY_OTHERS:
        text = _("{file} can be changed by others, who could send your password elsewhere", file=file)
        yield failed(about, text, _("run `chmod go-w {file}`", file=quote(str(file))))
    if not settings.accounts:
        yield warning(_("accounts"), _("there is none, so no case is checked"), _("`watcher init` adds one"))
    if not settings.channels and not settings_with_devices(settings).channels:
        yield warning(_("channels"), _("there is none, so no alerts are sent"), _("`watcher init` adds one"))


def check_time_zone(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Report the zone of quiet hours, digests, and days. That of a server often differs from its users'."""
    zone, about = settings.timezone, _("time zone")
    time = f"{now.astimezone(zone):%H:%M}"
    if "timezone" in settings.model_fields_set or zone.key not in _UNCHOSEN_ZONES:
        yield ok(about, _("{zone}, where it is now {time}", zone=zone.key, time=time))
    else:
        text = _("not set; the machine's is {zone}, where it is now {time}", zone=zone.key, time=time)
        yield warning(about, text, _('set yours, such as timezone = "America/New_York"'))


def check_secrets(configuration: Configuration) -> Iterator[Finding]:
    """Report where each secret comes from, without its value."""
    for origin in configuration.origins:
        yield _secret(origin)
    keys = sealing_keys(configuration.settings)
    if keys and len(keys[0].get_secret_value()) < _MIN_KEY_LENGTH:
        text = _("has fewer than {minimum} characters, so it could be guessed", minimum=_MIN_KEY_LENGTH)
        yield warning(about_secret("state_key"), text, _('put a longer key before it: "new,old"'))


def _secret(origin: SecretOrigin) -> Finding:
    about, name = about_secret(toml_key(origin.key_path)), origin.display_name
    if origin.source == "secret file" and origin.open_to_others:
        text = _("found in the secret file {name}, but others can read it", name=name)
        return warning(about, text, _("run `chmod 600 {file}`", file=quote(str(name))))
    return ok(about, _(_FOUND[origin.source], name=name))


def check_recipes(configuration: Configuration) -> Iterator[Finding]:
    """Report the recipe of each account that uses one. Loading the configuration already checked it."""
    for name, account in configuration.settings.accounts.items():
        recipe = getattr(account, "recipe", None)
        if isinstance(recipe, Path):
            yield ok(about_account(name), _("its recipe {recipe} has no errors", recipe=recipe))


def check_channels(configuration: Configuration) -> Iterator[Finding]:
    """Report whether each channel's URL can be used, and caveats about its delivery. Sends nothing."""
    for name, channel in configuration.settings.channels.items():
        about = about_channel(name)
        error, caveat = check_url(channel.url), delivery_caveat(channel.url)
        if error is not None:
            yield failed(about, error, _("correct the url of [channels.{name}]", name=name))
        elif caveat is not None:
            remedy = _("run `watcher notify test {name}` and check that the message arrives", name=quote(name))
            yield warning(about, caveat, remedy)
        else:
            text = _(
                "a {service} address; `watcher notify test {name}` sends a test",
                service=schema(channel.url),
                name=quote(name),
            )
            yield ok(about, text)


def check_state_folder(configuration: Configuration) -> Iterator[Finding]:
    """Report who can read the folder of database, sessions, and letters."""
    folder, about = configuration.settings.state_dir, _("state folder")
    try:
        mode = folder.stat().st_mode
    except FileNotFoundError:
        yield ok(about, _("{path} does not exist yet; the first check creates it", path=folder))
        return
    except OSError as error:
        remedy = _("set state_dir to a folder of the user who runs this program")
        yield failed(about, f"{folder}: {os_error_text(error)}", remedy)
        return
    if not S_ISDIR(mode):
        yield failed(about, _("{path} is not a folder", path=folder), _("set state_dir to a folder"))
    elif mode & _READABLE_BY_OTHERS:
        remedy = _("run `chmod 700 {folder}`", folder=quote(str(folder)))
        yield warning(about, _("others can read {path}", path=folder), remedy)
    else:
        yield ok(about, _("only its owner can read {path}", path=folder))
