"""`/devices`: who is signed in, and with which passkeys one can sign in; sign out one or all."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from watcher.messages import _
from watcher.model.web import KeyKind, Passkey, WebKey
from watcher.text.person_names import normalized_name
from watcher.web.dates import ShownDate
from watcher.web.device_names import device_name
from watcher.web.entrance import forget_device, guard_of
from watcher.web.forms import Form
from watcher.web.messages import Message, redirect
from watcher.web.passkeys import PasskeyRefused, RelyingParty
from watcher.web.push import shown_push
from watcher.web.render import path_for, render
from watcher.web.request import context_of, dates_of
from watcher.web.visitor import Visitor

_Owned = TypeVar("_Owned", WebKey, Passkey)


def show(request: Request) -> Response:
    """Show the devices and passkeys of the visitor's person, or all."""
    context, visitor = context_of(request), _visitor(request)
    with context.reading() as opened:
        devices, passkeys = _devices(request, opened.store.web.keys(KeyKind.DEVICE)), opened.store.web.passkeys()
        dates, push = dates_of(opened), shown_push(request, opened)

    def day(moment: datetime) -> ShownDate:
        return dates.day(moment.astimezone(context.settings.timezone).date())

    shown = _owned(visitor, passkeys)
    return render(
        request,
        "devices.html",
        devices=[(device, day(device.created_at), day(_last_seen(device))) for device in devices],
        passkeys=[(passkey, day(passkey.created_at)) for passkey in shown],
        push=push,
        options=_options(request, visitor, shown),
    )


def sign_out(request: Request, form: Form) -> Response:
    """Sign out one device. Whoever may change nothing may still sign out their own."""
    visitor, number = _visitor(request), form.number("device")
    if number != visitor.device:
        with context_of(request).reading() as opened:
            known = [device.id for device in _devices(request, opened.store.web.keys(KeyKind.DEVICE))]
        if number not in known or not visitor.may_change:
            raise HTTPException(HTTPStatus.NOT_FOUND if number not in known else HTTPStatus.FORBIDDEN)
    context_of(request).perform("end_keys", keys=[number])
    if number == visitor.device:
        return _signed_out(request)
    return redirect(request, path_for(request, "devices"), Message(text=_("The device is signed out.")))


def sign_out_all(request: Request, _form: Form) -> Response:
    """Sign out every device of the visitor's person, or all, and this one; links that were not used end too."""
    visitor, context = _visitor(request), context_of(request)
    with context.reading() as opened:
        keys = [key for kind in (KeyKind.DEVICE, KeyKind.LINK) for key in opened.store.web.keys(kind)]
    context.perform("end_keys", keys=[key.id for key in _owned(visitor, keys)])
    return _signed_out(request)


async def add_passkey(request: Request) -> Response:
    """Add the passkey that the browser has made, by the page's script."""
    return await run_in_threadpool(_add_passkey, request, await request.body())


def remove_passkey(request: Request, form: Form) -> Response:
    """Remove a passkey. Devices that it signed in stay signed in."""
    context, number = context_of(request), form.number("passkey")
    with context.reading() as opened:
        passkeys = opened.store.web.passkeys()
    if number not in [passkey.id for passkey in _owned(_visitor(request), passkeys)]:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    context.perform("remove_passkey", passkey=number)
    return redirect(request, path_for(request, "devices"), Message(text=_("The passkey is removed.")))


def _add_passkey(request: Request, sent: bytes) -> Response:
    context, visitor, device = context_of(request), _visitor(request), request.state.device
    party = RelyingParty.of(context.settings.web, request.state.origin)
    if not visitor.may_change:
        raise HTTPException(HTTPStatus.FORBIDDEN)
    try:
        answer = guard_of(request).passkeys.answer_to_add(party, sent, device=device.key.id)
    except PasskeyRefused:
        return _not_accepted()
    name = device_name(request.headers.get("user-agent", ""))
    added = context.perform("add_passkey", answer=answer, owner=device.key, device_name=name, now=context.clock.now())
    return _not_accepted() if added.refused else JSONResponse({"to": path_for(request, "devices")})


def _not_accepted() -> Response:
    text = _("This passkey was not accepted. Reload the page and try again.")
    return JSONResponse({"error": text}, HTTPStatus.FORBIDDEN)


def _options(request: Request, visitor: Visitor, known: Sequence[Passkey]) -> dict[str, Any] | None:
    """Return what the browser needs to add a passkey; None where it cannot."""
    party = RelyingParty.of(context_of(request).settings.web, request.state.origin)
    if party is None or not visitor.may_change:
        return None
    user = visitor.person or "case-watcher"
    return guard_of(request).passkeys.options_to_add(party, device=_device(visitor), user=user, known=known)


def _signed_out(request: Request) -> Response:
    response = RedirectResponse(path_for(request, "sign_in"), HTTPStatus.SEE_OTHER)
    forget_device(request, response)
    return response


def _devices(request: Request, keys: Sequence[WebKey]) -> list[WebKey]:
    """Return the devices that the visitor may see and that are still signed in, the last used one first."""
    now = context_of(request).clock.now()
    valid = [key for key in _owned(_visitor(request), keys) if key.is_valid(now)]
    return sorted(valid, key=_last_seen, reverse=True)


def _owned(visitor: Visitor, owned: Sequence[_Owned]) -> list[_Owned]:
    """Return those of the visitor's person, or all."""
    person = visitor.person
    return [each for each in owned if person is None or _is_same(each.person, person)]


def _is_same(person: str | None, other: str) -> bool:
    return person is not None and normalized_name(person) == normalized_name(other)


def _last_seen(device: WebKey) -> datetime:
    return device.last_seen_at or device.created_at


def _visitor(request: Request) -> Visitor:
    visitor: Visitor = request.state.visitor
    return visitor


def _device(visitor: Visitor) -> int:
    if visitor.device is None:
        raise HTTPException(HTTPStatus.FORBIDDEN)
    return visitor.device
