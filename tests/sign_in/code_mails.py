"""Mails as a portal sends them, and mails that lie about it."""

from datetime import datetime
from email.utils import format_datetime

SENDER = "MyAccount@uscis.dhs.gov"
SUBJECT = "Secure two-step verification notification"

PAGE = """<!DOCTYPE html><html><head><title>424242</title><style>p { color: #333333; background: 777777 }</style></head>
<body bgcolor=3D"#0078AE" data-id=3D"999999"><table width=3D"600000"><tr><td style=3D"color:#333333">
<p>Please enter this secure verification code:</p>
<p style=3D"font-weight:bold"><strong>{code}</strong></p>
<!-- 121212 --><p>It expires in 10 minutes. Call 800-375-5283. <a href=3D"https://example.gov/654321?c=3D111111">Help</a></p>
</td></tr></table></body></html>
"""


def letter(
    code: str,
    *,
    dated: datetime | str | None,
    sender: str = f"USCIS <{SENDER}>",
    page: str = PAGE,
    kind: str = "text/html",
    more: str = "",
) -> bytes:
    """A quoted-printable message; `dated` None leaves the header out."""
    lines = [f"From: {sender}", "To: someone@example.org", f"Subject: {SUBJECT}"]
    if dated is not None:
        lines.append(f"Date: {format_datetime(dated) if isinstance(dated, datetime) else dated}")
    lines += [
        "MIME-Version: 1.0",
        f"Content-Type: {kind}; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
    ]
    return ("\r\n".join(lines) + "\r\n" + more + "\r\n" + page.replace("{code}", code)).encode()
