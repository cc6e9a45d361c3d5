"""The systemd units, and how they are fitted to one machine. The files stand here and are shown in `systemd/`.

Pure but for reading those files: what is written where is decided by `watcher service install`.
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
"""A drop-in for any of the services: what they need where a Chromium signs in."""

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
"""What a user's own service manager can do. The rest wants privileges, and `~/.local/state` needs no StateDirectory."""

_GROWING_PAUSES = 254
"""The first systemd that lengthens the pause from restart to restart."""


def fitted(
    names: tuple[str, ...], *, program: str, config: PurePosixPath, user: bool = False, systemd: int | None = None
) -> Mapping[str, str]:
    """The units of these names, fitted to a machine.

    `program` is what comes before "run" in ExecStart, quoted as systemd wants it; `config` the configuration file (for
    the template, the folder that it is in counts). `user`: for a user's own service manager. `systemd` is the version
    that will read them, None where nobody knows.
    """
    return {name: _fitted(_text(name), program, config, user=user, systemd=systemd) for name in names}


def drop_in(name: str, service: str, *, user: bool = False) -> Mapping[str, str]:
    """A drop-in for this service, by the path that it has beside the service's file."""
    text = _text(name)
    return {f"{service}.d/{name}": _tidied("".join(_of_a_user(text))) if user else text}


def credentials(text: str, *, instance: str = "") -> list[str]:
    """The settings of a unit, drop-ins included, that hand secrets to it; an empty one takes back those before it."""
    found: dict[str, list[str]] = {name: [] for name in ("LoadCredential", "LoadCredentialEncrypted")}
    for line in text.splitlines():
        name, is_setting, value = line.strip().partition("=")
        if is_setting and name in found:
            value = re.sub("%[%i]", lambda sign: "%" if sign[0] == "%%" else instance, value)
            found[name] = [*found[name], f"{name}={value}"] if value else []
    return [line for lines in found.values() for line in lines]


def quoted(*words: str) -> str:
    """The words of a command line as systemd.service(5) reads them."""
    return " ".join(_in_quotes(_escaped(word)) for word in words)


def _text(name: str) -> str:
    return (files(__package__) / "units" / name).read_text("utf-8")


def _fitted(text: str, program: str, config: PurePosixPath, *, user: bool, systemd: int | None) -> str:
    lines = _of_a_user(text) if user else text.splitlines(keepends=True)
    fitted = "".join(_on_this_machine(line, program, config) for line in lines)
    if user:
        fitted = fitted.replace("WantedBy=multi-user.target", "WantedBy=default.target")
        fitted = _tidied(fitted.replace("`systemctl edit", "`systemctl --user edit"))
    if systemd is not None and systemd >= _GROWING_PAUSES:
        fitted = fitted.replace("RestartSec=20s\n", "RestartSec=20s\nRestartSteps=8\nRestartMaxDelaySec=15min\n")
    return fitted


def _on_this_machine(line: str, program: str, config: PurePosixPath) -> str:
    if not line.startswith("ExecStart="):
        line = line.replace(f"{_FOLDER}/secrets", _escaped(str(secrets_folder(config))))
        return line.replace(f"{_FOLDER}/", f"{_escaped(str(config.parent))}/")
    line = line.replace(_PROGRAM, program)
    line = line.replace(f"{_FOLDER}/%i.toml", _in_quotes(f"{_escaped(str(config.parent))}/%i.toml"))
    return line.replace(f"{_FOLDER}/watcher.toml", quoted(str(config)))


def _of_a_user(text: str) -> Iterator[str]:
    """Leaves out what a user's manager cannot do, each with the comment above it."""
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


def _tidied(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text)


def _in_quotes(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return word if re.fullmatch(r"[A-Za-z0-9@%+,:./_-]+", word) else f'"{escaped}"'


def _escaped(text: str) -> str:
    """A per cent sign begins a specifier in a unit."""
    return text.replace("%", "%%")
