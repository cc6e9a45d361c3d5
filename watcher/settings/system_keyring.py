"""Secrets in the system's keyring: the Secret Service of a Linux desktop, macOS Keychain, Windows Credential Locker.

The only module that uses the library `keyring` (the extra `case-watcher[keyring]`). An entry has the service
`case-watcher` and the name that the secret's file would have: `keyring set case-watcher accounts__family__password`.
"""

from watcher.errors import SettingsFaults
from watcher.messages import _

SERVICE = "case-watcher"


class KeyringFaults(SettingsFaults):
    """The keyring that the configuration asks for cannot be used. Its texts begin with the key, not with the file."""


def keyring_secret(name: str) -> str | None:
    """Return the secret of this name, or None. May wait until the user unlocks the keyring.

    Raises `KeyringFaults` if there is no keyring or it cannot be read.
    """
    try:
        import keyring  # noqa: PLC0415 - an extra, loaded only if configured
        from keyring.errors import KeyringError, NoKeyringError  # noqa: PLC0415
    except ImportError:
        raise KeyringFaults([_("keyring: install case-watcher[keyring], or remove this key")]) from None
    try:
        return keyring.get_password(SERVICE, name)
    except NoKeyringError:
        raise KeyringFaults(
            [_("keyring: this machine has no keyring for this user; put secrets in secrets_dir and remove this key")]
        ) from None
    except KeyringError as error:
        raise KeyringFaults(
            [_("keyring: cannot be read ({error}); unlock it, then try again", error=type(error).__name__)]
        ) from None
