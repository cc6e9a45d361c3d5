"""The answers so far, kept on disk after each one; secrets in files of their own, for the owner alone."""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from watcher import portals
from watcher.errors import SettingsFaults
from watcher.privacy.private_file import write_private_file
from watcher.settings.config_files import read_document
from watcher.settings.key_names import KeyPath, env_name, secret_file_name, secrets_folder
from watcher.settings.load import load_configuration
from watcher.text.json import load_or_none
from watcher.wizard.toml_writer import as_toml

_BROKEN_OFF = "# Broken off in: "


class ConfigDraft:
    """A configuration while it is being asked for. The finished file is written only by `finish`.

    What is asked for lies in a file beside it until then, so that breaking off loses no answer and breaks nothing that
    works.
    """

    def __init__(self, file: Path, *, environ: Mapping[str, str]) -> None:
        """Begins with what a wizard that broke off left, else with the configuration that is there, else empty.

        Raises `SettingsFaults` where that is no TOML.
        """
        self.file, self._environ = file.absolute(), environ
        self.begun = self.file.with_name(f"{self.file.name}.unfinished")
        source = next((each for each in (self.begun, self.file) if each.exists()), None)
        self.resumed = source == self.begun
        self._under_way = _broken_off_in(self.begun) if self.resumed else None
        self.keys: dict[str, Any] = copy.deepcopy(read_document(source).keys) if source else {}
        self.keys.setdefault("secrets_dir", secrets_folder(self.file).name)

    @property
    def secrets_dir(self) -> Path:
        """The folder of the secret files."""
        return self.file.parent / Path(str(self.keys["secrets_dir"])).expanduser()

    def get(self, key_path: KeyPath) -> Any:
        """What was answered here; None where nothing was."""
        here: Any = self.keys
        for part in key_path:
            here = here.get(part) if isinstance(here, dict) else None
        return here

    def set(self, key_path: KeyPath, value: object) -> None:
        """Keeps an answer; None takes it away."""
        here: dict[Any, Any] = self.keys
        for part in key_path[:-1]:
            section = here.setdefault(part, {})
            if not isinstance(section, dict):
                section = here[part] = {}
            here = section
        if value is None:
            here.pop(key_path[-1], None)
        else:
            here[key_path[-1]] = value
        self.save()

    def begin(self, section: KeyPath) -> None:
        """From now on the questions are about this section; should they break off, that is known the next time."""
        self._under_way = section
        self.save()

    def end(self) -> None:
        """All that is to be asked about the section was answered."""
        self._under_way = None
        self.save()

    def broke_off_in(self, section: KeyPath) -> bool:
        """Whether questions about this section were begun and not ended."""
        return self._under_way == section

    def has_secret(self, key_path: KeyPath) -> bool:
        """Whether the secret is set anywhere that the program would find it."""
        return env_name(key_path) in self._environ or self._secret(key_path).exists() or bool(self.get(key_path))

    def set_secret(self, key_path: KeyPath, secret: str) -> None:
        """Writes the secret to its file, mode 0600, and takes it out of the configuration. Raises OSError."""
        self.secrets_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.secrets_dir.chmod(0o700)
        _write(self._secret(key_path), secret + "\n")
        self.set(key_path, None)

    def save(self) -> None:
        """Keeps the answers beside the configuration. Raises OSError."""
        self.secrets_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark = "" if self._under_way is None else f"{_BROKEN_OFF}{json.dumps(self._under_way)}\n"
        _write(self.begun, as_toml(self.keys) + mark)

    def faults(self) -> list[str]:
        """What the program would say of the answers so far, one line for each fault."""
        try:
            load_configuration(self.begun, environ=self._environ, portals=portals)
        except SettingsFaults as faults:
            return [line.replace(str(self.begun), str(self.file)) for line in faults.faults]
        return []

    def finish(self) -> Path | None:
        """The answers become the configuration. Returns where an older one is kept, None where there was none.

        One that others may read, as a service with a user of its own has to, stays so unless a secret stands in it.
        Raises OSError.
        """
        kept, mode = None, 0o600
        text = as_toml(self.keys)
        if self.file.exists() and not self._holds_a_secret():
            mode |= self.file.stat().st_mode & 0o044
        if self.file.exists() and self.file.read_text(encoding="utf-8") != text:
            kept = self.file.with_name(f"{self.file.name}.old")
            _write(kept, self.file.read_text(encoding="utf-8"))
        _write(self.file, text, mode=mode)
        self.begun.unlink(missing_ok=True)
        return kept

    def _holds_a_secret(self) -> bool:
        try:
            found = load_configuration(self.begun, environ=self._environ, portals=portals)
        except SettingsFaults:
            return True
        return any(origin.source == "configuration" for origin in found.origins)

    def _secret(self, key_path: KeyPath) -> Path:
        return self.secrets_dir / secret_file_name(key_path)


def _broken_off_in(begun: Path) -> KeyPath | None:
    """What stands in a file that a wizard left; nothing where a person has edited it into something else."""
    lines = [line for line in begun.read_text(encoding="utf-8").splitlines() if line.startswith(_BROKEN_OFF)]
    try:
        return tuple(map(str, load_or_none(lines[-1].removeprefix(_BROKEN_OFF)))) if lines else None
    except (ValueError, TypeError):
        return None


def _write(file: Path, text: str, *, mode: int = 0o600) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    write_private_file(file, text.encode(), mode=mode)
