"""Prove that a mail comes from a sender that the user has confirmed. Pure, except for the lookup that is passed in.

Two things prove it: a valid DKIM signature (RFC 6376) of the sender's domain, or the topmost `Authentication-Results`
(RFC 8601) of the user's own mail server, if the user has named that server. Everything else in a mail can be forged.
"""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from email.message import Message
from enum import StrEnum
from typing import Final, TypeAlias

import dkim  # type: ignore[import-untyped]
from dkim.util import InvalidTagValueList, parse_tag_value  # type: ignore[import-untyped]

Lookup: TypeAlias = Callable[[str], bytes | None]
"""Returns the TXT record of a name, None if there is none. Raises `DnsUnavailable`."""

_MAX_SIGNATURES: Final = 8
_ALGORITHMS: Final = frozenset({b"rsa-sha256", b"ed25519-sha256"})
_SIGNED_HEADERS: Final = frozenset({b"from", b"subject", b"date"})
_SINGLE_HEADERS: Final = ("From", "Subject", "Date")
_RESULT: Final = re.compile(r"\s*(dkim|dmarc)\s*(?:/\s*[0-9]+\s*)?=\s*pass\b(.*)", re.DOTALL | re.IGNORECASE)
_PROPERTY: Final = re.compile(r"(?<!\S)header\s*\.\s*(d|i|from)\s*=\s*([^\s;\"]+)", re.IGNORECASE)
_silent = logging.getLogger(f"{__name__}.silent")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False  # dkimpy logs what is in the mail


class DnsUnavailable(Exception):
    """A name could not be looked up; it may work later."""


class Proof(StrEnum):
    """Whether a mail is proven to come from its sender. `unsure`: a key could not be looked up now."""

    PROVEN = "proven"
    UNPROVEN = "unproven"
    UNSURE = "unsure"


def is_covered(sender: str, domain: str) -> bool:
    """Return whether a confirmed sender stands for a domain. An address stands for the domain that it is at."""
    confirmed = sender.rpartition("@")[2]
    name = domain.lower().rstrip(".")
    return name == confirmed or name.endswith(f".{confirmed}")


def prove(raw: bytes, headers: Message, *, sender: str, authserv_id: str, lookup: Lookup) -> Proof:
    """Return whether the mail, whose `From` is covered by the confirmed `sender`, is proven to come from there."""
    if any(len(headers.get_all(name) or ()) > 1 for name in _SINGLE_HEADERS):
        return Proof.UNPROVEN  # it is not defined which of them is shown
    if authserv_id and _server_confirms(headers.get_all("Authentication-Results") or (), authserv_id, sender):
        return Proof.PROVEN
    return _signature(raw, sender, lookup)


def _signature(raw: bytes, sender: str, lookup: Lookup) -> Proof:
    """Verify the signatures of the sender's domain. The keys of other domains are not looked up."""
    proof = Proof.UNPROVEN
    for index in _own_signatures(raw, sender):
        try:
            # A new object for each: verifying changes it.
            if dkim.DKIM(raw, logger=_silent).verify(index, dnsfunc=_with_timeout(lookup)):
                return Proof.PROVEN
        except dkim.DKIMException:
            continue
        except DnsUnavailable:
            proof = Proof.UNSURE
    return proof


def _own_signatures(raw: bytes, sender: str) -> Iterator[int]:
    """Yield the positions of signatures of the sender's domain that cover the body and the headers that count."""
    try:
        headers = dkim.DKIM(raw, logger=_silent).headers
    except dkim.DKIMException:
        return
    signatures = [value for name, value in headers if name.lower() == b"dkim-signature"]
    for index, value in enumerate(signatures[:_MAX_SIGNATURES]):
        try:
            fields = parse_tag_value(value)
        except InvalidTagValueList:
            continue
        if _is_usable(fields) and is_covered(sender, fields.get(b"d", b"").decode("ascii", "replace")):
            yield index


def _is_usable(fields: Mapping[bytes, bytes]) -> bool:
    """Return whether nothing can be appended to what is signed, and the algorithm is not broken."""
    signed = {name.strip().lower() for name in fields.get(b"h", b"").split(b":")}
    return fields.get(b"a") in _ALGORITHMS and b"l" not in fields and signed >= _SIGNED_HEADERS


def _with_timeout(lookup: Lookup) -> Callable[..., bytes | None]:
    """Return the lookup in the form that dkimpy calls."""
    return lambda name, timeout=0: lookup(name.decode("ascii", "replace").rstrip("."))  # noqa: ARG005 - its own


def _server_confirms(values: Sequence[object], authserv_id: str, sender: str) -> bool:
    """Return whether the newest results are those of the user's server, and say that the sender's domain passed."""
    text = _plain(str(values[0])) if values else None
    if text is None:
        return False
    server, *results = text.split(";")
    if (server.split() or [""])[0].lower() != authserv_id:
        return False
    for result in results:
        match = _RESULT.fullmatch(result)
        if match is None:
            continue
        wanted = {"dmarc": {"from"}, "dkim": {"d", "i"}}[match[1].lower()]
        named = [value.rpartition("@")[2] for key, value in _PROPERTY.findall(match[2]) if key.lower() in wanted]
        if named and all(is_covered(sender, domain) for domain in named):
            return True
    return False


def _plain(text: str) -> str | None:
    """Return a header's value without comments and quoted strings, which may contain anything; None if one is open."""
    kept, depth, is_quoted = list[str](), 0, False
    characters = iter(text)
    for character in characters:
        if character == "\\" and (depth or is_quoted):
            next(characters, None)
        elif character == '"' and not depth:
            is_quoted = not is_quoted
        elif character in "()" and not is_quoted:
            depth += 1 if character == "(" else -1
        elif not depth and not is_quoted:
            kept.append(character)
        if depth < 0:
            return None
    return None if depth or is_quoted else "".join(kept)
