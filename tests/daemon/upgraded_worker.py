"""A worker that finds another version of the program once: if there is a file `upgraded` in the working directory."""

from pathlib import Path

from watcher.daemon import worker

_MARK = Path("upgraded")


def main() -> None:
    """Run the worker."""
    if _MARK.exists():
        _MARK.unlink()
        vars(worker)["__version__"] = "another"
    worker.main()
