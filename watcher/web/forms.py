"""Actions: forms that are posted, checked, carried out, and answered with a redirect."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from typing import TypeAlias

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from watcher.web.request import visitor_of
from watcher.web.security import MAX_UPLOAD

_MAX_FIELDS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The fields of a posted form, and its file with its name, if it has one."""

    fields: dict[str, str] = field(default_factory=dict)
    file: tuple[str, bytes] | None = None

    def text(self, name: str) -> str:
        """Return a field without white space around it; "" if there is none."""
        return self.fields.get(name, "").strip()

    def number(self, name: str) -> int:
        """Return a field that is a number. Anything else is answered with 400."""
        value = self.text(name)
        if not (value.isascii() and value.isdigit() and len(value) < 16):  # noqa: PLR2004
            raise HTTPException(400)
        return int(value)


def day_of_form(form: Form, name: str = "day") -> str:
    """Return a field that is a date, YYYY-MM-DD. Anything else is answered with 400: browsers send no other."""
    try:
        return date.fromisoformat(form.text(name)).isoformat()
    except ValueError:
        raise HTTPException(400) from None


Handler: TypeAlias = Callable[[Request, Form], Response]


def action(handler: Handler, *, changes: bool = True) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of an action: it reads the form, and calls the handler.

    `watcher.web.entrance` has checked that the form is the page's own. `changes`: the action needs a visitor who may
    change something.
    """

    async def endpoint(request: Request) -> Response:
        form = await _read(request)
        visitor = visitor_of(request)
        if changes and not visitor.may_change:
            raise HTTPException(403)
        return await run_in_threadpool(handler, request, form)

    return endpoint


async def _read(request: Request) -> Form:
    """Return the posted form. Starlette bounds its number of fields, and the server the size of the body."""
    async with request.form(max_files=1, max_fields=_MAX_FIELDS, max_part_size=64 * 1024) as posted:
        fields = {name: value for name, value in posted.multi_items() if isinstance(value, str)}
        uploads = [value for value in posted.values() if isinstance(value, UploadFile)]
        file = None
        if uploads and uploads[0].filename:
            content = await uploads[0].read(MAX_UPLOAD + 1)
            if len(content) > MAX_UPLOAD:
                raise HTTPException(413)
            file = (uploads[0].filename, content)
    return Form(fields=fields, file=file)
