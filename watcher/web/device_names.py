"""What a device is called in the list of devices, from what its browser says of itself. Pure."""

import re

from watcher.messages import _

_SYSTEMS = (
    ("iPhone", r"\biPhone\b"),
    ("iPad", r"\biPad\b"),
    ("Android", r"\bAndroid\b"),
    ("ChromeOS", r"\bCrOS\b"),
    ("Windows", r"\bWindows\b"),
    ("Mac", r"\bMac OS X\b|\bMacintosh\b"),
    ("Linux", r"\bLinux\b"),
)
_BROWSERS = (
    ("Edge", r"\bEdg(?:A|iOS)?/"),
    ("Opera", r"\bOPR/"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Firefox", r"\b(?:Firefox|FxiOS)/"),
    ("Chrome", r"\b(?:HeadlessChrome|Chrome|CriOS)/"),
    ("Safari", r"\bSafari/"),
)


def device_name(user_agent: str) -> str:
    """Return a name such as "iPhone, Safari". Nothing of what was sent is in it."""
    found = [
        next((name for name, pattern in names if re.search(pattern, user_agent[:500])), "")
        for names in (_SYSTEMS, _BROWSERS)
    ]
    return ", ".join(filter(None, found)) or _("unknown device")
