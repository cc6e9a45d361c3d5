"""Delivery by a child process: the contract of `AppriseNotifier`, and the life cycle of the child."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psutil
import pytest
from pydantic import SecretStr

from tests.doubles.loopback import BodyChunks, ReceivedRequest, reply, serve
from tests.servers.webhook import Webhook, webhook
from tests.support.waiting import eventually
from watcher.delivery.apprise_notifier import AppriseNotifier, Notifier
from watcher.delivery.message_traits import Traits
from watcher.delivery.sender_process import SenderProcess
from watcher.errors import DeliveryFailed
from watcher.model.change import Severity

TEXT: dict[str, Any] = {
    "title": "A title",
    "body": "What happened",
    "html": "<p>What happened</p>",
    "short": "It happened",
}
SECRET = "canaryToken42"
TIMEOUT = 30.0


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as running:
        yield running


@pytest.fixture
def sender() -> Iterator[SenderProcess]:
    with closing(SenderProcess(timeout=TIMEOUT)) as sender:
        yield sender


def send(notifier: Notifier, url: str, *attachments: Path) -> None:
    notifier.send(SecretStr(url), **TEXT, attachments=attachments)


def failure(notifier: Notifier, url: str) -> tuple[str, bool]:
    with pytest.raises(DeliveryFailed) as raised:
        send(notifier, url)
    return str(raised.value), raised.value.permanent


def child() -> psutil.Process:
    (process,) = children()
    return process


def children() -> list[psutil.Process]:
    processes = []
    for process in psutil.Process().children():
        with suppress(psutil.Error):  # it has just ended
            if "watcher.delivery.sender_child" in " ".join(process.cmdline()):
                processes.append(process)
    return processes


def test_message_arrives_with_its_letters(sender: SenderProcess, hook: Webhook, tmp_path: Path) -> None:
    letter = tmp_path / "letter.pdf"
    letter.write_bytes(b"%PDF-")
    send(sender, f"json://{hook.host}/hook", letter)
    (message,) = hook.messages
    assert (message["title"], message["message"]) == (TEXT["title"], TEXT["body"])
    assert [attachment["filename"] for attachment in message["attachments"]] == ["letter.pdf"]


@pytest.mark.parametrize("url", ["json://127.0.0.1:9/", "nothing://at-all", f"tgram://{SECRET}"])
def test_failure_is_reported_as_by_the_notifier(sender: SenderProcess, url: str) -> None:
    assert failure(sender, url) == failure(AppriseNotifier(), url)


@pytest.mark.parametrize(("url", "expected"), [("json://127.0.0.1:9/", True), ("irc://127.0.0.1:9/%23x", False)])
def test_can_attach_is_answered_by_the_child(sender: SenderProcess, url: str, expected: bool) -> None:  # noqa: FBT001
    assert sender.can_attach(SecretStr(url)) is expected


def test_channel_that_hangs_does_not_delay_others(sender: SenderProcess, hook: Webhook) -> None:
    received, ended = Event(), Event()

    def never(_: ReceivedRequest) -> BodyChunks:
        received.set()
        ended.wait(TIMEOUT)
        return reply()

    with serve(never) as hanging:
        other = Thread(target=send, args=(sender, hanging.origin.replace("http", "json")))
        other.start()
        assert received.wait(TIMEOUT)
        send(sender, f"json://{hook.host}/hook")
        assert other.is_alive()
        ended.set()
        other.join(TIMEOUT)
    assert len(hook.messages) == 1


def test_service_that_drips_an_answer_delays_no_other_and_is_given_up(hook: Webhook) -> None:
    dripping, failures, ended = Event(), list[str](), Event()

    def drip(_: ReceivedRequest) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nx-slow: "
        while not ended.wait(0.02):
            dripping.set()
            yield b"."

    with serve(drip) as server, closing(SenderProcess(timeout=6.0)) as sender:
        other = Thread(target=lambda: failures.append(failure(sender, server.origin.replace("http", "json"))[0]))
        other.start()
        assert dripping.wait(TIMEOUT)
        send(sender, f"json://{hook.host}/hook")
        assert other.is_alive()
        other.join(TIMEOUT)
        ended.set()
    assert failures == ["no answer within 6 seconds"]
    assert len(hook.messages) == 1


def test_idle_child_ends_and_the_next_message_starts_another(hook: Webhook) -> None:
    with closing(SenderProcess(idle=0.2)) as sender:
        send(sender, f"json://{hook.host}/hook")
        assert eventually(lambda: not children())
        send(sender, f"json://{hook.host}/hook")
    assert len(hook.messages) == 2


def test_child_that_is_sending_is_not_idle() -> None:
    def slow(_: ReceivedRequest) -> BodyChunks:
        time.sleep(0.5)  # several times the idle limit of the child
        return reply()

    with serve(slow) as server, closing(SenderProcess(idle=0.05)) as sender:
        send(sender, server.origin.replace("http", "json"))
        assert eventually(lambda: not children())
    assert len(server.requests) == 1


def test_child_that_dies_fails_its_messages_and_is_replaced(sender: SenderProcess, hook: Webhook) -> None:
    received = Event()

    def deadly(_: ReceivedRequest) -> BodyChunks:
        received.set()
        child().kill()
        return b""

    with serve(deadly) as server:
        reason, permanent = failure(sender, server.origin.replace("http", "json"))
    assert received.is_set()
    assert (reason, permanent) == ("the process that sends messages ended while sending", False)
    send(sender, f"json://{hook.host}/hook")
    assert len(hook.messages) == 1


def test_child_that_hangs_is_replaced(hook: Webhook) -> None:
    with closing(SenderProcess(timeout=4.0)) as sender:
        send(sender, f"json://{hook.host}/hook")
        stuck = child()
        stuck.send_signal(signal.SIGSTOP)
        assert "no answer within 4 seconds" in failure(sender, f"json://{hook.host}/hook")[0]
        send(sender, f"json://{hook.host}/hook")
        assert child() != stuck
    assert len(hook.messages) == 2


def test_long_message_is_sent_by_another_child_if_the_first_hangs(sender: SenderProcess, hook: Webhook) -> None:
    send(sender, f"json://{hook.host}/hook")
    stuck = child()
    stuck.send_signal(signal.SIGSTOP)
    long = "What happened. " * 100_000
    sender.send(SecretStr(f"json://{hook.host}/hook"), title="A", body=long, html=long, short="B")
    assert child() != stuck
    assert len(hook.messages) > 1, "Apprise splits it"


def test_message_that_times_out_does_not_abort_others_in_progress() -> None:
    given_up, ended = Event(), Event()

    def slow(received: ReceivedRequest) -> BodyChunks:
        (ended if received.target == "/never" else given_up).wait(TIMEOUT)
        return reply()

    with serve(slow) as server, closing(SenderProcess(timeout=8.0)) as sender:
        url = server.origin.replace("http", "json")
        send_first = Thread(target=failure, args=(sender, f"{url}/never"))
        send_first.start()
        assert eventually(lambda: server.requests)
        send_first.join(1.0)  # so the second one still has time when the first times out
        second = Thread(target=send, args=(sender, f"{url}/slow"))
        second.start()
        assert eventually(lambda: len(server.requests) == 2)
        send_first.join(TIMEOUT)
        before = child()
        given_up.set()
        second.join(TIMEOUT)  # an exception in it would fail this test
        assert eventually(lambda: not before.is_running())
        ended.set()


def test_child_ignores_signals_for_the_daemon(sender: SenderProcess, hook: Webhook) -> None:
    send(sender, f"json://{hook.host}/hook")
    before = child()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        before.send_signal(number)
    send(sender, f"json://{hook.host}/hook")
    assert child() == before


DAEMON_THAT_IS_KILLED = """
import os, psutil, signal, sys
from pydantic import SecretStr
from watcher.delivery.message_traits import Traits
from watcher.delivery.sender_process import SenderProcess
SenderProcess().send(SecretStr(sys.argv[1]), title="A", body="B", html="C", short="D")
(child,) = psutil.Process().children()
print(child.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_child_ends_when_its_daemon_is_killed(hook: Webhook) -> None:
    command = [sys.executable, "-c", DAEMON_THAT_IS_KILLED, f"json://{hook.host}/hook"]
    daemon = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT)
    assert daemon.returncode == -signal.SIGKILL, daemon.stderr
    number = int(daemon.stdout)
    assert eventually(lambda: not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE)


def test_command_line_of_the_child_shows_no_secret(sender: SenderProcess, hook: Webhook) -> None:
    send(sender, f"json://someone:{SECRET}@{hook.host}/hook")
    assert SECRET not in " ".join(child().cmdline())


def test_close_leaves_no_process(hook: Webhook) -> None:
    with closing(SenderProcess()) as sender:
        send(sender, f"json://{hook.host}/hook")
        assert children()
    assert eventually(lambda: not children())


def test_endless_answer_of_a_service_is_read_to_a_limit_and_its_status_counts(sender: SenderProcess) -> None:
    def endless(_: ReceivedRequest) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\ncontent-length: 3000000000\r\n\r\n"
        for _megabyte in range(3000):
            yield b"x" * 1_000_000

    with serve(endless) as server:
        send(sender, server.origin.replace("http", "json"))
    assert child().memory_info().rss < 200 * 1024 * 1024


def test_targets_that_accepted_a_message_are_known_although_another_hangs() -> None:
    ended = Event()

    def topics(received: ReceivedRequest) -> BodyChunks:
        if b"bad" in received.body:
            ended.wait(TIMEOUT)
        return reply()

    with serve(topics) as server, closing(SenderProcess(timeout=6.0)) as sender:
        url = SecretStr(server.origin.replace("http", "ntfy") + "/bad/good")
        with pytest.raises(DeliveryFailed) as raised:
            sender.send(url, **TEXT)
        ended.set()
        assert len(raised.value.accepted_by) == 1
        sent = len(server.requests)
        sender.send(url, **TEXT, accepted_by=raised.value.accepted_by)
        assert [b"bad" in request.body for request in server.requests[sent:]] == [True]


def test_wait_that_a_busy_service_asks_for_is_reported(sender: SenderProcess) -> None:
    with serve(lambda _: reply(429, retry_after="90")) as server, pytest.raises(DeliveryFailed) as raised:
        send(sender, server.origin.replace("http", "json"))
    assert raised.value.retry_after == timedelta(seconds=90)


def test_traits_reach_the_service(hook: Webhook) -> None:
    traits = Traits(severity=Severity.URGENT, tag="rfe_received", link="https://my.uscis.gov/", thread="family")
    with closing(SenderProcess()) as sender:
        url = SecretStr(f"ntfy://{hook.host}/topic")
        sender.send(url, title="A", body="B", html="C", short="D", traits=traits)
    ((_, headers, _),) = hook.requests
    assert (headers["X-Priority"], headers["X-Tags"]) == ("max", "rfe_received")
