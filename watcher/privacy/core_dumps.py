"""A crash leaves no picture of this process's memory behind, for secrets in use stand there in the clear."""

import resource

_REFUSED = 1
"""Bytes. Too few for any file; and of a program that takes dumps through a pipe, Linux asks nothing (core(5) says that
such a program is given dumps whatever the limit; the kernel's fs/coredump.c makes an exception of 1)."""


def forbid() -> None:
    """From now on this process, and what it starts, leaves no core dump. It cannot be undone."""
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    limit = _REFUSED if most == resource.RLIM_INFINITY else min(most, _REFUSED)
    resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))
