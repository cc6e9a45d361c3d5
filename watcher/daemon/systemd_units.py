"""The systemd units and how they are adapted to a machine. `systemd/` links to the files in `units/`.

Pure except for reading those files; `watcher service install` decides what is written where.
"""

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import PurePosixPath

from watcher.settings.key_names import secrets_folder

DAEMON = ("watcher.service",)
TEMPLATE = ("watcher@.service",)
TIMER = ("watcher-check.service", "watcher-check.timer")
BROWSER = "browser.conf"
"""A drop-in for any of the services: what Chromium needs to sign in."""

_PROGRAM = "/usr/local/bin/watcher"
_FOLDER = "/etc/watcher"

_FOR_A_USER = frozenset(
    {
        *("Description", "Documentation", "StartLimitIntervalSec", "WantedBy"),
        *("Type", "NotifyAccess", "ExecStart", "ExecReload", "Restart", "RestartSec"),
        *("RestartSteps", "RestartMaxDelaySec", "WatchdogSec", "TimeoutStartSec", "TimeoutStopSec"),
        *("NoNewPrivileges", "RestrictAddressFamilies", "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID"),
        *("LockPersonality", "MemoryDenyWriteExecute", "SystemCallArchitectures", "SystemCallFilter"),
        *("SystemCallErrorNumber", "UMask", "LimitCORE", "MemoryMax", "TasksMax"),
        *("OnBootSec", "OnUnitInactiveSec", "RandomizedDelaySec", "AccuracySec"),
    }
)
"""Settings that a user's own service manager supports. The rest needs privileges, and `~/.local/state` needs no
StateDirectory."""
_LONGER_PAUSES = 254
"""The first version of systemd that lengthens the pause from restart to restart."""


def fitted(
    names: tuple[str, ...], *, program: str, config: PurePosixPath, user: bool = False, systemd: int | None = None
) -> Mapping[str, str]:
    """Return the text of these units for a machine, by name.

    `program` is what precedes "run" in ExecStart, quoted for systemd. `config` is the configuration file; for the
    template only its folder matters. `user` selects a user's own service manager. `systemd` is the version that will
    read them, None if unknown.
    """
    return {name: _fitted(_text(name), program, config, user=user, systemd=systemd) for name in names}


def drop_in(name: str, service: str, *, user: bool = False) -> Mapping[str, str]:
    """Return a drop-in for this service, by its path relative to the service's file."""
    text = _text(name)
    return {f"{service}.d/{name}": _without_gaps("".join(_user_lines(text))) if user else text}


def credentials(text: str, *, instance: str = "") -> list[str]:
    """Return the settings of a unit and its drop-ins that pass secrets. An empty setting cancels those before it."""
    settings: dict[str, list[str]] = {name: [] for name in ("LoadCredential", "LoadCredentialEncrypted")}
    for line in text.splitlines():
        name, is_setting, value = line.strip().partition("=")
        if is_setting and name in settings:
            value = re.sub("%[%i]", lambda specifier: "%" if specifier[0] == "%%" else instance, value)
            settings[name] = [*settings[name], f"{name}={value}"] if value else []
    return [line for lines in settings.values() for line in lines]


def quoted(*arguments: str) -> str:
    """Return a command line as systemd.service(5) parses it."""
    return " ".join(_in_quotes(_escaped(argument)) for argument in arguments)


def _text(name: str) -> str:
    return (files(__package__) / "units" / name).read_text("utf-8")


def _fitted(text: str, program: str, config: PurePosixPath, *, user: bool, systemd: int | None) -> str:
    lines = _user_lines(text) if user else text.splitlines(keepends=True)
    fitted = "".join(_with_paths(line, program, config) for line in lines)
    if user:
        fitted = fitted.replace("WantedBy=multi-user.target", "WantedBy=default.target")
        fitted = _without_gaps(fitted.replace("`systemctl edit", "`systemctl --user edit"))
    if systemd is not None and systemd >= _LONGER_PAUSES:
        fitted = fitted.replace("RestartSec=20s\n", "RestartSec=20s\nRestartSteps=8\nRestartMaxDelaySec=15min\n")
    return fitted


def _with_paths(line: str, program: str, config: PurePosixPath) -> str:
    if not line.startswith("ExecStart="):
        line = line.replace(f"{_FOLDER}/secrets", _escaped(str(secrets_folder(config))))
        return line.replace(f"{_FOLDER}/", f"{_escaped(str(config.parent))}/")
    line = line.replace(_PROGRAM, program)
    line = line.replace(f"{_FOLDER}/%i.toml", _in_quotes(f"{_escaped(str(config.parent))}/%i.toml"))
    return line.replace(f"{_FOLDER}/watcher.toml", quoted(str(config)))


def _user_lines(text: str) -> Iterator[str]:
    """Yield the lines without the settings that a user's manager does not support and the comments above them."""
    comment: list[str] = []
    for line in text.splitlines(keepends=True):
        key, is_setting, _ = line.partition("=")
        if line.startswith("#"):
            comment.append(line)
        elif line.startswith("[") or not is_setting or key in _FOR_A_USER:
            yield from comment
            yield line
            comment = []
        else:
            comment = []


def _without_gaps(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text)


def _in_quotes(argument: str) -> str:
    escaped = argument.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return argument if re.fullmatch(r"[A-Za-z0-9@%+,:./_-]+", argument) else f'"{escaped}"'


def _escaped(text: str) -> str:
    """Double each percent sign, which begins a specifier in a unit."""
    return text.replace("%", "%%")
