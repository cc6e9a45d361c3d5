"""The systemd units: as they are shown, and as they are fitted to a machine. systemd itself is asked what it thinks."""

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

SHOWN = Path(__file__).parents[2] / "systemd"
SERVICES = (*systemd_units.DAEMON, *systemd_units.TEMPLATE, systemd_units.TIMER[0])
MOST_EXPOSED = 12  # tenths
MOST_EXPOSED_WITH_A_BROWSER = 18
PROGRAM = "/bin/true"
CONFIG = PurePosixPath("/etc/watcher/watcher.toml")

analyses = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")


def fitted(
    *names: str, user: bool = False, systemd: int | None = None, config: PurePosixPath = CONFIG
) -> Mapping[str, str]:
    return systemd_units.fitted(names, program=PROGRAM, config=config, user=user, systemd=systemd)


def settings_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and line[0] not in "#["]


def written(folder: Path, units: Mapping[str, str]) -> list[Path]:
    """The units as files; a template as one of its instances."""
    files = [folder / name.replace("@.", "@one.") for name in units]
    for file, text in zip(files, units.values(), strict=True):
        file.write_text(text)
    return files


def analyze(*words: str | Path) -> tuple[int, str]:
    done = subprocess.run(
        [shutil.which("systemd-analyze") or "", *words],
        env={**os.environ, "XDG_RUNTIME_DIR": os.environ.get("XDG_RUNTIME_DIR", tempfile.gettempdir())},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def exposure(unit: Path) -> float:
    """From 0, the best, to 10."""
    _, said = analyze("security", "--offline=true", "--no-pager", unit)
    return float(re.findall(r"Overall exposure level for \S+: ([\d.]+)", said)[0])


def test_what_is_shown_is_what_is_installed() -> None:
    for name in (*SERVICES, *systemd_units.TIMER[1:], systemd_units.BROWSER):
        (text,) = systemd_units.fitted((name,), program="/usr/local/bin/watcher", config=CONFIG).values()
        assert (SHOWN / name).read_text() == text


def test_the_three_services_are_protected_alike() -> None:
    def protection(name: str) -> str:
        (text,) = fitted(name).values()
        return text[text.index("# --- Sandbox") : text.index("TasksMax=")]

    assert protection("watcher.service") == protection("watcher@.service") == protection("watcher-check.service")


@analyses
@pytest.mark.parametrize("name", SERVICES)
def test_systemd_finds_them_well_protected(name: str, tmp_path: Path) -> None:
    (file,) = written(tmp_path, fitted(name))
    status, said = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager", file)
    assert status == 0, said
    assert exposure(file) <= MOST_EXPOSED / 10


@analyses
@pytest.mark.parametrize("name", SERVICES)
def test_a_browser_opens_no_more_than_is_said(name: str, tmp_path: Path) -> None:
    (file,) = written(tmp_path, fitted(name))
    shut = exposure(file)
    (added,) = systemd_units.drop_in(systemd_units.BROWSER, file.name).items()
    (tmp_path / added[0]).parent.mkdir()
    (tmp_path / added[0]).write_text(added[1])
    assert shut < exposure(file) <= MOST_EXPOSED_WITH_A_BROWSER / 10


@analyses
@pytest.mark.parametrize("manager", ["--system", "--user"])
@pytest.mark.parametrize("names", [systemd_units.DAEMON, systemd_units.TEMPLATE, systemd_units.TIMER])
def test_systemd_finds_no_fault_in_them(names: tuple[str, ...], manager: str, tmp_path: Path) -> None:
    files = written(tmp_path, fitted(*names, user=manager == "--user"))
    for path, text in systemd_units.drop_in(systemd_units.BROWSER, files[0].name, user=manager == "--user").items():
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_text(text)
    status, said = analyze(manager, "verify", "--man=no", "--recursive-errors=no", *files)
    assert (status, said) == (0, "")


def test_a_users_own_unit_asks_for_nothing_that_wants_privileges() -> None:
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


def test_the_pause_between_restarts_grows_where_systemd_can_do_that() -> None:
    old, new = (fitted("watcher.service", systemd=version)["watcher.service"] for version in (253, 254))
    assert "\nRestartSteps=" not in old
    assert "\nRestartSteps=" in new
    assert "\nRestartMaxDelaySec=" in new


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("/opt/watcher/bin/watcher",), "/opt/watcher/bin/watcher"),
        (("/opt/my apps/python3", "-m", "watcher"), '"/opt/my apps/python3" -m watcher'),
        (("/opt/100%/x", 'a"b\\c', "$HOME"), '/opt/100%%/x "a\\"b\\\\c" "$$HOME"'),
    ],
)
def test_a_command_line_is_quoted_as_systemd_reads_it(words: tuple[str, ...], line: str) -> None:
    assert systemd_units.quoted(*words) == line


def test_another_configuration_brings_its_own_folder_of_secrets() -> None:
    (daemon,) = fitted("watcher.service", config=PurePosixPath("/srv/cases/family.toml")).values()
    assert "ExecStart=/bin/true run --config /srv/cases/family.toml --log-format json" in daemon
    assert "LoadCredential=watcher:/srv/cases/family.secrets" in daemon
    assert "/etc/watcher/secrets" not in daemon
    (template,) = fitted("watcher@.service", config=PurePosixPath("/srv/etc/watcher/any.toml")).values()
    assert "ExecStart=/bin/true run --config /srv/etc/watcher/%i.toml" in template
    assert "LoadCredential=watcher:/srv/etc/watcher/%i.secrets" in template


def install(watching: Workspace, *words: str, expect: int = 0) -> CommandResult:
    return watching.run("service", "install", *words, expect=(expect,))


def needs_a_place_that_a_service_sees() -> None:
    if any(Path(sys.executable).is_relative_to(hidden) for hidden in ("/home", "/root", tempfile.gettempdir())):
        pytest.skip("this installation lies where a service of the system sees nothing")


@pytest.fixture
def watching(tmp_path: Path) -> Workspace:
    return Workspace(folder=tmp_path)


class TestInstall:
    def test_it_writes_the_unit_of_this_installation_and_says_what_is_next(self, watching: Workspace) -> None:
        needs_a_place_that_a_service_sees()
        said = install(watching, "--output", "out", "--config", "/etc/watcher/watcher.toml")
        unit = (watching.folder / "out" / "watcher.service").read_text()
        (start,) = [line for line in unit.splitlines() if line.startswith("ExecStart=")]
        assert Path(sys.executable).parent.as_posix() in start
        assert "systemctl enable --now watcher.service" in said.out
        assert "watcher service exec status" in said.out

    def test_a_configuration_that_is_not_there_yet_is_pointed_out(self, watching: Workspace) -> None:
        needs_a_place_that_a_service_sees()
        said = install(watching, "--output", "out", "--config", "/srv/none/watcher.toml")
        assert "/srv/none/watcher.toml is not there yet" in said.err
        assert "init --config /srv/none/watcher.toml" in said.err

    def test_what_was_read_as_this_user_is_pointed_out_for_the_service_begins_anew(self, watching: Workspace) -> None:
        needs_a_place_that_a_service_sees()
        state = watching.folder / ".local" / "state" / "watcher"
        words = ("--output", "out", "--config", "/srv/none/watcher.toml")
        assert str(state) not in install(watching, *words).err
        state.mkdir(parents=True)
        (state / "watcher.sqlite3").touch()
        assert f"{state} holds what was read as this user" in install(watching, *words).err
        watching.write()
        assert str(state) not in install(watching, "--user", "--output", "out").err

    def test_for_a_user_it_goes_to_their_own_folder(self, watching: Workspace) -> None:
        watching.write()
        said = install(watching, "--user")
        unit = watching.folder / ".config" / "systemd" / "user" / "watcher.service"
        assert f"run --config {watching.config} " in unit.read_text()
        assert unit.stat().st_mode & 0o777 == 0o644
        assert "systemctl --user enable --now watcher.service" in said.out

    def test_instances_of_a_user_are_told_to_keep_their_state_apart(self, watching: Workspace) -> None:
        watching.write()
        said = install(watching, "--user", "--instances")
        assert f"Each {watching.folder / 'NAME.toml'} has to name a state_dir of its own" in said.out
        unit = watching.folder / ".config" / "systemd" / "user" / "watcher@.service"
        assert "`systemctl --user edit watcher@`" in unit.read_text()
        assert "state_dir" not in install(watching, "--user").out

    def test_the_timer_comes_with_its_service(self, watching: Workspace) -> None:
        watching.write()
        said = install(watching, "--user", "--timer", "--output", "out")
        assert sorted(file.name for file in (watching.folder / "out").iterdir()) == sorted(systemd_units.TIMER)
        assert "enable --now watcher-check.timer" in said.out

    @pytest.mark.parametrize(
        ("words", "service"),
        [
            ((), "watcher.service"),
            (("--timer",), "watcher-check.service"),
            (("--instances",), "watcher@.service"),
        ],
    )
    def test_what_a_browser_needs_lies_in_a_drop_in(
        self, watching: Workspace, words: tuple[str, ...], service: str
    ) -> None:
        watching.write()
        install(watching, "--user", "--browser", "--output", "out", *words)
        opened = watching.folder / "out" / f"{service}.d" / "browser.conf"
        settings = settings_of(opened.read_text())
        assert {"MemoryDenyWriteExecute=no", "RestrictNamespaces=user pid net"} <= set(settings)
        assert not any(line.startswith(("ProcSubset=", "Environment=")) for line in settings)

    def test_an_account_that_wants_a_browser_is_pointed_out(self, watching: Workspace) -> None:
        watching.config.write_text('[accounts.family]\nportal = "uscis"\nsign_in = "browser"\n')
        assert "family signs in with a browser" in install(watching, "--user").err
        assert "family" not in install(watching, "--user", "--browser").err

    def test_it_can_be_read_before_it_is_written(self, watching: Workspace) -> None:
        watching.write()
        said = install(watching, "--user", "--print")
        assert said.out.startswith("# ==> watcher.service\n")
        assert "ExecStart=" in said.out
        assert not (watching.folder / ".config").exists()

    def test_without_a_configuration_a_user_is_told_how_to_get_one(self, watching: Workspace) -> None:
        said = install(watching, "--user", expect=2)
        assert "watcher init" in said.err

    @pytest.mark.parametrize("folder", ["/srv/my cases", "/srv/it's mine"])
    def test_a_place_that_the_unit_could_not_name_is_refused(self, watching: Workspace, folder: str) -> None:
        said = install(watching, "--print", "--config", f"{folder}/watcher.toml", expect=2)
        assert "without spaces" in said.err or "--user" in said.err

    @pytest.mark.parametrize("file", ["/home/someone/watcher.toml", "/run/user/1000/watcher.toml", "/tmp/watcher.toml"])  # noqa: S108
    def test_what_the_service_could_not_see_is_refused(self, watching: Workspace, file: str) -> None:
        said = install(watching, "--print", "--config", file, expect=2)
        assert "--user" in said.err

    def test_a_folder_that_cannot_be_written_is_told(self, watching: Workspace) -> None:
        watching.write()
        (watching.folder / "out").write_text("no folder")
        said = install(watching, "--user", "--output", "out/units", expect=1)
        assert "cannot be written to" in said.err

    def test_a_timer_for_instances_is_refused(self, watching: Workspace) -> None:
        install(watching, "--timer", "--instances", expect=2)


class TestCredentials:
    """What `watcher service exec` hands to a command."""

    def test_they_are_those_of_the_unit_and_its_drop_ins(self) -> None:
        text = "".join(fitted("watcher@.service").values())
        drop_in = "[Service]\nLoadCredentialEncrypted=state_key:/etc/watcher/%i/100%%.cred\n"
        assert systemd_units.credentials(text + drop_in, instance="aunt") == [
            "LoadCredential=watcher:/etc/watcher/aunt.secrets",
            "LoadCredentialEncrypted=state_key:/etc/watcher/aunt/100%.cred",
        ]

    def test_an_empty_setting_takes_back_those_before_it(self) -> None:
        text = "".join(fitted("watcher.service").values())
        assert systemd_units.credentials(f"{text}[Service]\nLoadCredential=\n") == []

    def test_a_command_is_run_with_them(self, watching: Workspace) -> None:
        programs = watching.folder / "bin"
        programs.mkdir()
        for name, script in (
            ("systemctl", 'test "$1 $2" = "cat watcher@aunt.service" && echo "LoadCredentialEncrypted=a:/b.cred"'),
            ("systemd-run", 'printf "%s\\n" "$@"'),
        ):
            (programs / name).write_text(f"#!/bin/sh\n{script}\n")
            (programs / name).chmod(0o755)
        environ = {"PATH": f"{programs}:/usr/bin:/bin"}
        said = watching.run("service", "exec", "--instance", "aunt", "status", environ=environ)
        assert "--property=LoadCredentialEncrypted=a:/b.cred" in said.out.splitlines()
        assert "--property=User=watcher-aunt" in said.out.splitlines()
        said = watching.run("service", "exec", "status", environ=environ)
        assert "--property=LoadCredential=watcher:/etc/watcher/secrets" in said.out.splitlines()
