"""Benchmarks of the program, compared with plain libraries in the same run: `python -m tests.benchmarks`."""
