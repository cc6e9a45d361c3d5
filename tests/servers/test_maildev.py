"""Mail through maildev (https://github.com/maildev/maildev): real SMTP over TLS, with a sign-in."""

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
from pydantic import SecretStr

from tests.servers.running import free_port, program, running
from watcher.delivery.apprise_notifier import AppriseNotifier
from watcher.errors import DeliveryFailed

pytestmark = pytest.mark.servers


@dataclass(frozen=True)
class Maildev:
    smtp: int
    web: int
    authority: Path

    def url(self, password: str = "letmein") -> str:
        return (
            f"mailtos://reader:{password}@localhost:{self.smtp}/you@example.org"
            "?from=watcher@example.org&mode=ssl&smtp=localhost"
        )

    def mails(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.web}/api/email", timeout=10) as answer:
            found: Any = json.load(answer)
        return list(found if isinstance(found, list) else found["data"])


@pytest.fixture(scope="module")
def maildev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Maildev]:
    command = program("maildev", under=Path("node/node_modules/.bin"))
    folder = tmp_path_factory.mktemp("maildev")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    server = Maildev(smtp=free_port(), web=free_port(), authority=folder / "authority.pem")
    options: dict[str, object] = {
        "smtp": server.smtp,
        "ip": "127.0.0.1",
        "web": server.web,
        "web-ip": "127.0.0.1",
        "mail-directory": folder / "mails",
        "incoming-user": "reader",
        "incoming-pass": "letmein",
        "incoming-cert": folder / "cert.pem",
        "incoming-key": folder / "key.pem",
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    with running([command, *arguments, "--incoming-secure"], port=server.web, folder=folder):
        yield server


def send(url: str, attachments: tuple[Path, ...] = ()) -> None:
    AppriseNotifier().send(
        SecretStr(url),
        title="I-485: evidence asked for",
        body="Plain words",
        html="<p>Words in <b>bold</b></p>",
        short="short",
        attachments=attachments,
    )


def test_mail_arrives_with_html_and_attachment(
    maildev: Maildev, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(maildev.authority))
    notice = tmp_path / "notice.pdf"
    notice.write_bytes(b"%PDF-1.4 made up")
    send(maildev.url(), (notice,))
    mail = maildev.mails()[-1]
    assert mail["subject"] == "I-485: evidence asked for"
    assert "<b>bold</b>" in mail["html"]
    assert [found["filename"] for found in mail["attachments"]] == ["notice.pdf"]


def test_wrong_password_is_a_failure_and_nothing_arrives(maildev: Maildev, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(maildev.authority))
    before = len(maildev.mails())
    with pytest.raises(DeliveryFailed) as failed:
        send(maildev.url("canary-password"))
    assert "canary-password" not in str(failed.value)
    assert len(maildev.mails()) == before


def test_untrusted_certificate_is_a_failure_and_nothing_arrives(maildev: Maildev) -> None:
    before = len(maildev.mails())
    with pytest.raises(DeliveryFailed):
        send(maildev.url())
    assert len(maildev.mails()) == before
