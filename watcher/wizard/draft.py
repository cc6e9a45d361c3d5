"""The answers so far, saved after each one. Secrets are in separate files that only the owner can read."""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from watcher import portals
from watcher.errors import SettingsFaults
from watcher.privacy.private_file import create_private_folder, remove_temporary_files, write_private_file
from watcher.settings.config_files import read_document
from watcher.settings.key_names import KeyPath, env_name, secret_file_name, secrets_folder
from watcher.settings.load import load_configuration
from watcher.text.json import load_or_none
from watcher.wizard.toml_writer import as_toml

_INTERRUPTED_MARK = "# Interrupted in: "
_LEFTOVER_AGE = 60.0  # seconds; a younger temporary file may belong to a run that is still going on


class ConfigDraft:
    """A configuration in the making. Only `finish` writes the finished file.

    Until then the answers are in a file beside it, so an interruption loses no answer and leaves the configuration
    intact.
    """

    def __init__(self, file: Path, *, environ: Mapping[str, str]) -> None:
        """Start from the answers of an interrupted run, otherwise from the existing configuration, otherwise empty.

        Removes temporary files that a kill has left. Raises SettingsFaults if the file is not valid TOML, and OSError.
        """
        self.file, self._environ = file.absolute(), environ
        self.unfinished_file = self.file.with_name(f"{self.file.name}.unfinished")
        source = next((path for path in (self.unfinished_file, self.file) if path.exists()), None)
        self.resumed = source == self.unfinished_file
        self._current_section = _interrupted_section(self.unfinished_file) if self.resumed else None
        self.keys: dict[str, Any] = copy.deepcopy(read_document(source).keys) if source else {}
        self.keys.setdefault("secrets_dir", secrets_folder(self.file).name)
        remove_temporary_files(self.file.parent, f"{self.file.name}*", older_than=_LEFTOVER_AGE)
        remove_temporary_files(self.secrets_dir, older_than=_LEFTOVER_AGE)

    @property
    def secrets_dir(self) -> Path:
        """Return the folder of the secret files."""
        return self.file.parent / Path(str(self.keys["secrets_dir"])).expanduser()

    def get(self, key_path: KeyPath) -> Any:
        """Return the answer for the key, or None."""
        node: Any = self.keys
        for part in key_path:
            node = node.get(part) if isinstance(node, dict) else None
        return node

    def set(self, key_path: KeyPath, value: object) -> None:
        """Set the key and save. None removes it."""
        node: dict[Any, Any] = self.keys
        for part in key_path[:-1]:
            section = node.setdefault(part, {})
            if not isinstance(section, dict):
                section = node[part] = {}
            node = section
        if value is None:
            node.pop(key_path[-1], None)
        else:
            node[key_path[-1]] = value
        self.save()

    def begin_section(self, section: KeyPath) -> None:
        """Start the questions about a section, so that the next run knows if they are interrupted."""
        self._current_section = section
        self.save()

    def end_section(self) -> None:
        """Record that all questions about the section are answered."""
        self._current_section = None
        self.save()

    def is_unfinished(self, section: KeyPath) -> bool:
        """Return whether the questions about this section were interrupted."""
        return self._current_section == section

    def has_secret(self, key_path: KeyPath) -> bool:
        """Return whether the secret is set anywhere the program would find it."""
        return env_name(key_path) in self._environ or self._secret(key_path).exists() or bool(self.get(key_path))

    def set_secret(self, key_path: KeyPath, secret: str) -> None:
        """Write the secret to its file (mode 0600) and remove it from the configuration. Raises OSError."""
        create_private_folder(self.secrets_dir)
        self.secrets_dir.chmod(0o700)
        _write(self._secret(key_path), secret + "\n")
        self.set(key_path, None)

    def remove_secret(self, key_path: KeyPath) -> None:
        """Remove the secret's file. Raises OSError."""
        self._secret(key_path).unlink(missing_ok=True)

    def save(self) -> None:
        """Save the answers beside the configuration. Raises OSError."""
        create_private_folder(self.secrets_dir)
        mark = "" if self._current_section is None else f"{_INTERRUPTED_MARK}{json.dumps(self._current_section)}\n"
        _write(self.unfinished_file, as_toml(self.keys) + mark)

    def faults(self) -> list[str]:
        """Return the faults of the answers so far, one line each."""
        try:
            load_configuration(self.unfinished_file, environ=self._environ, portals=portals)
        except SettingsFaults as faults:
            return [line.replace(str(self.unfinished_file), str(self.file)) for line in faults.faults]
        return []

    def finish(self) -> Path | None:
        """Write the configuration. Return where the previous one was saved, or None if there was none.

        A file that others can read, for a service with its own user, stays readable unless it holds a secret. Raises
        OSError.
        """
        previous, mode = None, 0o600
        text = as_toml(self.keys)
        if self.file.exists() and not self._holds_secret():
            mode |= self.file.stat().st_mode & 0o044
        if self.file.exists() and self.file.read_text(encoding="utf-8") != text:
            previous = self.file.with_name(f"{self.file.name}.old")
            _write(previous, self.file.read_text(encoding="utf-8"))
        _write(self.file, text, mode=mode)
        self.unfinished_file.unlink(missing_ok=True)
        return previous

    def _holds_secret(self) -> bool:
        try:
            configuration = load_configuration(self.unfinished_file, environ=self._environ, portals=portals)
        except SettingsFaults:
            return True
        return any(origin.source == "configuration" for origin in configuration.origins)

    def _secret(self, key_path: KeyPath) -> Path:
        return self.secrets_dir / secret_file_name(key_path)


def _interrupted_section(file: Path) -> KeyPath | None:
    """Return the section from a file of an interrupted run, or None if the file was edited into something else."""
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith(_INTERRUPTED_MARK)]
    try:
        return tuple(map(str, load_or_none(lines[-1].removeprefix(_INTERRUPTED_MARK)))) if lines else None
    except (ValueError, TypeError):
        return None


def _write(file: Path, text: str, *, mode: int = 0o600) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    write_private_file(file, text.encode(), mode=mode)
