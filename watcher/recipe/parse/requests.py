"""The requests in a recipe's tables: `get` or `post`, `form`, `json`, `headers`."""

import json
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from watcher.http.hosts import check_base_url, host_of
from watcher.messages import _
from watcher.model.change import Json
from watcher.recipe.model import Request
from watcher.recipe.page.selectors import Selector
from watcher.recipe.parameters import Parameter
from watcher.recipe.parse.table import Faults, Table
from watcher.recipe.placeholders import Template
from watcher.settings.faults import did_you_mean
from watcher.settings.key_names import KeyPath, toml_key

_SIGN_IN_NAMES: Final = frozenset({"password", "totp", "code"})
RESERVED_NAMES: Final = _SIGN_IN_NAMES | {"username", "case_number", "case_numbers", "next"}
"""The placeholders that a recipe cannot give a meaning of its own."""
_ABSOLUTE: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_HEADER: Final = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_RESERVED: Final = frozenset({"host", "cookie", "content-length", "transfer-encoding", "connection", "accept-encoding"})


class Requests:
    """Parses requests in the order of the recipe, because a request may use only what earlier answers gave.

    `account_names` are the placeholders with values from the account, `taken_names` those that a `take` so far has
    filled, `case_names` those that differ from case to case.
    """

    def __init__(self, base_url: str, hosts: frozenset[str], parameters: Mapping[str, Parameter]) -> None:
        """`base_url` is empty if the recipe's has a fault."""
        self.base_url, self.hosts = base_url, hosts
        of_cases = {name for name, parameter in parameters.items() if parameter.per_case}
        self._secrets = {name for name, parameter in parameters.items() if parameter.secret}
        self._names_of_cases = frozenset({"case_number"}) | of_cases
        self.account_names = (frozenset({"username"}) | _SIGN_IN_NAMES | parameters.keys()) - of_cases
        self.taken_names: set[str] = set()
        self.case_names: set[str] = set()

    @property
    def credential_names(self) -> frozenset[str]:
        """The placeholders whose values are submitted as a credential by a step of the sign-in."""
        return frozenset({"password"}) | self._secrets

    def begin_case(self) -> None:
        """Allow the placeholders that differ from case to case from now on."""
        self.case_names |= self._names_of_cases
        self.taken_names |= self._names_of_cases

    def read(
        self,
        table: Table,
        *,
        optional: bool = False,
        signing_in: bool = False,
        after_answer: bool = False,
        also: frozenset[str] = frozenset(),
    ) -> Request | None:
        """Return the request of a table; None if it has a fault, or if it is optional and missing.

        `after_answer`: it may continue from the answer before it. `also` are further placeholders.
        """
        get, post = (self.address(table, key, signing_in=signing_in, also=also) for key in ("get", "post"))
        form, body, headers = table.mapping("form"), self._json(table), self._headers(table)
        form_from = _form_from(table, after_answer=after_answer)
        if ("get" in table) == ("post" in table):
            if "get" in table or not optional:
                table.faults.add(table.path, _('needs either get or post, such as get = "/cases"'))
            elif form is not None or body is not None or headers:
                table.faults.add(table.path, _("form, json and headers need get or post"))
            return None
        if get and (form is not None or body is not None):
            table.faults.add(table.path, _("get sends neither form nor json; use post"))
        if form is not None and body is not None:
            table.add_fault("json", _("use either form or json"))
        for key, texts in (("form", form), ("headers", headers)):
            for name, text in (texts or {}).items():
                self._check_names(table.faults, (*table.path, key, name), text, signing_in=signing_in, also=also)
        self._check_names(table.faults, (*table.path, "json"), body, signing_in=signing_in, also=also)
        address = get or post
        if address is None:
            return None
        return Request(
            key_path=toml_key(table.path),
            method="GET" if get else "POST",
            address=address,
            headers={name: Template(text=text) for name, text in headers.items()},
            form=None if form is None else {name: Template(text=text) for name, text in form.items()},
            json=body,
            form_from=form_from,
        )

    def address(
        self, table: Table, key: str, *, signing_in: bool = False, also: frozenset[str] = frozenset()
    ) -> Template | None:
        """Return an address: a path, an absolute address on one of the recipe's hosts, or a placeholder for one."""
        text = table.text(key)
        if text is None:
            return None
        template = Template(text=text)
        fault = self._address_fault(text)
        if fault:
            table.add_fault(key, fault)
        if template.placeholders & (self.credential_names if signing_in else {"password"}):
            table.add_fault(key, _("an address must not contain a password; send it in form or json"))
        else:
            self._check_names(table.faults, (*table.path, key), text, signing_in=signing_in, also=also)
        return None if fault else template

    def take(self, table: Table) -> dict[str, Selector]:
        """Return the selectors with which a table takes values from its answer for later requests."""
        take = table.named_selectors("take")
        for name in (self.account_names | self._names_of_cases).intersection(take):
            table.faults.add((*table.path, "take", name), _("this name is used by the account; choose another one"))
        self.taken_names |= take.keys()
        return take

    def _address_fault(self, text: str) -> str | None:
        if any(char.isspace() or not char.isprintable() for char in text):
            return _("an address must not contain spaces")
        if _ABSOLUTE.match(text):
            return self._origin_fault(text)
        if text.startswith(("{", "/")) and not text.startswith("//"):
            return None
        return _('must be a path such as "/cases", or a full address on one of the hosts')

    def _origin_fault(self, text: str) -> str | None:
        try:
            origin = urlsplit(text)._replace(path="", query="", fragment="").geturl()
        except ValueError:
            origin = ""
        if "{" in origin:
            return _("a host cannot contain a placeholder; write it in full")
        if fault := check_base_url(origin):
            return fault
        known = self.hosts | ({host_of(self.base_url)} if self.base_url else set())
        if host_of(origin) not in known:
            return _(
                "{origin} is not one of the recipe's hosts; if it belongs to the website, add it to hosts",
                origin=host_of(origin),
            )
        return None

    def _headers(self, table: Table) -> dict[str, str]:
        headers = table.mapping("headers") or {}
        for name, text in headers.items():
            if not _HEADER.fullmatch(name) or name.lower() in _RESERVED:
                table.faults.add((*table.path, "headers", name), _("a recipe may not set this header"))
            elif not text.isprintable() or not text.isascii():
                table.faults.add((*table.path, "headers", name), _("a header must be one line of ASCII text"))
        return headers

    def _json(self, table: Table) -> Json:
        content = table.value("json")
        if content is None:
            return None
        try:
            value: Json = json.loads(json.dumps(content, allow_nan=False))
        except (TypeError, ValueError):  # TOML's dates and times, and its inf and nan
            table.add_fault("json", _("contains a value that JSON cannot represent, such as a date; put it in quotes"))
            return None
        return value

    def _check_names(
        self, faults: Faults, key_path: KeyPath, content: Json, *, signing_in: bool, also: frozenset[str] = frozenset()
    ) -> None:
        known = (self.account_names if signing_in else self.account_names - _SIGN_IN_NAMES) | self.taken_names | also
        for path, name in _placeholder_paths(content, key_path):
            if name in known:
                continue
            if name in _SIGN_IN_NAMES:
                faults.add(path, _("{{{name}}} is available only in [[sign_in]]", name=name))
            else:
                faults.add(
                    path, _("no earlier step sets {{{name}}}; {hint}", name=name, hint=did_you_mean(name, known))
                )


def _form_from(table: Table, *, after_answer: bool) -> Selector | None:
    """Return the selector of the form whose hidden inputs a request sends."""
    selector = table.selector("form_from")
    if selector and not after_answer:
        table.add_fault("form_from", _("there is no answer before this request, so no form to take"))
    elif selector and ("post" not in table or "json" in table):
        table.add_fault("form_from", _("only a form that is sent with post has hidden inputs"))
    return selector


def _placeholder_paths(content: Json, path: KeyPath) -> list[tuple[KeyPath, str]]:
    if isinstance(content, str):
        return [(path, name) for name in sorted(Template(text=content).placeholders)]
    pairs = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    return [pair for key, part in pairs for pair in _placeholder_paths(part, (*path, key))]
