"""The page: CPU time and bytes of its first address, and the memory of its process, which the daemon has started."""

import re
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

from tests.benchmarks.gauge import Result, progress
from tests.benchmarks.household import account, configured, folder, receipts
from tests.benchmarks.idle import stored
from tests.benchmarks.office import open_office
from tests.benchmarks.processes import Memory, cpu, family, memory
from tests.benchmarks.running import query, running
from tests.benchmarks.scale import ROOT, Scale
from tests.benchmarks.seed import watching_for_long
from watcher.daemon.page import PAGE_MODULE
from watcher.model.web import KeyKind
from watcher.privacy.web_tokens import new_token

_CPU, _BYTES, _MEMORY = 0.05, 100 * 1024, 45.0
_CSRF = re.compile(r'name="csrf" value="([0-9a-f]+)"')
_LOOKS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """`first` and `cpu` are seconds of CPU time for the first look after the process has started, and for one later."""

    first: float
    cpu: float
    size: int
    memory: Memory


def page(scale: Scale) -> Iterator[Result]:
    """Measure `/` with each number of cases, ten at least."""
    sizes = (10, *(size for size in scale.sizes if size > 10 and size != scale.sizes[0]))
    looked = {}
    for size in sizes:
        progress(f"the page with {size} cases")
        looked[size] = _looked(size)
    for size, look in looked.items():
        is_limited = size == scale.middle
        yield Result(
            what=f"CPU of one look at the page, {size:,} cases",
            ours=f"{look.cpu * 1e3:.0f} ms, the first one {look.first * 1e3:.0f} ms",
            ratio=look.cpu if is_limited else None,
            goal=_CPU if is_limited else None,
            figures={"cpu_s": look.cpu, "first_cpu_s": look.first},
        )
        yield Result(
            what=f"its size, {size:,} cases",
            ours=f"{look.size / 1024:.0f} KiB",
            ratio=look.size if is_limited else None,
            goal=_BYTES if is_limited else None,
            figures={"bytes": look.size},
        )
        yield Result(
            what=f"memory of its process, {size:,} cases",
            ours=f"{look.memory.rss:.1f} MiB RSS, {look.memory.pss:.1f} PSS",
            ratio=look.memory.rss if is_limited else None,
            goal=_MEMORY if is_limited else None,
            figures={"rss_mib": look.memory.rss, "pss_mib": look.memory.pss},
        )


def _looked(size: int) -> _Looked:
    """Look at the page of a daemon that checks nothing meanwhile."""
    cases, link = receipts(size), new_token()
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    with open_office() as office, folder() as home:
        sections = account(office, cases) + f'\n[web]\nlisten = "127.0.0.1:{port}"\n'
        with watching_for_long(home, sections, office, cases) as app:
            app.store.web.add(KeyKind.LINK, link, now=app.clock.now())
        configured(home, sections)
        query(home, "UPDATE account SET next_read_at = ?", stored(datetime(2999, 1, 1, tzinfo=UTC)))
        with running(home, ROOT) as daemon:
            cookie = _signed_in(port, link)
            pid = next(each for each in family(daemon.pid) if PAGE_MODULE in _command(each))
            before = cpu(pid)
            body = _get(port, "/", cookie)
            first, before = cpu(pid) - before, cpu(pid)
            for _ in range(_LOOKS):
                _get(port, "/", cookie)
            return _Looked(first=first, cpu=(cpu(pid) - before) / _LOOKS, size=len(body), memory=memory(pid))


def _signed_in(port: int, link: str) -> str:
    """Use a link as a browser does. Return the cookie."""
    token = _CSRF.findall(_get(port, f"/sign-in/{link}").decode())[0]
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
        connection.request("POST", f"/sign-in/{link}", urlencode({"csrf": token}), headers)
        return str(connection.getresponse().headers["Set-Cookie"]).partition(";")[0]


def _get(port: int, path: str, cookie: str = "") -> bytes:
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", path, headers={"Cookie": cookie})
        response = connection.getresponse()
        body = response.read()
    assert response.status == HTTPStatus.OK, (response.status, body)
    return body


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace")
