"""`python -m watcher.processes.start MODULE`: import a module of this program, and call its `main`.

Imports create no garbage, and collecting takes a sixth of their time; nor are the modules scanned in later collections.
"""

import gc
import importlib
import sys


def main() -> None:
    """Start the module that the command line names."""
    gc.disable()
    module = importlib.import_module(sys.argv[1])
    gc.freeze()
    gc.enable()
    module.main()


if __name__ == "__main__":
    main()
