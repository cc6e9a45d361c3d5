"""What the doctor says about the page."""

from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.doubles.loopback import reply, serve
from tests.portals.context import FakeClock
from watcher.app import open_app
from watcher.doctor import Verdict
from watcher.doctor.page import check_address, check_devices, check_page
from watcher.model.web import KeyKind
from watcher.settings import Settings, WebSettings

LOCAL = "127.0.0.1:8788"


def settings_of(folder: Path, **web: Any) -> Settings:
    return Settings(state_dir=folder, web=WebSettings(**web))


def said(folder: Path, **web: Any) -> list[tuple[Verdict, str]]:
    return [(finding.verdict, finding.text) for finding in check_page(settings_of(folder, **web))]


def test_nothing_is_said_of_a_page_that_is_off(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    assert [*check_page(settings), *check_address(settings, FakeClock())] == []


def test_address_of_the_page_is_named(tmp_path: Path) -> None:
    assert said(tmp_path, listen=LOCAL) == [(Verdict.OK, f"it is at http://{LOCAL}")]


def test_page_without_encryption_is_pointed_out(tmp_path: Path) -> None:
    _ok, (verdict, text) = said(tmp_path, listen="192.168.1.5:8788", insecure_lan=True)
    assert verdict is Verdict.WARNING
    assert text.startswith("insecure_lan is set")


def test_proxy_that_is_not_trusted_is_pointed_out(tmp_path: Path) -> None:
    _ok, (verdict, text) = said(tmp_path, listen=LOCAL, url="https://w.example.org")
    assert verdict is Verdict.WARNING
    assert text.startswith("trusted_proxies is empty")
    assert len(said(tmp_path, listen=LOCAL, url="https://w.example.org", trusted_proxies=("127.0.0.1",))) == 1


def test_certificate_without_its_key_is_a_failure(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate, key, other = tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "other.pem"
    own = authority.issue_cert("w.example.org")
    own.cert_chain_pems[0].write_to_path(certificate)
    own.private_key_pem.write_to_path(key)
    authority.issue_cert("w.example.org").private_key_pem.write_to_path(other)
    assert len(said(tmp_path, listen="0.0.0.0:443", tls_cert=certificate, tls_key=key)) == 1
    _ok, (verdict, text) = said(tmp_path, listen="0.0.0.0:443", tls_cert=certificate, tls_key=other)
    assert verdict is Verdict.FAILED
    assert str(other) in text


def test_answer_at_the_address_is_checked(tmp_path: Path) -> None:
    with serve(lambda _request: [reply()]) as server:
        settings = settings_of(tmp_path, listen=server.origin.removeprefix("http://"))
        (finding,) = check_address(settings, FakeClock())
        assert (finding.verdict, finding.text) == (Verdict.OK, f"{server.origin} answers")
    (finding,) = check_address(settings, FakeClock())
    assert finding.verdict is Verdict.WARNING
    assert "watcher run" in (finding.remedy or "")


def test_devices_are_counted(tmp_path: Path) -> None:
    clock = FakeClock()
    with open_app(settings_of(tmp_path, listen=LOCAL), clock=clock) as app:
        (finding,) = check_devices(app)
        assert finding.verdict is Verdict.WARNING
        assert "watcher web link" in (finding.remedy or "")
        app.store.web.add(KeyKind.DEVICE, "made-up-token", now=clock.now())
        (finding,) = check_devices(app)
        assert (finding.verdict, finding.text) == (Verdict.OK, "1 device is signed in, 0 passkeys")


@pytest.mark.parametrize("listen", ["127.0.0.1:8788", ""])
def test_address_without_encryption_is_not_asked_over_the_network(tmp_path: Path, listen: str) -> None:
    settings = settings_of(tmp_path, listen=listen, url="http://192.168.1.5:8788", insecure_lan=True)
    assert list(check_address(settings, FakeClock())) == []
