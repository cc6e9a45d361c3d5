"""The portal as a server: TLS, keep-alive, threads, and an end that leaves nothing open."""

import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import httpx
import pytest

from tests.practice.visitor import NUMBER, HandClock, Visitor
from watcher.practice import Account, Fault, PracticePortal
from watcher.practice.story import ADJUSTMENT_OF_STATUS, MAIN_CASE


def test_client_without_the_authority_is_rejected_and_others_are_served(
    portal: PracticePortal, capfd: pytest.CaptureFixture[str]
) -> None:
    with (
        httpx.Client(verify=ssl.create_default_context(), trust_env=False) as stranger,
        pytest.raises(httpx.ConnectError, match="certificate verify failed"),
    ):
        stranger.get(portal.base_url)
    with Visitor(portal) as visitor:
        assert visitor.http.get("/login").status_code == 200
    assert portal.requests[0].path == "/login"
    assert capfd.readouterr() == ("", "")


def test_authority_can_be_written_to_a_file_that_stays(clock: HandClock, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    with PracticePortal(clock) as portal:
        portal.write_ca(path)
        own = portal.ca_file
        assert own.read_bytes() == path.read_bytes() == portal.ca_pem

    assert not own.exists()
    assert path.exists()


def test_plain_http_has_no_certificate(clock: HandClock) -> None:
    with PracticePortal(clock, tls=False) as portal:
        assert portal.base_url.startswith("http://127.0.0.1:")
        assert portal.ca_pem == b""
        with pytest.raises(ValueError, match="plain HTTP"):
            _ = portal.ca_file


def test_connection_serves_many_requests(portal: PracticePortal) -> None:
    host = urlsplit(portal.base_url)
    context = ssl.create_default_context(cafile=str(portal.ca_file))
    with (
        socket.create_connection((host.hostname, host.port or 0), timeout=5) as raw,
        context.wrap_socket(raw, server_hostname=host.hostname) as connection,
        connection.makefile("rb") as answers,
    ):
        for _ in range(3):
            connection.sendall(b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert answers.readline() == b"HTTP/1.1 404 Not Found\r\n"
            answers.read(_length_of(answers))


def _length_of(answers: Iterator[bytes]) -> int:
    length = 0
    for line in answers:
        name, _, value = line.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
        if line == b"\r\n":
            break
    return length


@pytest.mark.parametrize("length", ["-1", "x", "65537", "99999999999999999999"])
def test_body_with_invalid_length_is_refused(clock: HandClock, length: str) -> None:
    with PracticePortal(clock, tls=False) as portal:
        host = urlsplit(portal.base_url)
        with socket.create_connection((host.hostname, host.port or 0), timeout=5) as connection:
            connection.sendall(f"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode())
            assert connection.recv(12) == b"HTTP/1.1 413"


def test_many_clients_at_once_see_one_state(portal: PracticePortal) -> None:
    case = portal.cases.add(NUMBER)

    def work(index: int) -> int:
        with Visitor(portal) as visitor:
            token = visitor.token()
            case.add_event(f"Event {index}")
            return len(visitor.case_status(NUMBER, token).json()["case_status"]["hist_case_status"])

    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(work, range(24)))

    assert max(seen) == len(case.record.events) == 24
    assert len({event.key for event in case.record.events}) == 24
    assert len(portal.requests) == 48


def test_stopping_does_not_wait_for_idle_connections_or_slow_answers(clock: HandClock) -> None:
    with PracticePortal(clock) as portal, Visitor(portal) as idle, Visitor(portal) as slow:
        idle.http.get("/login")
        portal.faults.throw(Fault.SLOW, path="/slow", delay=timedelta(minutes=5))
        waiting = Thread(target=_swallow, args=(slow,))
        waiting.start()
        while not any(line.path == "/slow" for line in portal.requests):
            time.sleep(0.005)
        begun = time.monotonic()
        portal.stop()
        waiting.join()
        assert time.monotonic() - begun < 3
        with pytest.raises(httpx.TransportError):
            idle.http.get("/login")


def _swallow(visitor: Visitor) -> None:
    try:
        visitor.http.get("/slow", timeout=60)
    except httpx.TransportError:
        return


def test_portal_that_was_not_started_can_be_stopped(clock: HandClock) -> None:
    PracticePortal(clock).stop()


def test_story_moves_the_portal_with_the_clock(clock: HandClock) -> None:
    portal = PracticePortal(clock, story=ADJUSTMENT_OF_STATUS, account=Account(totp_secret=None))
    with portal, Visitor(portal) as visitor:
        visitor.password()
        first = visitor.http.get(f"/api/cases/{MAIN_CASE}").json()["case"]
        clock.pass_by(timedelta(days=100, hours=1))
        visitor.password()
        later = visitor.http.get(f"/api/cases/{MAIN_CASE}").json()["case"]

    assert first["status"] == "Case Was Received"
    assert later["status"] == "Request for Initial Evidence Was Sent"
    assert later["status_date"] == "2026-04-15"


def test_portal_runs_alone_and_says_how_to_get_in() -> None:
    command = [sys.executable, "-m", "watcher.practice", "--no-totp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = "".join(process.stdout.readline() for _ in range(8))
        words = dict(line.strip().split("  ", 1) for line in said.splitlines()[1:])
        facts = {name: value.strip() for name, value in words.items()}
        url = said.split()[5].rstrip(".")
        context = ssl.create_default_context(cafile=facts["CA file"])
        with httpx.Client(base_url=url, verify=context, trust_env=False) as client:
            assert client.get("/login").status_code == 200
        process.terminate()
        rest, errors = process.communicate(timeout=20)

    assert facts["TOTP secret"] == "none"
    assert facts["cases"] == "IOE0000000002, IOE0000000001"
    assert (process.returncode, rest, errors) == (0, "", "")
    assert not Path(facts["CA file"]).exists()
