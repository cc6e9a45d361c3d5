"""Instructions that `watcher init` prints."""

from collections.abc import Sequence
from functools import reduce

from watcher.messages import _, mark

_SESSION = mark(
    """\
How to sign in to "{name}" with your own browser:
  1. Sign in at {hosts} and leave the page open. Do not sign out: that would end the session.
  2. Export the cookies of that page. Use a browser extension that writes a cookies.txt or JSON file, works only on your
     computer, and exports the cookies of the open website only:
       Chrome, Edge, Brave, Opera   for example "Get cookies.txt LOCALLY"
       Firefox                      for example "cookies.txt"
       Safari                       has none; use one of the other browsers
     Without an extension, in Chrome or Edge: press F12, open Network, reload the page, and choose "Export HAR (with
     sensitive data)".
  3. Run: {command}
  4. Delete the file. Whoever has it can use your account.
  {note}"""
)


def session_guide(name: str, *, hosts: Sequence[str], command: str, note: str) -> str:
    """Return how to import the session of the user's own browser for an account."""
    text = reduce(lambda first, second: _("{first} or {second}", first=first, second=second), hosts)
    return _(_SESSION, name=name, hosts=text, command=command, note=note)
