"""Each portal's hosts, reached as a read reaches them, but with no cookie and no credential."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from watcher import portals
from watcher.clock import Clock
from watcher.doctor.finding import Finding, failed, ok, warning
from watcher.http.reachability import HostProbe, Unreachable, probe_host
from watcher.settings import AccountSettings, Settings

_RENEWED_BY = timedelta(days=10)
_CODE_STEP = timedelta(seconds=30)
_FAR_OFF = timedelta(minutes=5)


def check_portals(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """Every host that the accounts' reads speak to, each once."""
    seen: set[str] = set()
    for name, account in settings.accounts.items():
        for origin in portals.find(account.portal).origins(account):
            if origin not in seen:
                seen.add(origin)
                yield from _look_at(origin, name, account, clock)


def _look_at(origin: str, name: str, account: AccountSettings, clock: Clock) -> Iterator[Finding]:
    host = urlsplit(origin).netloc
    try:
        before = clock.now()
        found = probe_host(origin, ca_file=account.ca_file)
        after = clock.now()
    except Unreachable as error:
        remedy = "check this machine's network, DNS and proxy; where a certificate is the matter, see ca_file"
        yield failed(f"portal {host}", f"cannot be reached for account {name}: {error}", remedy)
        return
    yield _certificate(host, found, after)
    if found.server_time is not None:
        yield _clock(host, found.server_time, before, after)


def _certificate(host: str, found: HostProbe, now: datetime) -> Finding:
    about = f"portal {host}"
    if found.certificate_expires_at is None:
        return ok(about, "answers, without TLS, on this machine")
    until = found.certificate_expires_at.date()
    if found.certificate_expires_at - now < _RENEWED_BY:
        return warning(
            about, f"its certificate ends on {until}", "nothing yet: the portal renews it; if it does not, reads fail"
        )
    return ok(about, f"answers; its certificate is trusted and good until {until}")


def _clock(host: str, server_time: datetime, before: datetime, after: datetime) -> Finding:
    """A host tells whole seconds, at some moment between the question and the answer."""
    if server_time > after:
        off = server_time - after
    elif server_time + timedelta(seconds=1) < before:
        off = before - server_time - timedelta(seconds=1)
    else:
        off = timedelta()
    seconds = round(off.total_seconds())
    told = f"{seconds} seconds off the clock of {host}"
    if off > _FAR_OFF:
        return failed("clock", told, "set this machine's clock (timedatectl set-ntp true): TLS and dates depend on it")
    if off > _CODE_STEP:
        return warning(
            "clock", told, "set this machine's clock (timedatectl set-ntp true): one-time codes depend on it"
        )
    return ok("clock", told)
