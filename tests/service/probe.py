"""Runs in place of the watcher in its sandbox: attempt what the watcher must not be able to do, and report."""

import ctypes
import json
import mmap
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

CLONE_NEWUSER = 0x10000000


def attempt(act: Callable[[], object]) -> str:
    """Return "done", or the name of the error."""
    try:
        act()
    except OSError as error:
        return type(error).__name__
    return "done"


def unshare() -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


def main() -> None:
    state = Path(os.environ["STATE_DIRECTORY"])
    credentials = Path(os.environ["CREDENTIALS_DIRECTORY"])
    tried: dict[str, Callable[[], object]] = {
        "write its state": lambda: (state / "probe").write_text("x"),
        "read its credentials": lambda: [file.read_bytes() for file in credentials.iterdir()],
        "read its configuration": lambda: Path("/etc/watcher/watcher.toml").read_bytes(),
        "resolve localhost": lambda: socket.getaddrinfo("localhost", 80),
        "open a TCP socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM).close(),
        "write its credentials": lambda: (credentials / "new").write_text("x"),
        "read root's secrets": lambda: list(Path("/etc/watcher/secrets").iterdir()),
        "write its configuration": lambda: Path("/etc/watcher/watcher.toml").write_text("x"),
        "write /etc": lambda: Path("/etc/probe").write_text("x"),
        "write /usr": lambda: Path("/usr/probe").write_text("x"),
        "write /var/lib": lambda: Path("/var/lib/probe").write_text("x"),
        "read a letter in /home": lambda: Path("/home/letter").read_bytes(),
        "see root's home": lambda: list(Path("/root").iterdir()),
        "see the first process": lambda: Path("/proc/1/status").read_bytes(),
        "read the kernel's log": lambda: Path("/dev/kmsg").read_bytes(),
        "see the memory of the machine": lambda: Path("/proc/meminfo").read_bytes(),
        "change a kernel setting": lambda: Path("/proc/sys/kernel/hostname").write_text("x"),
        "write to the control groups": lambda: Path("/sys/fs/cgroup/probe").mkdir(),
        "become root": lambda: os.setuid(0),
        "make a namespace": unshare,
        "open a raw socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1),
        "open a packet socket": lambda: socket.socket(17, socket.SOCK_RAW),
        "open a netlink socket": lambda: socket.socket(16, socket.SOCK_RAW),
        "make a device": lambda: os.mknod(state / "disk", 0o060600, os.makedev(8, 0)),
        "make a program run as its owner": lambda: (state / "probe").chmod(0o4755),
        "map memory to write and run": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC),
        "raise its own priority": lambda: os.setpriority(os.PRIO_PROCESS, 0, -5),
    }
    came_of_it = {name: attempt(act) for name, act in tried.items()}
    sys.stdout.write(json.dumps({"umask": os.umask(0), "tried": came_of_it}) + "\n")


if __name__ == "__main__":
    main()
