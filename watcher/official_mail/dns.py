"""The DNS, for the public keys of DKIM."""

from typing import Final

import dns.exception
import dns.name
import dns.resolver

from watcher.official_mail.proof import DnsUnavailable

_SECONDS: Final = 10.0


def text_record(name: str) -> bytes | None:
    """Return the TXT record of a name with a key, None if there is none. Raises `DnsUnavailable`."""
    try:
        domain = dns.name.from_text(name)
    except dns.exception.DNSException:  # a forged signature can name anything
        return None
    try:
        answer = dns.resolver.resolve(domain, "TXT", lifetime=_SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return None
    except dns.exception.DNSException as error:
        raise DnsUnavailable(type(error).__name__) from None
    records = [b"".join(record.strings) for record in answer]
    return next((record for record in records if b"p=" in record), None)
