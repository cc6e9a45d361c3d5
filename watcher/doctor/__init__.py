"""Check a whole installation: what works, what needs attention, what is broken, and how to fix it.

Each check is a function that yields findings. `checklist` runs them in order.
"""

from watcher.doctor.checklist import run_checks
from watcher.doctor.finding import Finding, Verdict

__all__ = ["Finding", "Verdict", "run_checks"]
