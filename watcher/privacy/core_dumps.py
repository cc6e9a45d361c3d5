"""Core dumps are disabled, because the memory of this process contains secrets in plain text."""

import resource

_LIMIT = 1
"""Bytes: too few for a file. With this limit Linux does not start a program that takes dumps through a pipe either:
core(5) says that it is started whatever the limit, but the kernel's fs/coredump.c makes an exception for 1."""


def disable() -> None:
    """Disable core dumps of this process and its children. This cannot be undone."""
    _, hard_limit = resource.getrlimit(resource.RLIMIT_CORE)
    limit = _LIMIT if hard_limit == resource.RLIM_INFINITY else min(hard_limit, _LIMIT)
    resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))
