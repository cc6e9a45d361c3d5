"""A push service on loopback, with HTTPS, and browsers that are subscribed at it.

It does what a real one does (RFC 8030, 8291, 8292): it knows subscriptions, checks who sends (VAPID), and hands what
was pushed to the browser, which decrypts it.
"""

import json
import ssl
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_bytes, token_urlsafe
from time import time
from typing import Any

import http_ece
import trustme
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.doubles.loopback import ReceivedRequest, reply, serve

MAX_BYTES = 4096
_DAY = 24 * 3600


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a browser received. `headers` are those of the request, in lower case."""

    alert: dict[str, Any]
    headers: dict[str, str]
    sender: str
    bytes: int


@dataclass(slots=True, kw_only=True)
class PushBrowser:
    """A browser with a subscription. It accepts only what is signed with `server_key`, unless that is empty."""

    endpoint: str
    server_key: str
    key: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))
    auth: bytes = field(default_factory=lambda: token_bytes(16))
    received: list[Pushed] = field(default_factory=list)

    @property
    def subscription(self) -> dict[str, Any]:
        """What `PushSubscription.toJSON` gives a page."""
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        keys = {"p256dh": _encoded(point), "auth": _encoded(self.auth)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}


@dataclass(slots=True, kw_only=True)
class PushService:
    """A running service. It answers with `status` if that is not 0."""

    origin: str
    ca_file: Path
    browsers: dict[str, PushBrowser] = field(default_factory=dict)
    status: int = 0
    refused: list[str] = field(default_factory=list)

    def subscribe(self, server_key: str = "") -> PushBrowser:
        """Subscribe a new browser. `server_key` is what a page gives as `applicationServerKey`."""
        path = f"/wpush/v2/{token_urlsafe(24)}"
        browser = PushBrowser(endpoint=f"{self.origin}{path}", server_key=server_key)
        self.browsers[path] = browser
        return browser

    def end(self, browser: PushBrowser) -> None:
        """Forget a subscription, as when its user withdraws the permission."""
        del self.browsers[browser.endpoint.removeprefix(self.origin)]

    def answer(self, request: ReceivedRequest) -> bytes:
        """Take what is pushed, or say why not."""
        if self.status:
            return reply(self.status)
        browser = self.browsers.get(request.target)
        if browser is None:
            return reply(410)
        try:
            pushed = self._checked(request, browser)
        except (ValueError, KeyError) as error:
            self.refused.append(str(error))
            return reply(400)
        browser.received.append(pushed)
        return reply(201)

    def _checked(self, request: ReceivedRequest, browser: PushBrowser) -> Pushed:
        headers = request.headers
        _require(request.method == "POST", "method")
        _require(headers["content-encoding"] == "aes128gcm", "content-encoding")
        _require(len(request.body) <= MAX_BYTES, "too large")
        _require(int(headers["ttl"]) >= 0, "ttl")
        signer, claims = _signed_by(headers["authorization"])
        _require(browser.server_key in {"", signer}, "another server's key")
        _require(claims["aud"] == self.origin, "aud")
        _require(time() < claims["exp"] <= time() + _DAY, "exp")
        _require(claims["sub"].startswith(("mailto:", "https://")), "sub")
        content = http_ece.decrypt(request.body, private_key=browser.key, auth_secret=browser.auth, version="aes128gcm")
        return Pushed(json.loads(content), dict(headers), claims["sub"], len(request.body))


@contextmanager
def push_service(folder: Path) -> Iterator[PushService]:
    """Run a push service until the context is left. Its certificate is signed by the authority in `ca_file`."""
    authority = trustme.CA()
    ca_file = folder / "push-ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    service = PushService(origin="", ca_file=ca_file)
    with serve(service.answer, tls) as server:
        service.origin = server.origin
        yield service


def _signed_by(authorization: str) -> tuple[str, dict[str, Any]]:
    """Return the key that signed a VAPID header, and the claims. Raises `InvalidSignature`."""
    scheme, _, rest = authorization.partition(" ")
    _require(scheme == "vapid", "scheme")
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    signed, _, signature = parts["t"].rpartition(".")
    header, _, claims = signed.partition(".")
    _require(json.loads(_decoded(header))["alg"] == "ES256", "alg")
    raw = _decoded(signature)
    _require(len(raw) == 64, "signature")
    halves = (int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    public = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), _decoded(parts["k"]))
    public.verify(encode_dss_signature(*halves), signed.encode(), ECDSA(SHA256()))
    found: dict[str, Any] = json.loads(_decoded(claims))
    return parts["k"].rstrip("="), found


def _require(condition: bool, what: str) -> None:  # noqa: FBT001
    if not condition:
        raise ValueError(what)


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
