"""The databases that were used with a state folder, so that one that vanished is not taken for a first start."""

from contextlib import suppress
from pathlib import Path

from watcher.errors import StoreUnusable
from watcher.messages import _
from watcher.privacy.private_file import write_private_file

FILE = "known-databases"
"""Its name in the state folder."""

_HEAD = (
    "# Databases that case-watcher has used. One that is missing is not created again.\n"
    "# To start with an empty database, delete this file.\n"
)


class KnownDatabases:
    """A file with one name on each line."""

    def __init__(self, file: Path) -> None:
        """Read nothing yet."""
        self._file = file

    def refuse_new(self, name: str) -> None:
        """Raise `StoreUnusable` if a database of this name was used before, so that it must not be created."""
        if self._line(name) in self._lines():
            raise StoreUnusable(
                _(
                    "database {name}: it is missing or empty, although it was used before. Put it back, or "
                    "restore a backup with `watcher restore FILE`. To start with an empty database, delete {file}",
                    name=name,
                    file=self._file,
                )
            )

    def add(self, name: str) -> None:
        """Remember that the database was used. It matters only if the database vanishes, so no error is raised."""
        lines = self._lines()
        if (line := self._line(name)) not in lines:
            content = "".join(f"{line}\n" for line in (*lines, line))
            with suppress(OSError):
                write_private_file(self._file, (_HEAD + content).encode("utf-8", "surrogateescape"))

    def _lines(self) -> list[str]:
        try:
            content = self._file.read_bytes().decode("utf-8", "surrogateescape")
        except OSError:
            return []
        return [line for line in content.splitlines() if line and not line.startswith("#")]

    def _line(self, name: str) -> str:
        """Return the name as one line. A database in the state folder is named relative to it: it may be moved."""
        folder, file = self._file.parent.absolute(), Path(name).absolute()
        return repr(str(file.relative_to(folder)) if file.is_relative_to(folder) else name)
