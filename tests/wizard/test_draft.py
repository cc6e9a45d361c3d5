"""The answers of `watcher init` between two runs."""

import os
import signal
import time
from pathlib import Path

import pytest

from watcher.cli.terminal.termination import tidying_up_when_ended
from watcher.privacy.private_file import temporary_private_file
from watcher.wizard import ConfigDraft


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_signal_while_an_answer_is_saved_leaves_no_temporary_file(tmp_path: Path, number: signal.Signals) -> None:
    before = signal.signal(number, signal.SIG_DFL)  # it is ignored under `nohup`
    with (
        pytest.raises(SystemExit) as ended,
        tidying_up_when_ended(),
        temporary_private_file(tmp_path / "accounts__family__password"),
    ):
        os.kill(os.getpid(), number)
    signal.signal(number, before)
    assert ended.value.code == 128 + number
    assert list(tmp_path.iterdir()) == []


def test_temporary_files_of_a_killed_run_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    old = [tmp_path / ".watcher.toml.unfinished.0123.tmp", folder / ".accounts__family__password.0123.tmp"]
    young = folder / ".channels__phone__url.4567.tmp"
    for file in (*old, young):
        file.write_text("made-up-secret")
    hour_ago = time.time() - 3600
    for file in old:
        os.utime(file, (hour_ago, hour_ago))
    ConfigDraft(tmp_path / "watcher.toml", environ={})
    assert not any(file.exists() for file in old)
    assert young.exists()  # another run may be writing it
