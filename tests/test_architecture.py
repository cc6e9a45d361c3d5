"""Import rules: layers between packages, one place for each library, and packages without I/O."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from watcher import portals

REPOSITORY = Path(__file__).parents[1]
PACKAGE = REPOSITORY / "watcher"

LIBRARY_USERS = {
    "apprise": {"delivery/apprise_notifier.py"},
    "apscheduler": {"daemon/schedule.py"},
    "httpx": {"http/"},
    "httpcore": {"http/sockets.py", "http/transport.py"},
    "sqlmodel": {"store/"},
    "sqlalchemy": {"store/"},
    "sqlite3": {"store/"},
    "alembic": {"store/database/"},
    "babel": {"language/date_text.py"},
    "dkim": {"official_mail/proof.py"},
    "dns": {"official_mail/dns.py"},
    "icalendar": {"export/ics.py"},
    "imapclient": {"official_mail/client.py"},
    "jmespath": {"recipe/page/json_query.py"},
    "re2": {"recipe/page/patterns.py"},
    "keyring": {"settings/system_keyring.py"},
    "playwright": {"sign_in/browser.py"},
    "prometheus_client": {"monitoring/metrics.py"},
    "selectolax": {"text/html.py"},
    "trustme": {"practice/"},
    "structlog": {"**"},
}
"""The modules that may import each library. A folder stands for all modules in it, `**` for the whole package."""

IO = {"httpx", "sqlmodel", "sqlalchemy", "apprise", "apscheduler", "socket", "subprocess", "sqlite3", "urllib.request"}
PURE = [
    "alerts",
    "clock",
    "language",
    "model",
    "reference",
    "text",
    "delivery/superseded.py",
    "delivery/throttle.py",
    "monitoring/reported_status.py",
    "monitoring/service_status.py",
    "reading/diff.py",
    "reading/normalize.py",
    "remind/date_reminders.py",
    "remind/due_now.py",
    "remind/manual_reminder.py",
    "remind/next_reminder.py",
    "remind/reference_reminders.py",
    "remind/stalls.py",
]


ALLOWED_IMPORTS = {
    "clock": set[str](),
    "errors.py": set[str](),
    "model": {"clock", "errors"},
    "privacy": {"errors"},
    "text": {"errors"},
}
"""The packages of ours that the lowest ones may import besides their own modules and `messages.py`."""


def imported_by(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def libraries_of(file: Path) -> set[str]:
    return {name.split(".")[0] for name in imported_by(file)}


def modules_in(name: str) -> Iterator[Path]:
    path = PACKAGE / name
    yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


def test_imports_keep_the_contracts() -> None:
    script = Path(sys.executable).with_name("lint-imports")
    completed = subprocess.run(
        [script, "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=120
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr


@pytest.mark.parametrize("library", [name for name in LIBRARY_USERS if LIBRARY_USERS[name] != {"**"}])
def test_each_library_is_imported_only_where_allowed(library: str) -> None:
    allowed = LIBRARY_USERS[library]
    users = {str(file.relative_to(PACKAGE)) for file in PACKAGE.rglob("*.py") if library in libraries_of(file)}
    others = {user for user in users if not any(user == path or user.startswith(path) for path in allowed)}
    assert users
    assert others == set()


def test_pure_modules_use_no_network_and_no_database() -> None:
    offenders = {}
    for name in PURE:
        for file in modules_in(name):
            if libraries := imported_by(file) & IO:
                offenders[str(file.relative_to(PACKAGE))] = libraries
    assert offenders == {}


@pytest.mark.parametrize("package", ALLOWED_IMPORTS)
def test_lowest_packages_import_only_what_is_below_them(package: str) -> None:
    allowed = ALLOWED_IMPORTS[package] | {package.removesuffix(".py"), "messages"}
    names = {name for file in modules_in(package) for name in imported_by(file) if name.startswith("watcher.")}
    assert {name for name in names if name.split(".")[1] not in allowed} == set()


def test_portals_do_not_import_each_other() -> None:
    names = {name.replace("-", "_") for name in portals.names()}
    for name in names:
        others = {f"watcher.portals.{other}" for other in names - {name}}
        path = f"portals/{name}"
        for file in modules_in(path if (PACKAGE / path).is_dir() else f"{path}.py"):
            assert {".".join(imported.split(".")[:3]) for imported in imported_by(file)} & others == set()


def test_contract_between_portals_lists_every_portal() -> None:
    contracts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (modules,) = [contract["modules"] for contract in contracts if contract["name"] == "No portal knows another"]
    assert {module.rpartition(".")[2].replace("_", "-") for module in modules} == set(portals.names())
