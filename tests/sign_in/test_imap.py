"""What a well-behaved mail server does not do; the rest is tested with dovecot in test_mailbox.py."""

import ssl
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from socket import create_server

import pytest
import trustme

from watcher.sign_in import imap
from watcher.sign_in.imap import CONNECTION_ERRORS, ImapLogin, MailboxRefused

Answer = Callable[[str, str], str | None]
open_folder = partial(imap.open_folder, before_password=lambda: None)


@contextmanager
def _scripted(folder: Path, answer: Answer) -> Iterator[tuple[ImapLogin, list[str]]]:
    """Run a TLS server that answers as `answer(command, arguments)` says; None closes the connection.

    Yields the login and the received commands.
    """
    authority, commands = trustme.CA(), list[str]()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)

    def serve() -> None:
        with (
            suppress(OSError),
            tls.wrap_socket(listener.accept()[0], server_side=True) as wire,
            wire.makefile("rwb") as it,
        ):
            it.write(b"* OK ready\r\n")
            it.flush()
            for line in it:
                tag, command, arguments = (*line.decode().strip().split(" ", 2), "")[:3]
                commands.append(f"{command} {arguments}".strip())
                said = answer(command, arguments)
                if said is None:
                    return
                it.write(said.replace("{tag}", tag).encode())
                it.flush()

    with create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield (
            ImapLogin(
                host="127.0.0.1",
                port=listener.getsockname()[1],
                username="o'neil",
                password='p "a" \\',
                folder='a "b" \\',
                ca_file=folder / "ca.pem",
            ),
            commands,
        )
        thread.join(10)


def _plain_server(command: str, arguments: str) -> str | None:  # noqa: ARG001 - the shape of a script
    return {
        "CAPABILITY": "* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n",
        "EXAMINE": "* 1 EXISTS\r\n{tag} OK [READ-ONLY] done\r\n",
        "FETCH": '* 1 FETCH (UID 7 INTERNALDATE " 2-Nov-2026 01:00:00 +0300")\r\n{tag} OK done\r\n',
        "LOGOUT": "* BYE bye\r\n{tag} OK done\r\n",
    }.get(command, "{tag} OK done\r\n")


def test_without_sasl_plain_the_old_login_is_used_and_everything_is_quoted(tmp_path: Path) -> None:
    with _scripted(tmp_path, _plain_server) as (login, commands), open_folder(login) as folder:
        arrivals = folder.newest()
    assert commands[1:3] == [r'''LOGIN "o'neil" "p \"a\" \\"''', r'EXAMINE "a \"b\" \\"']
    assert [f"{uid} {at:%d %H:%M}" for uid, at in arrivals.items()] == ["7 01 22:00"]


def test_temporary_mail_server_error_is_not_a_wrong_password(tmp_path: Path) -> None:
    def busy(command: str, arguments: str) -> str | None:
        if command == "LOGIN":
            return "{tag} NO [UNAVAILABLE] Temporary authentication failure\r\n"
        return _plain_server(command, arguments)

    with (
        _scripted(tmp_path, busy) as (login, _),
        pytest.raises(CONNECTION_ERRORS, match="accepts no sign-ins now"),
        open_folder(login),
    ):
        pass


def test_rejected_mailbox_password_is_not_shown(tmp_path: Path) -> None:
    def strict(command: str, arguments: str) -> str | None:
        return "{tag} NO no\r\n" if command == "LOGIN" else _plain_server(command, arguments)

    with (
        _scripted(tmp_path, strict) as (login, _),
        pytest.raises(MailboxRefused, match="did not accept") as caught,
        open_folder(login),
    ):
        pass
    assert login.password not in f"{caught.value} {login!r}"


@pytest.mark.parametrize("at", ["CAPABILITY", "LOGIN", "EXAMINE", "FETCH"])
def test_closed_connection_is_a_temporary_error(tmp_path: Path, at: str) -> None:
    def hangs_up(command: str, arguments: str) -> str | None:
        return None if command == at else _plain_server(command, arguments)

    with (
        _scripted(tmp_path, hangs_up) as (login, _),
        pytest.raises(CONNECTION_ERRORS),
        open_folder(login) as folder,
    ):
        folder.newest()


@pytest.mark.parametrize(
    "said", ["(UID 7)", '(UID 7 INTERNALDATE "32-Nov-2026 01:00:00 +0000")', '(UID 7 INTERNALDATE "soon")']
)
def test_message_without_arrival_time_is_an_error(tmp_path: Path, said: str) -> None:
    def vague(command: str, arguments: str) -> str | None:
        return f"* 1 FETCH {said}\r\n{{tag}} OK done\r\n" if command == "FETCH" else _plain_server(command, arguments)

    with _scripted(tmp_path, vague) as (login, _), pytest.raises(CONNECTION_ERRORS), open_folder(login) as folder:
        folder.newest()


@contextmanager
def _dripping(folder: Path, *, tls: bool) -> Iterator[ImapLogin]:
    """A server whose greeting never ends, a byte at a time."""
    authority, over = trustme.CA(), threading.Event()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def drip() -> None:
        wire = listener.accept()[0]
        with suppress(OSError), context.wrap_socket(wire, server_side=True) if tls else wire as talk:
            while not over.wait(0.02):
                talk.send(b"*")

    with create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip)
        thread.start()
        try:
            yield ImapLogin(
                host="127.0.0.1",
                port=listener.getsockname()[1],
                username="a",
                password="made up",
                folder="INBOX",
                starttls=not tls,
                ca_file=folder / "ca.pem",
            )
        finally:
            over.set()
            thread.join(10)


@pytest.mark.parametrize("tls", [True, False])
def test_slow_bytes_do_not_extend_the_connection_limit(tmp_path: Path, *, tls: bool) -> None:
    with _dripping(tmp_path, tls=tls) as login:
        started = time.monotonic()
        with pytest.raises(CONNECTION_ERRORS), open_folder(login, seconds=0.5):
            pass
        assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("said", "times"),
    [
        ("* 1 FETCH (UID 1 BODY[]<0> {99999999999}\r\n", 1),
        ("* 1 FETCH (UID 1 BODY[]<0> {" + "9" * 5000 + "}\r\n", 1),
        ("* " + "x" * 2_000_000 + "\r\n", 1),
        ("* OK [X] " + "y" * 900_000 + "\r\n", 80),
    ],
    ids=["a length beyond reason", "a length of 5000 digits", "a line without end", "lines without end"],
)
def test_oversized_server_response_is_an_error_and_is_not_stored(tmp_path: Path, said: str, times: int) -> None:
    def answer(command: str, arguments: str) -> str | None:
        return said * times if command == "UID" else _plain_server(command, arguments)

    with _scripted(tmp_path, answer) as (login, _):
        tracemalloc.start()
        try:
            with pytest.raises(CONNECTION_ERRORS), open_folder(login) as folder:
                folder.message(1)
            assert tracemalloc.get_traced_memory()[1] < 400 * 2**20
        finally:
            tracemalloc.stop()
