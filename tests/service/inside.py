"""Runs in the container as root, next to the watcher's service: examine it, hang it, stop it, and report."""

import contextlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.doubles.uscis import EMAIL, PASSWORD, FakeUscis, Fault, running_uscis

UNIT = "watcher.service"
UNITS = Path("/etc/systemd/system")
CONFIGURATIONS = Path("/etc/watcher")
STATE = Path("/var/lib/private/watcher")
CREDENTIALS = Path("/run/credentials") / UNIT
MESSAGES = Path("/run/phone.jsonl")
IDLE_SECONDS = 30.0
MAY = {
    "write its state",
    "read its credentials",
    "read its configuration",
    "resolve localhost",
    "open a TCP socket",
}
MAY_WITH_A_BROWSER = MAY | {"make a namespace", "map memory to write and run", "see the memory of the machine"}


class Summary:
    """The results of the checks, line by line."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lines: list[str] = []

    def check(self, what: str, *, holds: bool, saw: object = "") -> None:
        self._lines.append(f"{'ok  ' if holds else 'FAIL'}  {what}{f': {saw}' if saw != '' else ''}")
        self._file.write_text("\n".join(self._lines) + "\n", encoding="utf-8")


def run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=90)
    return done.stdout + done.stderr


def show(name: str, unit: str = UNIT) -> str:
    return run("systemctl", "show", "--value", "--property", name, unit).strip()


def eventually(true: Callable[[], bool], within: float = 60.0) -> bool:
    end = time.monotonic() + within
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.2)
    return False


def main_pid() -> int:
    return int(show("MainPID"))


def messages() -> int:
    return len(MESSAGES.read_text(encoding="utf-8").splitlines()) if MESSAGES.exists() else 0


def healthz() -> tuple[int, Any]:
    with contextlib.suppress(OSError), urllib.request.urlopen("http://127.0.0.1:8787/healthz", timeout=5) as answer:
        return answer.status, json.load(answer)
    return 0, None


def starting(summary: Summary) -> None:
    began = time.monotonic()
    said = run("systemctl", "start", UNIT)
    took = time.monotonic() - began
    summary.check("it starts and says READY", holds=show("SubState") == "running", saw=said or f"{took:.1f} s")
    summary.check(
        "systemctl status shows how it is",
        holds=eventually(lambda: "watching 1 account, next check" in show("StatusText")),
        saw=show("StatusText"),
    )
    summary.check("the first alert reaches the phone", holds=eventually(lambda: messages() == 1))
    status, health = healthz()
    summary.check("/healthz answers 200", holds=status == 200 and health["status"] == "ok", saw=status)


def files(summary: Summary) -> None:
    owner = int(re.findall(r"^Uid:\s+(\d+)", Path(f"/proc/{main_pid()}/status").read_text(), re.MULTILINE)[0])
    summary.check("it has a user of its own", holds=owner > 60000, saw=owner)
    found = sorted(file.name for file in CREDENTIALS.iterdir())
    wanted = ["watcher_accounts__office__client_secret", "watcher_channels__phone__url"]
    summary.check("its secrets come as credentials", holds=found == wanted, saw=", ".join(found))
    modes = {oct(stat.S_IMODE(file.stat().st_mode)) for file in CREDENTIALS.iterdir()}
    owners = {file.stat().st_uid for file in CREDENTIALS.iterdir()}
    summary.check("credentials are its own to read alone", holds=(modes, owners) == ({"0o400"}, {owner}), saw=modes)
    everything = [STATE, *STATE.rglob("*")]
    open_ones = [str(file) for file in everything if file.lstat().st_mode & 0o077 or file.lstat().st_uid != owner]
    summary.check("nobody else can read its state", holds=not open_ones, saw=open_ones or f"{len(everything)} files")
    written = STATE / "watcher.sqlite3"
    summary.check("the database is 0600", holds=stat.S_IMODE(written.stat().st_mode) == 0o600)


def process(summary: Summary) -> None:
    status = Path(f"/proc/{main_pid()}/status").read_text()
    facts = dict(re.findall(r"^(CapEff|CapBnd|NoNewPrivs|Seccomp):\s+(\S+)", status, re.MULTILINE))
    none = "0" * 16
    summary.check(
        "it has no capability, no new privileges, a filter of system calls",
        holds=facts == {"CapEff": none, "CapBnd": none, "NoNewPrivs": "1", "Seccomp": "2"},
        saw=facts,
    )
    memory = int(re.findall(r"^VmRSS:\s+(\d+)", status, re.MULTILINE)[0]) / 1024
    summary.check("memory, resident", holds=memory < 150, saw=f"{memory:.0f} MiB")
    score = re.findall(r"exposure level for \S+: ([\d.]+)", run("systemd-analyze", "security", "--no-pager", UNIT))
    summary.check("systemd-analyze security of the running unit", holds=float(score[0]) <= 1.2, saw=score[0])


def probe(name: str) -> tuple[dict[str, str], int]:
    """Run a probe in place of the watcher in the same unit, and check each attempt and the umask."""
    text = (UNITS / UNIT).read_text()
    text = re.sub(r"(?m)^ExecStart=.*", "ExecStart=/usr/bin/python3 /opt/verify/probe.py", text)
    text = re.sub(r"(?m)^(ExecReload|WatchdogSec|Restart|RestartSec|NotifyAccess)=.*\n", "", text)
    text = text.replace("Type=notify", f"Type=oneshot\nStandardOutput=file:/run/{name}.json")
    text = text.replace("User=watcher", f"User={name}").replace("StateDirectory=watcher", f"StateDirectory={name}")
    (UNITS / f"{name}.service").write_text(text)
    run("systemctl", "daemon-reload")
    run("systemctl", "start", f"{name}.service")
    probed = json.loads(Path(f"/run/{name}.json").read_text())
    return probed["tried"], probed["umask"]


def compare(summary: Summary, tried: dict[str, str], may: set[str], whose: str) -> None:
    could = {name for name, came_of_it in tried.items() if came_of_it == "done"}
    summary.check(f"{whose} lets it do its work", holds=could >= may, saw=", ".join(sorted(may - could)))
    refused = len(tried) - len(may)
    summary.check("and nothing else", holds=could <= may, saw=", ".join(sorted(could - may)) or f"{refused} refused")


def sandbox(summary: Summary) -> None:
    tried, umask = probe("probe")
    compare(summary, tried, MAY, "its sandbox")
    summary.check("files it makes are its own", holds=umask == 0o077)


def commands(summary: Summary) -> None:
    said = run("python3", "-m", "watcher", "service", "exec", "status", "--json")
    try:
        cases = [case["case_number"] for case in json.loads(said)["cases"]]
    except ValueError:
        cases = []
    summary.check("a command runs as the service does", holds=len(cases) == 1, saw="" if cases else said)


def idling(summary: Summary) -> None:
    def wake_ups() -> int:
        tasks = Path(f"/proc/{main_pid()}/task").iterdir()
        counts = (
            re.findall(r"^voluntary_ctxt_switches:\s+(\d+)", (task / "status").read_text(), re.MULTILINE)
            for task in tasks
        )
        return sum(int(count[0]) for count in counts)

    before = wake_ups()
    time.sleep(IDLE_SECONDS)
    rate = (wake_ups() - before) / IDLE_SECONDS
    summary.check("wake-ups while nothing is to do", holds=rate <= 1, saw=f"{rate:.2f} a second")


def reloading(summary: Summary) -> None:
    before = main_pid()
    said = run("systemctl", "reload", UNIT)
    same = eventually(lambda: show("ActiveState") == "active") and main_pid() == before
    summary.check(
        "a reload keeps the process", holds=same and "configuration_reloaded" in run("journalctl", "-u", UNIT), saw=said
    )


def hanging(summary: Summary) -> None:
    """Shorten the shipped watchdog of ninety seconds to six."""
    folder = UNITS / f"{UNIT}.d"
    folder.mkdir()
    (folder / "quick.conf").write_text("[Service]\nWatchdogSec=6s\nRestartSec=1s\n")
    run("systemctl", "daemon-reload")
    run("systemctl", "restart", UNIT)
    time.sleep(14)
    summary.check("a healthy one is left alone by the watchdog", holds=show("NRestarts") == "0")
    hung, told = main_pid(), messages()
    began = time.monotonic()
    os.kill(hung, signal.SIGSTOP)
    back = eventually(lambda: show("NRestarts") == "1" and show("SubState") == "running" and main_pid() != hung)
    took = time.monotonic() - began
    summary.check("one that hangs is killed and started again", holds=back, saw=f"{took:.1f} s")
    summary.check("by the watchdog", holds="Watchdog timeout" in run("journalctl", "-u", UNIT))
    eventually(lambda: healthz()[0] == 200)
    summary.check("no alert is repeated after it", holds=messages() == told, saw=f"{messages()} of {told}")
    os.kill(main_pid(), signal.SIGKILL)
    killed = eventually(lambda: show("NRestarts") == "2" and show("SubState") == "running")
    summary.check("one that was killed is started again", holds=killed)


def stopping(summary: Summary) -> None:
    began = time.monotonic()
    run("systemctl", "stop", UNIT)
    took = time.monotonic() - began
    clean = (show("Result"), show("ExecMainStatus"), show("ActiveState")) == ("success", "0", "inactive")
    summary.check("it stops cleanly within five seconds", holds=clean and took < 5, saw=f"{took:.2f} s")


def timer(summary: Summary) -> None:
    run("systemctl", "start", "watcher-check.timer")
    run("systemctl", "start", "watcher-check.service")
    done = show("Result", "watcher-check.service"), show("ExecMainStatus", "watcher-check.service")
    summary.check("the timer's single read succeeds", holds=done == ("success", "0"), saw=done)
    waits = show("ActiveState", "watcher-check.timer")
    summary.check("the timer waits for the next", holds=waits == "active", saw=waits)


def configure(instance: str, text: str, **secrets: str) -> str:
    """Write a configuration for watcher@INSTANCE with its folder of secrets, and return the unit's name."""
    # As `watcher init` creates it; the folder belongs to root, and the service receives copies of its files.
    (CONFIGURATIONS / f"{instance}.toml").write_text(f'secrets_dir = "{instance}.secrets"\n{text}')
    folder = CONFIGURATIONS / f"{instance}.secrets"
    folder.mkdir(mode=0o700)
    for name, secret in secrets.items():
        file = folder / name
        file.touch(mode=0o600)
        file.write_text(secret)
    return f"watcher@{instance}.service"


def instances(summary: Summary) -> None:
    """Check two instances of the template on one machine: neither can see the other."""
    text = (CONFIGURATIONS / "watcher.toml").read_text()
    text = text[: text.index("[channels.phone]")]
    secret = (CONFIGURATIONS / "secrets" / "accounts__office__client_secret").read_text()
    units = [configure(name, text, accounts__office__client_secret=secret) for name in ("parents", "aunt")]
    said = "".join(run("systemctl", "start", unit) for unit in units)
    running = all(show("SubState", unit) == "running" for unit in units)
    summary.check("two instances of the template run side by side", holds=running, saw=said)
    owners = {Path(f"/proc/{show('MainPID', unit)}").stat().st_uid for unit in units}
    summary.check("each has a user of its own", holds=len(owners) == len(units), saw=owners)
    stores = [STATE.with_name(f"watcher-{name}") / "watcher.sqlite3" for name in ("parents", "aunt")]
    summary.check("and state of its own", holds={file.stat().st_uid for file in stores} == owners)
    said = run("python3", "-m", "watcher", "service", "exec", "--instance", "aunt", "status", "--json")
    summary.check("a command runs as one of them does", holds="EAC9999000001" in said, saw="" if said else "nothing")
    run("systemctl", "stop", *units)
    results = {show("Result", unit) for unit in units}
    summary.check("both stop cleanly", holds=results == {"success"}, saw=results)


def encrypted(summary: Summary) -> None:
    """Check a secret that is encrypted on disk with a key of this machine and loaded by a drop-in."""
    text = (CONFIGURATIONS / "watcher.toml").read_text()
    unit = configure("vault", text[: text.index("[channels.phone]")])
    name, sealed = "accounts__office__client_secret", CONFIGURATIONS / "vault.cred"
    said = run(
        "systemd-creds", "--with-key=host", f"--name={name}", "encrypt", f"/etc/watcher/secrets/{name}", str(sealed)
    )
    drop_in = UNITS / f"{unit}.d" / "secrets.conf"
    drop_in.parent.mkdir()
    drop_in.write_text(f"[Service]\nLoadCredentialEncrypted={name}:{sealed}\n")
    run("systemctl", "daemon-reload")
    said += run("systemctl", "start", unit)
    summary.check("it starts with an encrypted secret", holds=show("SubState", unit) == "running", saw=said)
    said = run("python3", "-m", "watcher", "service", "exec", "--instance", "vault", "status", "--json")
    summary.check("a command is handed it too", holds="EAC9999000001" in said, saw="" if "EAC" in said else said)
    run("systemctl", "stop", unit)


def browser(summary: Summary) -> None:
    """Check a sign-in with a real Chromium under the unit, which needs its drop-in."""
    if shutil.which("chromium") is None:
        return
    with running_uscis() as portal:
        portal.faults.add(Fault.NO_CODE)
        keys = {"portal": "uscis", "sign_in": "browser", "username": EMAIL, "mfa": "none"}
        keys |= {"base_url": portal.origin, "auth_url": portal.auth}
        text = "[accounts.family]\n" + "".join(f'{key} = "{value}"\n' for key, value in keys.items())
        unit = configure("family", text, accounts__family__password=PASSWORD)
        signing_in(summary, portal, unit)
    folder = UNITS / "probe-browser.service.d"
    folder.mkdir()
    shutil.copy(UNITS / f"{UNIT}.d" / "browser.conf", folder)
    compare(summary, probe("probe-browser")[0], MAY_WITH_A_BROWSER, "the sandbox with the drop-in")


def signing_in(summary: Summary, portal: FakeUscis, unit: str) -> None:
    run("systemctl", "start", unit)
    named = eventually(lambda: "service install --browser" in run("journalctl", "--unit", unit))
    run("systemctl", "stop", unit)
    holds = named and not portal.passwords
    summary.check("without the drop-in nobody is signed in, and the log names it", holds=holds)
    for which in ([], ["--instances"]):
        run("python3", "-m", "watcher", "service", "install", "--browser", *which)
    run("systemctl", "daemon-reload")
    run("python3", "-m", "watcher", "service", "exec", "--instance", "family", "resume", "family")
    run("systemctl", "start", unit)
    holds = eventually(lambda: any("/case_status/" in asked for asked in portal.requests))
    summary.check("with it Chromium signs in under the unit", holds=holds and portal.passwords == [PASSWORD])
    score = re.findall(r"exposure level for \S+: ([\d.]+)", run("systemd-analyze", "security", "--no-pager", unit))
    summary.check("systemd-analyze security with the drop-in", holds=float(score[0]) <= 1.8, saw=score[0])
    began = time.monotonic()
    run("systemctl", "stop", unit)
    took = time.monotonic() - began
    summary.check("it stops cleanly", holds=show("Result", unit) == "success" and took < 5, saw=f"{took:.2f} s")


def main() -> None:
    summary = Summary(Path(sys.argv[1]))
    parts = (
        starting,
        files,
        process,
        sandbox,
        commands,
        idling,
        reloading,
        hanging,
        stopping,
        timer,
        instances,
        encrypted,
        browser,
    )
    for part in parts:
        try:
            part(summary)
        except Exception as error:  # noqa: BLE001 - any failure belongs in the summary
            summary.check(f"{part.__name__} could be checked", holds=False, saw=f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
