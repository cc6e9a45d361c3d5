"""What the watcher checks while its service is tested: the practice portal, and a channel that stores messages."""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from watcher.clock import SystemClock
from watcher.daemon.sd_notify import ServiceManager
from watcher.practice import PracticePortal

CONFIGURATION, MESSAGES = Path(sys.argv[1]), Path(sys.argv[2])
NUMBER = "EAC9999000001"


class Phone(BaseHTTPRequestHandler):
    """Writes each message as a line of JSON."""

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
        with MESSAGES.open("a", encoding="utf-8") as kept:
            kept.write(json.dumps(message) + "\n")
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - http.server's signature
        """Log nothing."""


def keep_secret(name: str, value: str) -> None:
    """Write a secret as an administrator would: readable by root only."""
    folder = CONFIGURATION / "secrets"
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / name
    file.touch(mode=0o600)
    file.write_text(value, encoding="utf-8")


def main() -> None:
    with PracticePortal(SystemClock(), port=8443) as portal:
        portal.cases.add(NUMBER, form="I-485")
        portal.write_ca(CONFIGURATION / "practice-ca.pem")
        (CONFIGURATION / "practice-ca.pem").chmod(0o644)
        keep_secret("accounts__office__client_secret", portal.account.client_secret)
        keep_secret("channels__phone__url", "json://127.0.0.1:8444/")
        text = (CONFIGURATION / "watcher.toml").read_text("utf-8")
        (CONFIGURATION / "watcher.toml").write_text(text.replace("practice-client", portal.account.client_id), "utf-8")
        with ThreadingHTTPServer(("127.0.0.1", 8444), Phone) as phone:
            ServiceManager.from_environ(os.environ).ready()
            (MESSAGES.parent / "office-is-open").touch()
            phone.serve_forever(poll_interval=5)


if __name__ == "__main__":
    main()
