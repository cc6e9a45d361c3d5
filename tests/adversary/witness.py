"""Who started whom, and who connected from which port: noted by a library that every process of a run loads.

A process notes its connection before it sends a byte, so a server can name the sender of every request, even if that
was killed at once. `/proc` could not: it forgets a process with its end.
"""

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

VARIABLE = "TEST_WITNESS"
"""The environment variable that names the file with the notes. It also marks the processes of a run."""

_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static int append(const char *name, const char *line, int length) {
    int file = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return -1;
    int written = write(file, line, length);
    close(file);
    return written;
}

/* The note is written although the process may have no descriptors or no disk left. */
static void note(int port) {
    const char *name = getenv("TEST_WITNESS");
    char line[64];
    if (!name) return;
    int length = snprintf(line, sizeof line, "%d %d %d\n", port, (int)getpid(), (int)getppid());
    if (append(name, line, length) == length) return;
    struct rlimit files, size, free;
    getrlimit(RLIMIT_NOFILE, &files);
    getrlimit(RLIMIT_FSIZE, &size);
    free = files; free.rlim_cur = free.rlim_max; setrlimit(RLIMIT_NOFILE, &free);
    free = size; free.rlim_cur = free.rlim_max; setrlimit(RLIMIT_FSIZE, &free);
    append(name, line, length);
    setrlimit(RLIMIT_NOFILE, &files);
    setrlimit(RLIMIT_FSIZE, &size);
}

int connect(int socket, const struct sockaddr *address, socklen_t length) {
    static int (*real)(int, const struct sockaddr *, socklen_t);
    if (!real) real = (int (*)(int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "connect");
    int done = real(socket, address, length), error = errno;
    struct sockaddr_in own;
    socklen_t size = sizeof own;
    if (address->sa_family == AF_INET && (done == 0 || error == EINPROGRESS)
            && getsockname(socket, (struct sockaddr *)&own, &size) == 0)
        note(ntohs(own.sin_port));
    errno = error;
    return done;
}

__attribute__((constructor)) static void started(void) { note(0); }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """The process that sent a message. `parent` started it; None if that had ended before the process could note it."""

    pid: int
    parent: int | None


@dataclass(slots=True)
class Witness:
    """Reads the notes. `library` is to be loaded into every process of the run."""

    library: Path
    notes: Path
    _parents: dict[int, int] = field(default_factory=dict)
    _holders: dict[int, int] = field(default_factory=dict)
    _offset: int = 0
    _lock: Lock = field(default_factory=Lock)

    @property
    def environ(self) -> dict[str, str]:
        return {VARIABLE: str(self.notes)}

    def sender(self, port: int) -> Sender | None:
        """Return who has last connected from this port."""
        with self._lock:
            self._read()
            pid = self._holders.get(port)
            return None if pid is None else Sender(pid=pid, parent=self._parents.get(pid))

    def _read(self) -> None:
        with self.notes.open("rb") as notes:
            notes.seek(self._offset)
            whole, _, _ = notes.read().rpartition(b"\n")
        self._offset += len(whole) + bool(whole)
        for line in whole.splitlines():
            port, pid, parent = map(int, line.split())
            if port == 0:  # a process begins, perhaps with the number of one that has ended
                self._parents.pop(pid, None)
            if parent > 1:
                self._parents.setdefault(pid, parent)
            self._holders[port] = pid


def witness(folder: Path) -> Witness:
    """Return a witness without notes. Raises `FileNotFoundError` where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise FileNotFoundError("no C compiler is installed, so nobody can note who sends what")
    source, library, notes = folder / "witness.c", folder / "witness.so", folder / "witness.txt"
    source.write_text(_SOURCE)
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    notes.touch(0o600)
    return Witness(library, notes)
