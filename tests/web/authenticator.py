"""A passkey provider in software, as a browser and a phone are together: it makes passkeys and signs with them."""

import hashlib
import html
import json
import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from secrets import token_bytes
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

_OPTIONS = re.compile(r'data-options="([^"]*)"')
_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


def options_in(page: str) -> Any:
    """Return what a page asks the browser for."""
    found = _OPTIONS.search(page)
    assert found is not None
    return json.loads(html.unescape(found[1]))


@dataclass(slots=True)
class Authenticator:
    """One passkey. `flags` are what it says of its user."""

    origin: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = field(default_factory=lambda: token_bytes(16))
    count: int = 0
    flags: int = _PRESENT | _VERIFIED

    def create(self, options: Any) -> dict[str, Any]:
        """Answer the options of `navigator.credentials.create`."""
        numbers = self.key.public_key().public_numbers()
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
        attested = bytes(16) + struct.pack(">H", len(self.id)) + self.id + public
        data = self._data(options["rp"]["id"], _ATTESTED) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options)
        return self._answer(clientDataJSON=client, attestationObject=attestation)

    def get(self, options: Any) -> dict[str, Any]:
        """Answer the options of `navigator.credentials.get`."""
        self.count += 1
        data, client = self._data(options["rpId"], 0), self._client("webauthn.get", options)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(clientDataJSON=client, authenticatorData=data, signature=signature)

    def _data(self, party: str, flags: int) -> bytes:
        return hashlib.sha256(party.encode()).digest() + struct.pack(">BI", self.flags | flags, self.count)

    def _client(self, kind: str, options: Any) -> bytes:
        return json.dumps({"type": kind, "challenge": options["challenge"], "origin": self.origin}).encode()

    def _answer(self, **response: bytes) -> dict[str, Any]:
        encoded = _encoded(self.id)
        parts = {name: _encoded(value) for name, value in response.items()}
        return {"id": encoded, "rawId": encoded, "type": "public-key", "response": parts, "clientExtensionResults": {}}


def _encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
