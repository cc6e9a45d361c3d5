"""The systemd units, as linked in `systemd/` and as adapted to a machine, checked with systemd's own tools."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest

from tests.support.workspace import CommandResult, Workspace
from watcher.daemon import systemd_units

LINKED_FOLDER = Path(__file__).parents[2] / "systemd"
SERVICES = (*systemd_units.DAEMON, *systemd_units.TEMPLATE, systemd_units.TIMER[0])
MAX_EXPOSURE = 12  # tenths
MAX_EXPOSURE_WITH_BROWSER = 18
PROGRAM = "/bin/true"
CONFIG = PurePosixPath("/etc/watcher/watcher.toml")

requires_systemd_analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def fitted(
    *names: str, user: bool = False, systemd: int | None = None, config: PurePosixPath = CONFIG
) -> Mapping[str, str]:
    return systemd_units.fitted(names, program=PROGRAM, config=config, user=user, systemd=systemd)


def settings_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and line[0] not in "#["]


def write_units(folder: Path, units: Mapping[str, str]) -> list[Path]:
    """Write the units as files, a template as one of its instances."""
    files = [folder / name.replace("@.", "@one.") for name in units]
    for file, text in zip(files, units.values(), strict=True):
        file.write_text(text)
    return files


def analyze(*arguments: str | Path) -> tuple[int, str]:
    done = subprocess.run(
        [shutil.which("systemd-analyze") or "", *arguments],
        env={**os.environ, "XDG_RUNTIME_DIR": os.environ.get("XDG_RUNTIME_DIR", tempfile.gettempdir())},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def exposure(unit: Path) -> float:
    """Return the exposure level, from 0 (the best) to 10."""
    _, output = analyze("security", "--offline=true", "--no-pager", unit)
    return float(re.findall(r"Overall exposure level for \S+: ([\d.]+)", output)[0])


def test_linked_units_are_the_installed_ones() -> None:
    for name in (*SERVICES, *systemd_units.TIMER[1:], systemd_units.BROWSER):
        (text,) = systemd_units.fitted((name,), program="/usr/local/bin/watcher", config=CONFIG).values()
        assert (LINKED_FOLDER / name).read_text() == text


def test_three_services_have_the_same_sandbox() -> None:
    def sandbox(name: str) -> str:
        (text,) = fitted(name).values()
        return text[text.index("# --- Sandbox") : text.index("TasksMax=")]

    assert sandbox("watcher.service") == sandbox("watcher@.service") == sandbox("watcher-check.service")


@requires_systemd_analyze
@pytest.mark.parametrize("name", SERVICES)
def test_services_score_well_in_systemd_analyze_security(name: str, tmp_path: Path) -> None:
    (file,) = write_units(tmp_path, fitted(name))
    status, output = analyze("security", "--offline=true", f"--threshold={MAX_EXPOSURE}", "--no-pager", file)
    assert status == 0, output
    assert exposure(file) <= MAX_EXPOSURE / 10


@requires_systemd_analyze
@pytest.mark.parametrize("name", SERVICES)
def test_browser_drop_in_exposes_no_more_than_documented(name: str, tmp_path: Path) -> None:
    (file,) = write_units(tmp_path, fitted(name))
    without_browser = exposure(file)
    ((path, text),) = systemd_units.drop_in(systemd_units.BROWSER, file.name).items()
    (tmp_path / path).parent.mkdir()
    (tmp_path / path).write_text(text)
    assert without_browser < exposure(file) <= MAX_EXPOSURE_WITH_BROWSER / 10


@requires_systemd_analyze
@pytest.mark.parametrize("manager", ["--system", "--user"])
@pytest.mark.parametrize("names", [systemd_units.DAEMON, systemd_units.TEMPLATE, systemd_units.TIMER])
def test_systemd_analyze_verify_finds_no_error(names: tuple[str, ...], manager: str, tmp_path: Path) -> None:
    files = write_units(tmp_path, fitted(*names, user=manager == "--user"))
    for path, text in systemd_units.drop_in(systemd_units.BROWSER, files[0].name, user=manager == "--user").items():
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_text(text)
    status, output = analyze(manager, "verify", "--man=no", "--recursive-errors=no", *files)
    assert (status, output) == (0, "")


def test_unit_of_a_user_has_no_setting_that_needs_privileges() -> None:
    (text,) = fitted("watcher.service", user=True).values()
    keys = {line.partition("=")[0] for line in settings_of(text)}
    assert not keys & {
        "DynamicUser",
        "User",
        "StateDirectory",
        "LoadCredential",
        "CapabilityBoundingSet",
        "PrivateUsers",
    }
    assert {"NoNewPrivileges", "SystemCallFilter", "MemoryDenyWriteExecute", "WatchdogSec", "ExecStart"} <= keys
    assert "WantedBy=default.target" in text
    assert "LoadCredential" not in text


def test_restart_pause_grows_if_systemd_supports_it() -> None:
    old, new = (fitted("watcher.service", systemd=version)["watcher.service"] for version in (253, 254))
    assert "\nRestartSteps=" not in old
    assert "\nRestartSteps=" in new
    assert "\nRestartMaxDelaySec=" in new


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("/opt/watcher/bin/watcher",), "/opt/watcher/bin/watcher"),
        (("/opt/my apps/python3", "-m", "watcher"), '"/opt/my apps/python3" -m watcher'),
        (("/opt/100%/x", 'a"b\\c', "$HOME"), '/opt/100%%/x "a\\"b\\\\c" "$$HOME"'),
    ],
)
def test_command_line_is_quoted_for_systemd(arguments: tuple[str, ...], line: str) -> None:
    assert systemd_units.quoted(*arguments) == line


def test_other_configuration_has_its_own_secrets_folder() -> None:
    (daemon,) = fitted("watcher.service", config=PurePosixPath("/srv/cases/family.toml")).values()
    assert "ExecStart=/bin/true run --config /srv/cases/family.toml --log-format json" in daemon
    assert "LoadCredential=watcher:/srv/cases/family.secrets" in daemon
    assert "/etc/watcher/secrets" not in daemon
    (template,) = fitted("watcher@.service", config=PurePosixPath("/srv/etc/watcher/any.toml")).values()
    assert "ExecStart=/bin/true run --config /srv/etc/watcher/%i.toml" in template
    assert "LoadCredential=watcher:/srv/etc/watcher/%i.secrets" in template


def install(workspace: Workspace, *arguments: str, expect: int = 0) -> CommandResult:
    return workspace.run("service", "install", *arguments, expect=(expect,))


def skip_if_hidden_from_services() -> None:
    if any(Path(sys.executable).is_relative_to(hidden) for hidden in ("/home", "/root", tempfile.gettempdir())):
        pytest.skip("this installation is in a folder that system services cannot see")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(folder=tmp_path)


class TestInstall:
    def test_unit_of_this_installation_is_written_and_next_steps_are_printed(self, workspace: Workspace) -> None:
        skip_if_hidden_from_services()
        result = install(workspace, "--output", "out", "--config", "/etc/watcher/watcher.toml")
        unit = (workspace.folder / "out" / "watcher.service").read_text()
        (start,) = [line for line in unit.splitlines() if line.startswith("ExecStart=")]
        assert Path(sys.executable).parent.as_posix() in start
        assert "systemctl enable --now watcher.service" in result.out
        assert "watcher service exec status" in result.out

    def test_missing_configuration_is_pointed_out(self, workspace: Workspace) -> None:
        skip_if_hidden_from_services()
        result = install(workspace, "--output", "out", "--config", "/srv/none/watcher.toml")
        assert "/srv/none/watcher.toml does not exist yet" in result.err
        assert "init --config /srv/none/watcher.toml" in result.err

    def test_state_of_this_user_is_pointed_out_because_the_service_does_not_use_it(self, workspace: Workspace) -> None:
        skip_if_hidden_from_services()
        state = workspace.folder / ".local" / "state" / "watcher"
        arguments = ("--output", "out", "--config", "/srv/none/watcher.toml")
        assert str(state) not in install(workspace, *arguments).err
        state.mkdir(parents=True)
        (state / "watcher.sqlite3").touch()
        assert f"{state} contains the history of the checks made by this user" in install(workspace, *arguments).err
        workspace.write()
        assert str(state) not in install(workspace, "--user", "--output", "out").err

    def test_user_option_writes_to_the_users_own_folder(self, workspace: Workspace) -> None:
        workspace.write()
        result = install(workspace, "--user")
        unit = workspace.folder / ".config" / "systemd" / "user" / "watcher.service"
        assert f"run --config {workspace.config} " in unit.read_text()
        assert unit.stat().st_mode & 0o777 == 0o644
        assert "systemctl --user enable --now watcher.service" in result.out

    def test_instances_of_a_user_must_have_separate_state_folders(self, workspace: Workspace) -> None:
        workspace.write()
        result = install(workspace, "--user", "--instances")
        assert f"Set a different state_dir in each {workspace.folder / 'NAME.toml'}" in result.out
        unit = workspace.folder / ".config" / "systemd" / "user" / "watcher@.service"
        assert "`systemctl --user edit watcher@`" in unit.read_text()
        assert "state_dir" not in install(workspace, "--user").out

    def test_timer_is_written_with_its_service(self, workspace: Workspace) -> None:
        workspace.write()
        result = install(workspace, "--user", "--timer", "--output", "out")
        assert sorted(file.name for file in (workspace.folder / "out").iterdir()) == sorted(systemd_units.TIMER)
        assert "enable --now watcher-check.timer" in result.out

    @pytest.mark.parametrize(
        ("arguments", "service"),
        [
            ((), "watcher.service"),
            (("--timer",), "watcher-check.service"),
            (("--instances",), "watcher@.service"),
        ],
    )
    def test_browser_settings_are_written_as_a_drop_in(
        self, workspace: Workspace, arguments: tuple[str, ...], service: str
    ) -> None:
        workspace.write()
        install(workspace, "--user", "--browser", "--output", "out", *arguments)
        drop_in = workspace.folder / "out" / f"{service}.d" / "browser.conf"
        settings = settings_of(drop_in.read_text())
        assert {"MemoryDenyWriteExecute=no", "RestrictNamespaces=user pid net"} <= set(settings)
        assert not any(line.startswith(("ProcSubset=", "Environment=")) for line in settings)

    def test_account_with_browser_sign_in_is_pointed_out(self, workspace: Workspace) -> None:
        workspace.config.write_text('[accounts.family]\nportal = "uscis"\nsign_in = "browser"\n')
        assert "family signs in with a browser" in install(workspace, "--user").err
        assert "family" not in install(workspace, "--user", "--browser").err

    def test_print_option_shows_the_unit_and_writes_nothing(self, workspace: Workspace) -> None:
        workspace.write()
        result = install(workspace, "--user", "--print")
        assert result.out.startswith("# ==> watcher.service\n")
        assert "ExecStart=" in result.out
        assert not (workspace.folder / ".config").exists()

    def test_missing_user_configuration_is_answered_with_watcher_init(self, workspace: Workspace) -> None:
        result = install(workspace, "--user", expect=2)
        assert "watcher init" in result.err

    @pytest.mark.parametrize("folder", ["/srv/my cases", "/srv/it's mine"])
    def test_path_that_a_unit_cannot_contain_is_refused(self, workspace: Workspace, folder: str) -> None:
        result = install(workspace, "--print", "--config", f"{folder}/watcher.toml", expect=2)
        assert "without spaces" in result.err or "--user" in result.err

    @pytest.mark.parametrize("file", ["/home/someone/watcher.toml", "/run/user/1000/watcher.toml", "/tmp/watcher.toml"])  # noqa: S108
    def test_configuration_hidden_from_the_service_is_refused(self, workspace: Workspace, file: str) -> None:
        result = install(workspace, "--print", "--config", file, expect=2)
        assert "--user" in result.err

    def test_unwritable_folder_is_reported(self, workspace: Workspace) -> None:
        workspace.write()
        (workspace.folder / "out").write_text("no folder")
        result = install(workspace, "--user", "--output", "out/units", expect=1)
        assert "Cannot write to" in result.err

    def test_timer_with_instances_is_refused(self, workspace: Workspace) -> None:
        install(workspace, "--timer", "--instances", expect=2)


class TestCredentials:
    """The credentials that `watcher service exec` passes to a command."""

    def test_credentials_of_the_unit_and_its_drop_ins_are_combined(self) -> None:
        text = "".join(fitted("watcher@.service").values())
        drop_in = "[Service]\nLoadCredentialEncrypted=state_key:/etc/watcher/%i/100%%.cred\n"
        assert systemd_units.credentials(text + drop_in, instance="aunt") == [
            "LoadCredential=watcher:/etc/watcher/aunt.secrets",
            "LoadCredentialEncrypted=state_key:/etc/watcher/aunt/100%.cred",
        ]

    def test_empty_setting_cancels_those_before_it(self) -> None:
        text = "".join(fitted("watcher.service").values())
        assert systemd_units.credentials(f"{text}[Service]\nLoadCredential=\n") == []

    def test_command_runs_with_the_credentials(self, workspace: Workspace) -> None:
        programs = workspace.folder / "bin"
        programs.mkdir()
        for name, script in (
            ("systemctl", 'test "$1 $2" = "cat watcher@aunt.service" && echo "LoadCredentialEncrypted=a:/b.cred"'),
            ("systemd-run", 'printf "%s\\n" "$@"'),
        ):
            (programs / name).write_text(f"#!/bin/sh\n{script}\n")
            (programs / name).chmod(0o755)
        environ = {"PATH": f"{programs}:/usr/bin:/bin"}
        result = workspace.run("service", "exec", "--instance", "aunt", "status", environ=environ)
        assert "--property=LoadCredentialEncrypted=a:/b.cred" in result.out.splitlines()
        assert "--property=User=watcher-aunt" in result.out.splitlines()
        result = workspace.run("service", "exec", "status", environ=environ)
        assert "--property=LoadCredential=watcher:/etc/watcher/secrets" in result.out.splitlines()
