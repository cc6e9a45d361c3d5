"""Send one message from a separate process: `python -m tests.servers.send URL BODY`.

For services whose package is not among our dependencies: the process finds it on $PYTHONPATH.
"""

import sys

from pydantic import SecretStr

from watcher.delivery.apprise_notifier import AppriseNotifier
from watcher.errors import DeliveryFailed

if __name__ == "__main__":
    url, body = sys.argv[1:]
    try:
        AppriseNotifier().send(SecretStr(url), title="Case moved", body=body, html=f"<p>{body}</p>", short=body)
    except DeliveryFailed as failed:
        sys.exit(str(failed))
