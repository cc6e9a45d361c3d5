"""Mozilla's linter for extensions, which `web-ext lint` runs, finds nothing in the extension that hands over."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.handover.test_scripts_in_chromium import script
from tests.servers.running import program

pytestmark = pytest.mark.servers
_BIN = Path("node", "node_modules", ".bin")


@pytest.mark.parametrize("hosts", [(), ("my.uscis.gov", "myaccount.uscis.gov")], ids=["cases", "session"])
def test_extension_is_clean(tmp_path: Path, hosts: tuple[str, ...]) -> None:
    file = tmp_path / "extension.zip"
    file.write_bytes(script(session_hosts=hosts).extension())
    ran = subprocess.run(
        [program("addons-linter", under=_BIN), "--output", "json", file], capture_output=True, timeout=120, check=False
    )
    found = json.loads(ran.stdout)
    assert (found["errors"], found["warnings"], found["notices"]) == ([], [], []), ran.stderr.decode()
