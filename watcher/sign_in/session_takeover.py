"""Take over the sessions that earlier versions saved as files in `state_dir`."""

import hashlib
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import SecretStr

from watcher.privacy.sealing import Seal, Unsealable
from watcher.sign_in.shared_value import SharedValue

_NAME = "watcher-session 1"


def take_over_session(folder: Path, account: str, keys: Sequence[SecretStr], session: SharedValue) -> None:
    """Save the content of the account's file as its session, unless it has one, and delete the account's files.

    A file that cannot be read stays. Raises `StoreUnusable`.
    """
    name = _file_name(account)
    with suppress(OSError, Unsealable):
        content = Seal(_NAME, keys).unseal((folder / f"{name}.session").read_bytes())
        session.update(lambda present: content if present is None else present)
        for file in folder.glob(f"{name}.*"):
            file.unlink()
        folder.rmdir()  # the last account's


def delete_session_files(folder: Path, account: str) -> bool:
    """Delete the account's files, also those that cannot be read. Return whether there were any. Raises OSError."""
    files = list(folder.glob(f"{_file_name(account)}.*"))
    for file in files:
        file.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()  # the last account's
    return bool(files)


def _file_name(account: str) -> str:
    if re.fullmatch(r"[a-z0-9_-]{1,40}", account):
        return account
    readable = re.sub(r"[^a-z0-9_-]+", "_", account.lower())[:40]
    return f"{readable}~{hashlib.sha256(account.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
