"""`python -m watcher.processes.start MODULE`: import a module of this program, and call its `main`.

Imports create no garbage, and collecting takes a sixth of their time; nor are the modules scanned in later collections.
Nor is rich imported, as structlog and httpx do where it is installed: it would take a tenth of their time.
"""

import gc
import importlib
import sys


def main() -> None:
    """Start the module that the command line names."""
    gc.disable()
    sys.modules["rich"] = None  # type: ignore[assignment]  # it cannot be imported
    module = importlib.import_module(sys.argv[1])
    gc.freeze()
    gc.enable()
    module.main()


if __name__ == "__main__":
    main()
