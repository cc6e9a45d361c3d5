"""Debian's dovecot as an ordinary process on loopback: a real IMAP server with TLS and a maildir to drop mail into."""

import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import trustme

USERNAME, PASSWORD = "someone@example.org", 'p "ass" w\\ord'
FOREIGN_USERNAME, FOREIGN_PASSWORD = "somebody@example.org", 'p "äss" w\\örd'

_CONFIGURATION = """
base_dir = {run}
state_dir = {run}
log_path = {home}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{home}/server.pem
ssl_key = <{home}/server.key
disable_plaintext_auth = yes
auth_mechanisms = plain
auth_failure_delay = 0
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
mail_location = maildir:{home}/mail
{more}
mail_uid = {mail_uid}
mail_gid = {mail_gid}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {home}/users
}}
userdb {{
  driver = static
  args = uid={mail_uid} gid={mail_gid} home={home}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {plain_port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


def executable() -> str:
    """Where dovecot is; skips the test out loud where it is not."""
    found = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        pytest.skip("dovecot is not installed (apt-get install dovecot-imapd)")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """A running server and its one mailbox."""

    home: Path
    tls_port: int
    plain_port: int
    ca_file: Path

    def folder(self, name: str) -> Path:
        """The maildir of a folder, made where it is missing; the inbox is ""."""
        maildir = self.home / "mail" / (f".{name}" if name else "")
        for kind in ("tmp", "new", "cur"):
            (maildir / kind).mkdir(parents=True, exist_ok=True)
        _give_away(maildir, *maildir.iterdir())
        return maildir

    def deliver(self, message: bytes, *, arrived: datetime, folder: str = "") -> None:
        """Drops a message as a delivery agent would; `arrived` becomes its INTERNALDATE."""
        maildir = self.folder(folder)
        number = sum(1 for _ in maildir.rglob("*.loopback*"))
        waiting, delivered = (maildir / kind / f"{1_700_000_000 + number}.{number}.loopback" for kind in ("tmp", "new"))
        waiting.write_bytes(message)
        os.utime(waiting, (arrived.timestamp(), arrived.timestamp()))
        _give_away(waiting)
        waiting.rename(delivered)

    def flags(self, folder: str) -> list[str]:
        """The flags of every message of a folder, as the maildir keeps them; "S" is seen, "T" is deleted."""
        files = [file.name for file in self.folder(folder).rglob("*.loopback*")]
        return sorted(name.partition(":2,")[2] for name in files)

    def log(self) -> str:
        """What the server wrote."""
        return (self.home / "dovecot.log").read_text(errors="replace")


def _give_away(*paths: Path) -> None:
    """To the user that reads mail; dovecot refuses to do that as root."""
    if os.geteuid() == 0:
        for path in paths:
            shutil.chown(path, *_nobody())


def _nobody() -> tuple[int, int]:
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


@contextmanager
def running(*, more: str = "") -> Iterator[Mailbox]:
    """Serves until the context is left, out of a folder of its own with a short name: socket paths have a limit.

    `more` is added to its configuration.
    """
    program = executable()
    with TemporaryDirectory(prefix="dovecot-") as folder:
        home = Path(folder)
        home.chmod(0o711)  # the process that reads mail is another user's where the tests run as root
        mailbox = Mailbox(home=home, tls_port=_free_port(), plain_port=_free_port(), ca_file=home / "ca.pem")
        _prepare(mailbox, more)
        process = subprocess.Popen([program, "-F", "-c", str(home / "dovecot.conf")])
        try:
            _wait_for(mailbox, process)
            yield mailbox
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)


def _prepare(mailbox: Mailbox, more: str) -> None:
    home, authority = mailbox.home, trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(mailbox.ca_file)
    certificate.cert_chain_pems[0].write_to_path(home / "server.pem")
    certificate.private_key_pem.write_to_path(home / "server.key")
    users = ((USERNAME, PASSWORD), (FOREIGN_USERNAME, FOREIGN_PASSWORD))
    (home / "users").write_text("".join(f"{name}:{{PLAIN}}{password}::::::\n" for name, password in users))
    mailbox.folder("")
    root = os.geteuid() == 0
    mine = pwd.getpwuid(os.geteuid())
    uid, gid = _nobody() if root else (mine.pw_uid, mine.pw_gid)
    user = "dovecot" if root else mine.pw_name
    configuration = _CONFIGURATION.format(
        home=home,
        more=more,
        run=home / "run",
        user=user,
        group=user if root else grp.getgrgid(mine.pw_gid).gr_name,
        mail_uid=uid,
        mail_gid=gid,
        plain_port=mailbox.plain_port,
        tls_port=mailbox.tls_port,
    )
    (home / "dovecot.conf").write_text(configuration)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def _wait_for(mailbox: Mailbox, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", mailbox.tls_port), 1):
                return
        except OSError:
            time.sleep(0.02)
    log = mailbox.log() if (mailbox.home / "dovecot.log").exists() else "it wrote no log"
    pytest.fail(f"dovecot did not start: {log[-2000:]}")
