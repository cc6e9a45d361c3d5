"""Checks of each portal's hosts, reached as in a check of cases, but without cookies or credentials."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from watcher import portals
from watcher.clock import Clock
from watcher.doctor.finding import Finding, failed, ok, warning
from watcher.http.reachability import HostProbe, Unreachable, probe_host
from watcher.messages import _, plural
from watcher.settings import AccountSettings, Settings

_MIN_CERTIFICATE_LIFE = timedelta(days=10)
_TOTP_STEP = timedelta(seconds=30)
_MAX_CLOCK_ERROR = timedelta(minutes=5)


def check_portals(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """Report on every host that checks of the accounts connect to, each once. Skip handed-over accounts."""
    checked: set[str] = set()
    for name, account in settings.accounts.items():
        if account.is_handed_over:
            continue
        for origin in portals.find(account.portal).origins(account):
            if origin not in checked:
                checked.add(origin)
                yield from _check_host(origin, name, account, clock)


def _check_host(origin: str, name: str, account: AccountSettings, clock: Clock) -> Iterator[Finding]:
    host = urlsplit(origin).netloc
    try:
        before = clock.now()
        probe = probe_host(origin, ca_file=account.ca_file)
        after = clock.now()
    except Unreachable as error:
        remedy = _("check this machine's network, DNS, and proxy; for a certificate problem, see ca_file")
        text = _("account {name} cannot reach it: {reason}", name=name, reason=error)
        yield failed(_about_host(host), text, remedy)
        return
    yield _certificate(host, probe, after)
    if probe.server_time is not None:
        yield _clock(host, probe.server_time, before, after)


def _about_host(host: str) -> str:
    return _("portal {host}", host=host)


def _certificate(host: str, probe: HostProbe, now: datetime) -> Finding:
    about = _about_host(host)
    if probe.certificate_expires_at is None:
        return ok(about, _("answers on this machine, without TLS"))
    day = probe.certificate_expires_at.date()
    if probe.certificate_expires_at - now < _MIN_CERTIFICATE_LIFE:
        remedy = _("nothing to do yet: the website should renew it; otherwise checks will fail")
        return warning(about, _("its certificate expires on {day}", day=day), remedy)
    return ok(about, _("answers; its certificate is trusted and valid until {day}", day=day))


def _clock(host: str, server_time: datetime, before: datetime, after: datetime) -> Finding:
    """Compare the clocks. The host's time is in whole seconds, at some moment between request and response."""
    if server_time > after:
        difference = server_time - after
    elif server_time + timedelta(seconds=1) < before:
        difference = before - server_time - timedelta(seconds=1)
    else:
        difference = timedelta()
    seconds = round(difference.total_seconds())
    about = _("clock")
    text = plural("{n} second off the clock of {host}", "{n} seconds off the clock of {host}", seconds, host=host)
    if difference > _MAX_CLOCK_ERROR:
        remedy = _("set this machine's clock (timedatectl set-ntp true): TLS and dates need the right time")
        return failed(about, text, remedy)
    if difference > _TOTP_STEP:
        remedy = _("set this machine's clock (timedatectl set-ntp true): one-time codes need the right time")
        return warning(about, text, remedy)
    return ok(about, text)
