"""`watcher service`: write systemd units for this machine, and run commands as the service."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from shlex import quote

import click

from watcher.cli.groups import CommandGroup
from watcher.cli.options import CONFIG
from watcher.cli.terminal.output import command_name, installed_command, print_error, print_line
from watcher.daemon import systemd_units
from watcher.errors import SettingsFaults, os_error_text
from watcher.messages import _, mark
from watcher.settings.config_files import default_state_dir, exists, find_file, read_document
from watcher.settings.derived import DATABASE
from watcher.settings.key_names import secrets_folder

_SYSTEM = Path("/etc/systemd/system")
_CONFIG_FILE = Path("/etc/watcher/watcher.toml")
_HIDDEN = (Path("/home"), Path("/root"), Path("/run/user"), Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - only compared with

_SECRETS = mark(
    """\
The service runs as its own user, which must be able to read the configuration. systemd passes the secrets
to it, from files that only root can read, one for each, such as accounts__family__password:"""
)
_OWN_STATE = mark(
    "{file}: state_dir is {folder}, but the service can write only to its own folder in /var/lib, which it uses by"
    " default. Remove the line."
)
_OTHER_STATE = mark(
    "{folder} contains the history of the checks made by this user. The service does not use it and starts from the"
    " beginning; commands without `service exec` still use it. Delete the folder when you no longer need it."
)
_HIDDEN_FILE = mark(
    "The configuration is {path}, but a system service cannot see {folder}. Move it, for example to /etc/watcher or"
    " /opt, or use --user."
)
_HIDDEN_PROGRAM = mark(
    "This installation is {path}, but a system service cannot see {folder}. Move it, for example to /etc/watcher or"
    " /opt, or use --user."
)


@click.group("service", cls=CommandGroup)
def service_command() -> None:
    """Run in the background with systemd."""


@service_command.command("install")
@CONFIG
@click.option("--user", is_flag=True, help="Install for your own user: needs no root, gives less protection.")
@click.option(
    "--timer",
    is_flag=True,
    help="Install a timer that checks every four hours, instead of a process that keeps running.",
)
@click.option("--instances", is_flag=True, help="Install the template watcher@.service, for several configurations.")
@click.option("--browser", is_flag=True, help='Also allow what Chromium needs, for accounts with sign_in = "browser".')
@click.option(
    "--output", type=click.Path(path_type=Path, file_okay=False), help="Write the files to this folder instead."
)
@click.option("--print", "only_print", is_flag=True, help="Show the files and write nothing.")
def install(
    *,
    config: Path | None,
    user: bool,
    timer: bool,
    instances: bool,
    browser: bool,
    output: Path | None,
    only_print: bool,
) -> None:
    """Write the systemd unit for this machine and print the next steps. Starts nothing.

    The service uses this installation and the configuration of --config. Default: /etc/watcher/watcher.toml; with
    --user, the configuration that the other commands use.
    """
    if timer and instances:
        raise click.UsageError(_("Choose either --timer or --instances."))
    file = _configuration(config, user=user)
    program = _program()
    if not user:
        _require_visible(file, Path(program[0]))
    names = systemd_units.TIMER if timer else systemd_units.TEMPLATE if instances else systemd_units.DAEMON
    units = systemd_units.fitted(
        names, program=systemd_units.quoted(*program), config=PurePosixPath(file), user=user, systemd=_systemd_version()
    )
    if browser:
        units = {**units, **systemd_units.drop_in(systemd_units.BROWSER, names[0], user=user)}
    if only_print:
        for name, text in units.items():
            click.echo(f"# ==> {name}\n{text}")
        return
    folder = output or (_user_unit_folder() if user else _SYSTEM)
    _write(folder, units)
    _print_next_steps(file, names, user=user)
    if not browser:
        _warn_about_browsers(file)


@service_command.command("exec", context_settings={"ignore_unknown_options": True})
@CONFIG
@click.option(
    "--instance", default="", metavar="NAME", help="Use the configuration and state of the instance watcher@NAME."
)
@click.argument("arguments", nargs=-1, required=True, type=click.UNPROCESSED, metavar="COMMAND...")
def execute(*, config: Path | None, instance: str, arguments: tuple[str, ...]) -> None:
    """Run COMMAND as the service does: as its user, with its state and its secrets. Needs root.

    Example: watcher service exec status
    """
    if not shutil.which("systemd-run"):
        raise click.UsageError(_("This machine has no systemd-run, which this command needs."))
    name = f"watcher-{instance}" if instance else "watcher"
    file = config or _CONFIG_FILE
    file = (file.with_name(f"{instance}.toml") if instance else file).absolute()
    properties = {
        "DynamicUser": "yes",
        "User": name,
        "StateDirectory": name,
        "StateDirectoryMode": "0700",
        "UMask": "0077",
    }
    credentials = _unit_credentials(instance)
    if credentials is None:
        credentials = [f"LoadCredential=watcher:{secrets_folder(file)}"]
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    command = ["systemd-run", "--quiet", "--collect", "--wait", "--service-type=exec"]
    command += ["--pty" if is_terminal else "--pipe", f"--setenv=WATCHER_CONFIG={file}"]
    command += [f"--property={key}={value}" for key, value in properties.items()]
    command += [f"--property={credential}" for credential in credentials]
    sys.exit(subprocess.run([*command, "--", *_program(), *arguments], check=False).returncode)


def _unit_credentials(instance: str) -> list[str] | None:
    """Return the credential lines of the installed service, including drop-ins, or None without one.

    A command also needs the encrypted credentials; without them the configuration would be incomplete.
    """
    systemctl = shutil.which("systemctl")
    if systemctl is None:
        return None
    for unit in (f"watcher@{instance}.service",) if instance else systemd_units.DAEMON + systemd_units.TIMER[:1]:
        completed = subprocess.run([systemctl, "cat", unit], capture_output=True, text=True, check=False)
        if completed.returncode == 0:
            return systemd_units.credentials(completed.stdout, instance=instance)
    return None


def install_command(file: Path) -> str:
    """Return the arguments after `watcher` that install a service for this configuration on this machine."""
    default_file = find_file(None, os.environ)
    if any(_hidden_folder(path) for path in (file, Path(_program()[0]))):
        return "service install --user" + (
            "" if default_file and default_file.absolute() == file else f" --config {quote(str(file))}"
        )
    return "service install" + ("" if file == _CONFIG_FILE else f" --config {quote(str(file))}")


def _program() -> list[str]:
    """Return this installation as a command that works from any folder."""
    script = installed_command()
    return [str(script)] if script else [sys.executable, "-m", "watcher"]


def _configuration(config: Path | None, *, user: bool) -> Path:
    match = find_file(config, os.environ) if user else config or _CONFIG_FILE
    if match is None:
        text = _("There is no configuration yet. `watcher init` creates one; --config FILE uses another file.")
        raise SettingsFaults([text])
    return match.absolute()


def _require_visible(file: Path, program: Path) -> None:
    for path, text in ((file, _HIDDEN_FILE), (program, _HIDDEN_PROGRAM)):
        hidden = _hidden_folder(path)
        if hidden is not None:
            raise click.UsageError(_(text, path=path, folder=hidden))
    if re.search(r"[\s:\"'\\]", str(file)):
        raise click.UsageError(_("{file}: choose a path without spaces, colons, quotes, and backslashes.", file=file))


def _hidden_folder(path: Path) -> Path | None:
    """Return the folder that contains the path and is invisible to a system service, or None."""
    return next((folder for folder in _HIDDEN if path.is_relative_to(folder)), None)


def _systemd_version() -> int | None:
    """Return the version of systemd on this machine, or None if there is none."""
    program = shutil.which("systemd-analyze")
    if program is None:
        return None
    output = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=10).stdout
    match = re.match(r"systemd (\d+)", output)
    return int(match[1]) if match else None


def _user_unit_folder() -> Path:
    configured = Path(os.environ.get("XDG_CONFIG_HOME") or "")
    return (configured if configured.is_absolute() else Path.home() / ".config") / "systemd" / "user"


def _write(folder: Path, units: Mapping[str, str]) -> None:
    try:
        for name, text in units.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
            file.chmod(0o644)
            print_line(_("Wrote {file}.", file=file))
    except OSError as error:
        text = _(
            "Cannot write to {folder}: {reason}. Run it as root, or use --user or --output.",
            folder=folder,
            reason=os_error_text(error),
        )
        raise click.ClickException(text) from None


def _print_next_steps(file: Path, names: tuple[str, ...], *, user: bool) -> None:
    unit = names[-1].replace("@.", "@NAME.")
    if not user:
        _print_service_requirements(file, unit)
    elif "@" in unit:
        text = _(
            "Set a different state_dir in each {file}: two services cannot share one.", file=file.with_name("NAME.toml")
        )
        print_line(f"\n{text}")
    systemctl = "systemctl --user" if user else "systemctl"
    print_line("\n" + _("Next:") + "\n")
    for step in ("daemon-reload", f"enable --now {unit}", f"status {unit}"):
        print_line(f"  {systemctl} {step}")
    if user:
        print_line("  loginctl enable-linger    # " + _("keep running while you are logged out"))
    else:
        print_line("\n" + _("The service has its own state. To run a command on it:") + "\n")
        print_line(f"  {command_name()} service exec {'--instance NAME ' if '@' in unit else ''}status")


def _print_service_requirements(file: Path, unit: str) -> None:
    """Explain where the service reads its configuration and its secrets."""
    config = file.with_name("NAME.toml") if "@" in unit else file
    if not exists(file):
        command = f"{command_name()} init --config {config}"
        text = _("{file} does not exist yet. `{command}` creates it.", file=config, command=command)
        print_error(f"\n{text}")
    print_line("\n" + _(_SECRETS) + "\n")
    print_line(f"  chmod 0644 {config}")
    print_line(f"  install -d -m 0700 {secrets_folder(config)}")
    keys = read_document(file).keys if exists(file) else {}
    if state_dir := keys.get("state_dir"):
        print_error("\n" + _(_OWN_STATE, file=file, folder=state_dir))
    if (secrets_dir := keys.get("secrets_dir")) and file.parent / str(secrets_dir) != secrets_folder(file):
        text = _(
            "{file}: secrets_dir is {folder}, but the service gets its secrets from {used}. Move the files there and"
            " remove the line.",
            file=file,
            folder=secrets_dir,
            used=secrets_folder(file),
        )
        print_error(f"\n{text}")
    state = default_state_dir(os.environ)
    if exists(state / DATABASE):
        print_error("\n" + _(_OTHER_STATE, folder=state))


def _warn_about_browsers(file: Path) -> None:
    """Report accounts that sign in with Chromium, which needs the drop-in."""
    accounts = read_document(file).keys.get("accounts") if exists(file) else None
    accounts = accounts if isinstance(accounts, dict) else {}
    for name, keys in accounts.items():
        if isinstance(keys, dict) and keys.get("sign_in") == "browser":
            text = _(
                "Account {name} signs in with a browser, which this unit does not allow. Install it with --browser.",
                name=name,
            )
            print_error(f"\n{text}")
