"""A machine's clock that a test sets while the real command runs: a library that the system loads before its own.

Only the time of day is moved; what nobody can set, and what waiting is measured by, goes on as it is. So it is on a
machine whose clock is corrected, and so it looks after a sleep.
"""

import shutil
import subprocess
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long long moved(void) {
    char text[32] = {0};
    const char *name = getenv("TEST_CLOCK_MOVED");
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return 0;
    if (read(file, text, sizeof text - 1) < 0) text[0] = 0;
    close(file);
    return atoll(text);
}

int clock_gettime(clockid_t clock, struct timespec *told) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int done = real(clock, told);
    if (done == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) told->tv_sec += moved();
    return done;
}

int gettimeofday(struct timeval *restrict told, void *restrict zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    told->tv_sec = now.tv_sec;
    told->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *told) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (told) *told = now.tv_sec;
    return now.tv_sec;
}
"""


@dataclass(frozen=True, slots=True)
class SetClock:
    """`environ` goes to the command whose clock it is."""

    library: Path
    moved: Path

    @property
    def environ(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self.library), "TEST_CLOCK_MOVED": str(self.moved)}

    def move(self, span: timedelta) -> None:
        """From now on the clock is this far off the true time."""
        beside = self.moved.with_suffix(".new")
        beside.write_text(str(round(span.total_seconds())))
        beside.replace(self.moved)


def set_clock(folder: Path) -> SetClock:
    """A clock that goes right until it is moved. Skips the test, out loud, where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler is installed; a clock that is set was not tried")
    source, library = folder / "clock.c", folder / "clock.so"
    source.write_text(_SOURCE)
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return SetClock(library=library, moved=folder / "moved")
