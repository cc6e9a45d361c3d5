"""One request through the program's HTTP client, compared with other clients."""

import http.client
from collections.abc import Callable, Iterator
from threading import Event

import httpcore
import httpx
import urllib3

from tests.benchmarks.gauge import Result, Took, interleaved, progress
from tests.benchmarks.household import receipts
from tests.benchmarks.office import open_office
from tests.benchmarks.scale import Scale
from watcher.clock import SystemClock
from watcher.http.client import PortalHttp

_HEADERS = {"Authorization": "Bearer made-up-token", "Accept": "application/json"}


def http_floor(scale: Scale) -> Iterator[Result]:
    """Measure requests with their bodies, one after the other on one connection, without parsing."""
    size = scale.middle
    progress(f"the HTTP floor: {size} requests each")
    with open_office() as office:
        urls = [f"{office.origin}/case-status/{case}" for case in receipts(size)]
        ways = {name: _bound(way, urls) for name, way in _WAYS.items()}
        took = interleaved(ways, scale.repeats)
    ours, client = took["ours"], took["httpx.Client"]
    yield Result(
        what="the HTTP floor: one request, program's own door",
        ours=_each(ours, size),
        floor="; ".join(f"{name} {_each(each, size)}" for name, each in took.items() if name != "ours"),
        ratio=ours.cpu / client.cpu,
        goal=1.0,
        figures={name: each.cpu / size * 1e3 for name, each in took.items()},
    )


def _bound(way: Callable[[list[str]], None], urls: list[str]) -> Callable[[], None]:
    return lambda: way(urls)


def _each(took: Took, size: int) -> str:
    return f"{took.cpu / size * 1e3:.3f} ms CPU"


def _ours(urls: list[str]) -> None:
    with PortalHttp(portal="the office", hosts={"127.0.0.1"}, clock=SystemClock(), stop=Event()) as door:
        for url in urls:
            door.send("GET", url, headers=_HEADERS)


def _client(urls: list[str]) -> None:
    with httpx.Client() as client:
        for url in urls:
            client.get(url, headers=_HEADERS).read()


def _transport(urls: list[str]) -> None:
    with httpx.HTTPTransport() as transport:
        for url in urls:
            transport.handle_request(httpx.Request("GET", url, headers=_HEADERS)).read()


def _core(urls: list[str]) -> None:
    with httpcore.ConnectionPool() as pool:
        for url in urls:
            pool.request("GET", url, headers=list(_HEADERS.items())).read()


def _urllib3(urls: list[str]) -> None:
    with urllib3.PoolManager() as pool:
        for url in urls:
            _ = pool.request("GET", url, headers=_HEADERS).data


def _standard_library(urls: list[str]) -> None:
    connection = http.client.HTTPConnection(urllib3.util.parse_url(urls[0]).netloc or "")
    for url in urls:
        connection.request("GET", url.partition("//")[2].partition("/")[2].join(("/", "")), headers=_HEADERS)
        connection.getresponse().read()
    connection.close()


_WAYS = {
    "ours": _ours,
    "httpx.Client": _client,
    "httpx.HTTPTransport": _transport,
    "httpcore": _core,
    "urllib3": _urllib3,
    "http.client": _standard_library,
}
