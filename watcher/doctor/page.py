"""Checks of the page: who can reach it, whether connections are encrypted, and who is signed in."""

import ssl
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from watcher.app import App
from watcher.clock import Clock
from watcher.doctor.finding import Finding, failed, ok, warning
from watcher.errors import os_error_text
from watcher.http.reachability import Unreachable, probe_host
from watcher.messages import _, plural
from watcher.model.web import KeyKind
from watcher.settings import Settings, WebSettings
from watcher.settings.page_url import page_url
from watcher.text.loopback import is_loopback

_MIN_CERTIFICATE_LIFE = timedelta(days=10)


def _about() -> str:
    return _("page")


def check_page(settings: Settings) -> Iterator[Finding]:
    """Report how the page is protected. Without [web] there is nothing to report."""
    web, about = settings.web, _about()
    if not web.listen:
        return
    yield ok(about, _("it is at {url}", url=page_url(web)))
    if web.insecure_lan and not (web.is_local or web.serves_tls):
        text = _("insecure_lan is set: everybody in your network can read what the page shows, and its sign-ins")
        yield warning(about, text, _("set tls_cert and tls_key, or url to the https address of a proxy"))
    if web.url.startswith("https:") and not web.serves_tls and not web.trusted_proxies:
        text = _("trusted_proxies is empty, so the wrong links of other people slow down yours too")
        yield warning(about, text, _("list the address of the proxy that speaks HTTPS for the page"))
    yield from _check_certificate(web)


def check_devices(app: App) -> Iterator[Finding]:
    """Report who is signed in to the page."""
    if not app.settings.web.listen:
        return
    now = app.clock.now()
    devices = sum(key.is_valid(now) for key in app.store.web.keys(KeyKind.DEVICE))
    passkeys = len(app.store.web.passkeys())
    if devices or passkeys:
        text = _(
            "{devices}, {passkeys}",
            devices=plural("{n} device is signed in", "{n} devices are signed in", devices),
            passkeys=plural("{n} passkey", "{n} passkeys", passkeys),
        )
        yield ok(_about(), text)
    else:
        yield warning(_about(), _("no device is signed in"), _("run `watcher web link`, and open its link"))


def check_address(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """Report whether the page answers at its address, and whether its certificate is trusted."""
    web, url = settings.web, page_url(settings.web)
    if not url:
        return
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    if parts.scheme == "http" and not is_loopback(url):
        return  # no check of ours connects without encryption
    try:
        probe = probe_host(origin, ca_file=web.tls_cert)
    except Unreachable as error:
        text = _("{origin} does not answer this machine: {reason}", origin=origin, reason=error)
        yield warning(_about(), text, _("start `watcher run`; behind a proxy, check the proxy and its certificate"))
        return
    expires_at = probe.certificate_expires_at
    if expires_at is not None and expires_at - clock.now() < _MIN_CERTIFICATE_LIFE:
        text = _("the certificate of {origin} expires on {day}", origin=origin, day=expires_at.date())
        yield warning(_about(), text, _("renew it"))
    else:
        yield ok(_about(), _("{origin} answers", origin=origin))


def _check_certificate(web: WebSettings) -> Iterator[Finding]:
    """Report on the files tls_cert and tls_key."""
    if web.tls_cert is None or web.tls_key is None:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(web.tls_cert, web.tls_key)
    except (OSError, ssl.SSLError) as error:
        reason = os_error_text(error)
        text = _(
            "{certificate} cannot be used with {key}: {reason}",
            certificate=web.tls_cert,
            key=web.tls_key,
            reason=reason,
        )
        yield failed(_about(), text, _("use a certificate and its key in PEM format that you may read"))
