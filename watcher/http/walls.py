"""Answers of a firewall in front of a portal, which refuses programs, or this network or country. Pure.

Only signs that a portal's own pages do not have count, because such an answer ends the check and is not requested again
for a day. Nothing here tries to pass a firewall.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from watcher.messages import _, mark

_SEARCHED_BYTES: Final = 32 * 1024
_SEARCHED_IF_SUCCESSFUL: Final = 4 * 1024
_REFUSED: Final = frozenset({401, 403, 405, 406, 418, 429, 503})
_LEGAL_REASONS: Final = 451


class Refusal(Enum):
    """What a firewall refuses."""

    PROGRAMS = auto()
    COUNTRY = auto()
    CAPTCHA = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """A firewall that answered. `maker` is its maker, such as Cloudflare; "" if unknown."""

    maker: str
    refusal: Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sign:
    pattern: re.Pattern[str]
    wall: Wall


def _sign(pattern: str, maker: str, refusal: Refusal = Refusal.PROGRAMS) -> _Sign:
    return _Sign(pattern=re.compile(pattern, re.IGNORECASE), wall=Wall(maker=maker, refusal=refusal))


_HEADERS: Final = (
    ("cf-mitigated", _sign(r"challenge|block", "Cloudflare")),
    ("x-vercel-mitigated", _sign(r"challenge|deny", "Vercel")),
    ("x-amzn-waf-action", _sign(r"captcha", "AWS WAF", Refusal.CAPTCHA)),
    ("x-amzn-waf-action", _sign(r"challenge", "AWS WAF")),
)
"""Headers that only a firewall's own answer has, whatever its status."""

_WHATEVER_THE_STATUS: Final = (
    _sign(r"<title>\s*(?:just a moment|attention required! \| cloudflare)", "Cloudflare"),
    _sign(r"<title>[^<]{0,100}used cloudflare to restrict access", "Cloudflare"),
    _sign(r"<title>\s*pardon our interruption", "Imperva"),
    _sign(r"request unsuccessful\. incapsula incident id", "Imperva"),
    _sign(r"<title>\s*(?:verifying|checking) your browser", ""),
    _sign(r"the requested url was rejected\. please consult with your administrator", "F5"),
)
"""Words that such a page has even if its status claims success."""

_WHERE_REFUSED: Final = (
    _sign(r"error (?:code: ?)?1009\b", "Cloudflare", Refusal.COUNTRY),
    _sign(r"configured to block access from your country", "CloudFront", Refusal.COUNTRY),
    _sign(r"not available in your (?:country|region)|access from your country", "", Refusal.COUNTRY),
    _sign(r"cf-turnstile|class=.{0,40}\b[gh]-(?:re)?captcha", "", Refusal.CAPTCHA),
    _sign(r"captcha-delivery\.com", "DataDome", Refusal.CAPTCHA),
    _sign(r"px-captcha", "HUMAN", Refusal.CAPTCHA),
    _sign(r"\berror (?:code: ?)?10(?:0[5-8]|10|12|15|20)\b|/cdn-cgi/challenge-platform|cf-chl", "Cloudflare"),
    _sign(r"sorry, you have been blocked", "Cloudflare"),
    _sign(r"_incapsula_resource|incapsula incident", "Imperva"),
    _sign(r"<title>\s*access denied.{0,2000}(?:errors\.edgesuite\.net|reference\s?(?:#|&#32;&#35;))", "Akamai"),
    _sign(r"sucuri website firewall", "Sucuri"),
    _sign(r"request blocked\..{0,600}cloudfront", "CloudFront"),
)
"""Words that count if the status is a refusal."""


def wall_in(status: int, headers: Mapping[str, str], body: bytes) -> Wall | None:
    """Return the firewall that gave this answer, or None if the portal did. Names of `headers` in lower case."""
    for name, sign in _HEADERS:
        if sign.pattern.search(headers.get(name, "")):
            return sign.wall
    if status == _LEGAL_REASONS:
        return Wall(maker="", refusal=Refusal.COUNTRY)
    if "json" in headers.get("content-type", ""):
        return None
    refused = status in _REFUSED
    text = " ".join(body[: _SEARCHED_BYTES if refused else _SEARCHED_IF_SUCCESSFUL].decode("latin-1").split())
    signs = (*_WHATEVER_THE_STATUS, *_WHERE_REFUSED) if refused else _WHATEVER_THE_STATUS
    return next((sign.wall for sign in signs if sign.pattern.search(text)), None)


_TEXTS: Final = {
    Refusal.PROGRAMS: mark("{wall} at {host} does not let programs in, or not from this network (HTTP {status})"),
    Refusal.COUNTRY: mark("{wall} at {host} does not answer in the country of this machine (HTTP {status})"),
    Refusal.CAPTCHA: mark("{wall} at {host} asks for a captcha, which only a person may solve (HTTP {status})"),
}


def blocked_text(wall: Wall, host: str, status: int) -> str:
    """Return what happened, for an error."""
    maker = _("the firewall of {maker}", maker=wall.maker) if wall.maker else _("the firewall")
    return _(_TEXTS[wall.refusal], wall=maker, host=host, status=status)
