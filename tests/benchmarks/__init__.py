"""What the program costs, measured against plain floors in the same run: `python -m tests.benchmarks`."""
