"""Secrets in the system's keyring: the Secret Service of a Linux desktop, macOS Keychain, Windows Credential Locker.

The only door to the library `keyring` (the extra `case-watcher[keyring]`). A secret stands there under the service
`case-watcher` and the name that its file would have: `keyring set case-watcher accounts__family__password`.
"""

from watcher.errors import SettingsFaults

SERVICE = "case-watcher"


def in_keyring(name: str) -> str | None:
    """The secret of this name; None where the keyring holds none. May wait for a person to unlock the keyring.

    Raises `SettingsFaults` where there is no keyring to ask.
    """
    try:
        import keyring  # noqa: PLC0415 - an extra, imported only where the configuration asks for it
        from keyring.errors import KeyringError, NoKeyringError  # noqa: PLC0415
    except ImportError:
        raise SettingsFaults(
            ["keyring: install case-watcher[keyring], which brings the library for it, or remove this key"]
        ) from None
    try:
        return keyring.get_password(SERVICE, name)
    except NoKeyringError:
        raise SettingsFaults(
            ["keyring: this machine has no keyring for this user; keep secrets in secrets_dir and remove this key"]
        ) from None
    except KeyringError as error:
        raise SettingsFaults(
            [f"keyring: cannot be read ({type(error).__name__}); unlock it, then start again"]
        ) from None
