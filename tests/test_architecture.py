"""The rules of the house that a machine can check: who may import whom, and one door for each library."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PACKAGE = REPOSITORY / "watcher"

DOORS = {
    "apprise": {"delivery/apprise_notifier.py"},
    "apscheduler": {"daemon/schedule.py"},
    "httpx": {"http/client.py", "http/reachability.py", "http/redirects.py", "http/transport.py"},  # or {"http/"}
    "httpcore": {"http/sockets.py", "http/transport.py"},
    "sqlmodel": {"store/"},
    "sqlalchemy": {"store/"},
    "sqlite3": {"store/"},
    "alembic": {"store/database/"},
    "icalendar": {"export/ics.py"},
    "jmespath": {"recipe/page/selectors.py"},
    "keyring": {"settings/system_keyring.py"},
    "playwright": {"sign_in/browser.py"},
    "prometheus_client": {"monitoring/metrics.py"},
    "selectolax": {"text/html.py"},
    "trustme": {"practice/"},
    "tzlocal": {"settings/__init__.py", "cli/setup/init.py"},
    "structlog": {"**"},
}
"""Which modules may import a library. A folder stands for all within it."""

IO = {"httpx", "sqlmodel", "sqlalchemy", "apprise", "apscheduler", "socket", "subprocess", "sqlite3", "urllib.request"}
PURE = [
    "alerts",
    "clock",
    "language",
    "model",
    "text",
    "delivery/superseded.py",
    "delivery/throttle.py",
    "reading/diff.py",
    "reading/normalize.py",
    "remind/date_reminders.py",
    "remind/due_now.py",
    "remind/manual_reminder.py",
    "remind/stalls.py",
]


def imported_by(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def libraries_of(file: Path) -> set[str]:
    return {name.split(".")[0] for name in imported_by(file)}


def test_imports_go_one_way() -> None:
    script = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [script, "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("library", [name for name in DOORS if DOORS[name] != {"**"}])
def test_each_library_has_one_door(library: str) -> None:
    doors = DOORS[library]
    users = {str(file.relative_to(PACKAGE)) for file in PACKAGE.rglob("*.py") if library in libraries_of(file)}
    strangers = {user for user in users if not any(user == door or user.startswith(door) for door in doors)}
    assert users
    assert strangers == set()


def test_the_pure_core_reads_no_network_and_no_database() -> None:
    offenders = {}
    for name in PURE:
        room = PACKAGE / name
        for file in [room] if room.is_file() else sorted(room.rglob("*.py")):
            if found := imported_by(file) & IO:
                offenders[str(file.relative_to(PACKAGE))] = found
    assert offenders == {}


def test_no_portal_knows_another() -> None:
    portals = PACKAGE / "portals"
    names = {file.stem for file in portals.glob("*.py") if not file.stem.startswith("_")}
    for name in names:
        others = {f"watcher.portals.{other}" for other in names - {name}}
        assert imported_by(portals / f"{name}.py") & others == set()
