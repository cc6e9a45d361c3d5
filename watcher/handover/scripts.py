"""The scripts that hand over: as a bookmark, for a Shortcut of an iPhone or iPad, and as a browser extension. Pure."""

import io
import json
import re
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlsplit

from watcher.messages import _, current_language
from watcher.portal import HandoverPlan

_COMMENT = re.compile(r"^\s*//.*$", re.MULTILINE)
_BROWSER = files("watcher.handover") / "browser"
_EXTENSION = ("popup.html", "popup.js", "popup.css")
_YEAR_2000 = (2000, 1, 1, 0, 0, 0)
"""The date of the files in an archive, so that the same extension is the same archive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What the scripts of an account contain.

    `address` is that of the page which takes the hand-over, its key included; it must not be logged. `cases` are the
    watched numbers; with `all_cases`, those that the portal lists are taken too. `session_hosts` are the hosts whose
    cookies the extension may send when the person asks for it; none if the account cannot use a session.
    """

    plan: HandoverPlan
    account: str
    agency: str
    address: str
    cases: Collection[str] = ()
    all_cases: bool = True
    session_hosts: Collection[str] = ()

    def bookmark(self) -> str:
        """Return the address of the bookmark, which begins with `javascript:`."""
        return f"javascript:{quote(self._script('leave.js'), safe='')}"

    def shortcut(self) -> str:
        """Return the script for the action "Run JavaScript on Web Page" of a Shortcut."""
        return self._script("shortcut.js")

    def extension(self) -> bytes:
        """Return the extension for Chromium and Firefox as a ZIP archive."""
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in self._extension_files().items():
                archive.writestr(zipfile.ZipInfo(name, _YEAR_2000), text, zipfile.ZIP_DEFLATED)
        return content.getvalue()

    def _script(self, end: str) -> str:
        return f"const plan={json.dumps(self._plan())};\n{_code('gather.js')}{_code(end)}"

    def _plan(self) -> dict[str, Any]:
        return {
            **asdict(self.plan),
            "cases": sorted(self.cases),
            "all_cases": self.all_cases,
            "address": self.address,
            "texts": self._texts(),
        }

    def _texts(self) -> Mapping[str, str]:
        """Return what the scripts say, in the language of this process."""
        site = urlsplit(self.plan.origin).netloc
        return {
            "elsewhere": _("Open {site} and sign in, then hand over from there.", site=site),
            "unanswered": _("{site} did not answer. Sign in there, then hand over again.", site=site),
            "large": _("An answer of {site} is too large to hand over.", site=site),
            "reading": _("Reading your cases…"),
            "refused": _("case-watcher cannot be reached. Check that it is running, then try again."),
            "language": current_language(),
            "title": _("Hand over to {account}", account=self.account),
            "hand_over": _("Hand over what {agency} shows", agency=self.agency),
            "hand_over_note": _("Reads your cases in this tab and sends them to case-watcher. No cookie is read."),
            "session": _("Hand over the session"),
            "session_note": _(
                "Sends the cookies of {site}, so that case-watcher can check until the session ends.", site=site
            ),
        }

    def _extension_files(self) -> Mapping[str, str]:
        texts = {name: (_BROWSER / "extension" / name).read_text() for name in _EXTENSION}
        plan = self._plan() | {"session_hosts": sorted(self.session_hosts)}
        return {
            "manifest.json": json.dumps(self._manifest(), indent=2, ensure_ascii=False),
            "plan.js": f"globalThis.plan = {json.dumps(plan, indent=2)};\n",
            **{name: (_BROWSER / name).read_text() for name in ("gather.js", "leave.js")},
            **texts,
        }

    def _manifest(self) -> Mapping[str, Any]:
        """Return the manifest: permissions for this portal and this watcher, and for nothing else."""
        watcher = urlsplit(self.address)
        sites = [f"{self.plan.origin}/*", *(f"https://{host}/*" for host in sorted(self.session_hosts))]
        permissions = ["activeTab", "scripting", *(["cookies"] if self.session_hosts else [])]
        return {
            "manifest_version": 3,
            "name": f"case-watcher: {self.account}",
            "version": "1.0",
            "description": _("Hands over what {agency} shows you to your own case-watcher.", agency=self.agency),
            "permissions": permissions,
            "host_permissions": list(dict.fromkeys([*sites, f"{watcher.scheme}://{watcher.netloc}/*"])),
            "action": {"default_title": self._texts()["title"], "default_popup": "popup.html"},
            "incognito": "not_allowed",
            "browser_specific_settings": {
                "gecko": {
                    "id": "hand-over@case-watcher.invalid",
                    "strict_min_version": "142.0",
                    "data_collection_permissions": {"required": ["none"]},
                }
            },
        }


def _code(name: str) -> str:
    """Return a script without its comments."""
    return _COMMENT.sub("", (_BROWSER / name).read_text()).strip() + "\n"
