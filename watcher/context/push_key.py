"""The key that signs what is pushed to devices (VAPID, RFC 8292). A browser accepts alerts from its owner only."""

from base64 import urlsafe_b64encode
from pathlib import Path

from watcher.privacy.private_file import create_private_folder, write_private_file


def public_push_key(file: Path) -> str:
    """Return the public key as browsers take it. Creates the key if there is none. Raises OSError, ValueError.

    Call it while no other process does.
    """
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - only when a device subscribes
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - only when a device subscribes

    if not file.exists():
        create_private_folder(file.parent)
        pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write_private_file(file, pem)
    key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    point = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return urlsafe_b64encode(point).rstrip(b"=").decode()
