"""Delivery by a child process: what `AppriseNotifier` promises, and that the child comes, goes and may die."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from threading import Event, Thread

import psutil
import pytest
from pydantic import SecretStr

from tests.doubles.loopback import BodyChunks, ReceivedRequest, reply, serve
from tests.servers.webhook import Webhook, webhook
from tests.support.waiting import eventually
from watcher.delivery.apprise_notifier import AppriseNotifier, Notifier
from watcher.delivery.sender_process import SenderProcess
from watcher.errors import DeliveryFailed

WORDS = {"title": "A title", "body": "What happened", "html": "<p>What happened</p>", "short": "It happened"}
SECRET = "canaryToken42"
PATIENCE = 30.0


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as running:
        yield running


@pytest.fixture
def made() -> Iterator[SenderProcess]:
    with closing(SenderProcess(timeout=PATIENCE)) as one:
        yield one


def send(notifier: Notifier, url: str, *attachments: Path) -> None:
    notifier.send(SecretStr(url), **WORDS, attachments=attachments)


def failure(notifier: Notifier, url: str) -> tuple[str, bool]:
    with pytest.raises(DeliveryFailed) as found:
        send(notifier, url)
    return str(found.value), found.value.permanent


def child() -> psutil.Process:
    (one,) = children()
    return one


def children() -> list[psutil.Process]:
    found = []
    for each in psutil.Process().children():
        with suppress(psutil.Error):  # it has just ended
            if "watcher.delivery.sender_process" in " ".join(each.cmdline()):
                found.append(each)
    return found


def test_a_message_arrives_with_its_letters(made: SenderProcess, hook: Webhook, tmp_path: Path) -> None:
    letter = tmp_path / "letter.pdf"
    letter.write_bytes(b"%PDF-")
    send(made, f"json://{hook.host}/hook", letter)
    (message,) = hook.messages
    assert (message["title"], message["message"]) == (WORDS["title"], WORDS["body"])
    assert [each["filename"] for each in message["attachments"]] == ["letter.pdf"]


@pytest.mark.parametrize("url", ["json://127.0.0.1:9/", "nothing://at-all", f"tgram://{SECRET}"])
def test_what_is_not_taken_is_told_in_the_same_words(made: SenderProcess, url: str) -> None:
    assert failure(made, url) == failure(AppriseNotifier(), url)


@pytest.mark.parametrize(("url", "attaches"), [("json://127.0.0.1:9/", True), ("irc://127.0.0.1:9/%23x", False)])
def test_whether_a_service_takes_letters_is_known_too(made: SenderProcess, url: str, attaches: bool) -> None:  # noqa: FBT001
    assert made.can_attach(SecretStr(url)) is attaches


def test_a_channel_that_hangs_holds_back_no_other(made: SenderProcess, hook: Webhook) -> None:
    asked, ended = Event(), Event()

    def never(_: ReceivedRequest) -> BodyChunks:
        asked.set()
        ended.wait(PATIENCE)
        return reply()

    with serve(never) as hanging:
        other = Thread(target=send, args=(made, hanging.origin.replace("http", "json")))
        other.start()
        assert asked.wait(PATIENCE)
        send(made, f"json://{hook.host}/hook")
        assert other.is_alive()
        ended.set()
        other.join(PATIENCE)
    assert len(hook.messages) == 1


def test_a_child_with_nothing_to_do_ends_and_the_next_message_starts_another(hook: Webhook) -> None:
    with closing(SenderProcess(idle=0.2)) as made:
        send(made, f"json://{hook.host}/hook")
        assert eventually(lambda: not children())
        send(made, f"json://{hook.host}/hook")
    assert len(hook.messages) == 2


def test_a_child_is_idle_only_when_nothing_is_under_way() -> None:
    def slow(_: ReceivedRequest) -> BodyChunks:
        time.sleep(0.5)  # several times as long as the child may be idle
        return reply()

    with serve(slow) as server, closing(SenderProcess(idle=0.05)) as made:
        send(made, server.origin.replace("http", "json"))
        assert eventually(lambda: not children())
    assert len(server.requests) == 1


def test_a_child_that_dies_in_the_middle_fails_its_messages_and_the_next_one_goes(
    made: SenderProcess, hook: Webhook
) -> None:
    asked = Event()

    def deadly(_: ReceivedRequest) -> BodyChunks:
        asked.set()
        child().kill()
        return b""

    with serve(deadly) as server:
        said, permanent = failure(made, server.origin.replace("http", "json"))
    assert asked.is_set()
    assert (said, permanent) == ("the process that sends has ended in the middle of it", False)
    send(made, f"json://{hook.host}/hook")
    assert len(hook.messages) == 1


def test_a_child_that_stands_still_is_replaced(hook: Webhook) -> None:
    with closing(SenderProcess(timeout=4.0)) as made:
        send(made, f"json://{hook.host}/hook")
        stuck = child()
        stuck.send_signal(signal.SIGSTOP)
        assert "no answer within 4 seconds" in failure(made, f"json://{hook.host}/hook")[0]
        send(made, f"json://{hook.host}/hook")
        assert child() != stuck
    assert len(hook.messages) == 2


def test_a_long_message_that_a_child_no_longer_takes_goes_through_another(made: SenderProcess, hook: Webhook) -> None:
    send(made, f"json://{hook.host}/hook")
    stuck = child()
    stuck.send_signal(signal.SIGSTOP)
    long = "What happened. " * 100_000
    made.send(SecretStr(f"json://{hook.host}/hook"), title="A", body=long, html=long, short="B")
    assert child() != stuck
    assert len(hook.messages) > 1, "Apprise takes it apart"


def test_what_takes_too_long_is_given_up_and_what_else_is_under_way_is_finished() -> None:
    given_up, ended = Event(), Event()

    def slow(asked: ReceivedRequest) -> BodyChunks:
        (ended if asked.target == "/never" else given_up).wait(PATIENCE)
        return reply()

    with serve(slow) as server, closing(SenderProcess(timeout=3.0)) as made:
        place = server.origin.replace("http", "json")
        send_first = Thread(target=failure, args=(made, f"{place}/never"))
        send_first.start()
        assert eventually(lambda: server.requests)
        send_first.join(1.0)  # so the second one has time left when the first has none
        second = Thread(target=send, args=(made, f"{place}/slow"))
        second.start()
        assert eventually(lambda: len(server.requests) == 2)
        send_first.join(PATIENCE)
        before = child()
        given_up.set()
        second.join(PATIENCE)  # what it might raise would fail this test
        assert eventually(lambda: not before.is_running())
        ended.set()


def test_signals_for_the_daemon_do_not_end_what_is_under_way(made: SenderProcess, hook: Webhook) -> None:
    send(made, f"json://{hook.host}/hook")
    before = child()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        before.send_signal(number)
    send(made, f"json://{hook.host}/hook")
    assert child() == before


DAEMON_THAT_IS_KILLED = """
import os, psutil, signal, sys
from pydantic import SecretStr
from watcher.delivery.sender_process import SenderProcess
SenderProcess().send(SecretStr(sys.argv[1]), title="A", body="B", html="C", short="D")
(child,) = psutil.Process().children()
print(child.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_ends_with_its_daemon_however_that_ended(hook: Webhook) -> None:
    words = [sys.executable, "-c", DAEMON_THAT_IS_KILLED, f"json://{hook.host}/hook"]
    daemon = subprocess.run(words, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert daemon.returncode == -signal.SIGKILL, daemon.stderr
    number = int(daemon.stdout)
    assert eventually(lambda: not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE)


def test_no_secret_shows_on_its_command_line(made: SenderProcess, hook: Webhook) -> None:
    send(made, f"json://someone:{SECRET}@{hook.host}/hook")
    assert SECRET not in " ".join(child().cmdline())


def test_closed_it_leaves_no_process(hook: Webhook) -> None:
    with closing(SenderProcess()) as made:
        send(made, f"json://{hook.host}/hook")
        assert children()
    assert eventually(lambda: not children())
