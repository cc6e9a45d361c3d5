"""Alerts on this device: a browser subscribes to Web Push, and its device becomes a channel.

The browser needs the page's script and its service worker. What needs no script, such as the rules, works without.
"""

import json
from dataclasses import dataclass
from http import HTTPStatus
from importlib import resources
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from watcher.context.device_channels import PushDevice, push_devices
from watcher.context.read_only import ReadOnlyContext
from watcher.messages import current_language
from watcher.model.web import WebKey
from watcher.text.loopback import is_loopback
from watcher.text.person_names import normalized_name
from watcher.web.forms import Form
from watcher.web.messages import Message, redirect
from watcher.web.outcome import Outcome
from watcher.web.render import path_for
from watcher.web.request import context_of, visitor_of
from watcher.web.visitor import Visitor

_PUBLIC_FILES = {
    "manifest.webmanifest": "application/manifest+json",
    "service-worker.js": "text/javascript; charset=utf-8",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPush:
    """What `/devices` shows about alerts on devices.

    `mine` is the subscription of this device, if it has one. `others` are those of other devices that the visitor may
    see. `possible`: the page was opened in a way that permits notifications, which need HTTPS.
    """

    mine: PushDevice | None
    others: tuple[PushDevice, ...]
    possible: bool


def shown_push(request: Request, opened: ReadOnlyContext) -> ShownPush:
    """Return what `/devices` shows about alerts on devices."""
    visitor = visitor_of(request)
    seen = [device for device in push_devices(opened.store, opened.settings) if _may_see(visitor, device)]
    return ShownPush(
        mine=next((device for device in seen if _is_mine(visitor, device)), None),
        others=tuple(device for device in seen if not _is_mine(visitor, device)),
        possible=request.url.scheme == "https" or is_loopback(str(request.url)),
    )


def public_file(request: Request) -> Response:
    """Return the manifest or the service worker. They are where they are because their place is their scope."""
    name = request.url.path.rpartition("/")[2]
    content = resources.files("watcher.web").joinpath("static", name).read_bytes()
    return Response(content, media_type=_PUBLIC_FILES[name], headers={"Cache-Control": "no-cache"})


async def send_key(request: Request) -> Response:
    """Return the public key with which the browser subscribes."""
    _device_of(request)
    outcome = await run_in_threadpool(context_of(request).perform, "push_key")
    if outcome.refused:
        return JSONResponse({"error": outcome.refused}, HTTPStatus.CONFLICT)
    return JSONResponse({"key": outcome.texts[0]})


async def subscribe(request: Request) -> Response:
    """Make this device a channel, by the subscription that the page's script sends."""
    device = _device_of(request)
    try:
        sent: Any = json.loads(await request.body())
    except (ValueError, RecursionError):
        raise HTTPException(HTTPStatus.BAD_REQUEST) from None
    outcome = await run_in_threadpool(_subscribe, request, device, sent)
    if outcome.refused:
        return JSONResponse({"error": outcome.refused}, HTTPStatus.BAD_REQUEST)
    return JSONResponse({"to": path_for(request, "devices")})


def set_rules(request: Request, form: Form) -> Response:
    """Change which alerts this device gets, and how much they show."""
    rules = {"privacy": form.text("privacy"), "min_severity": form.text("min_severity")}
    return _answer(request, context_of(request).perform("push_rules", device=_device_of(request).id, **rules))


def test(request: Request, _form: Form) -> Response:
    """Send a test alert to this device."""
    return _answer(request, context_of(request).perform("push_test", device=_device_of(request).id))


def stop(request: Request, form: Form) -> Response:
    """Send no more alerts to a device: this one, or another one if the visitor may change something."""
    visitor, number = visitor_of(request), form.number("subscription")
    with context_of(request).reading() as opened:
        devices = {device.subscription.id: device for device in push_devices(opened.store, opened.settings)}
    device = devices.get(number)
    if device is None or not _may_see(visitor, device):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    if not (visitor.may_change or _is_mine(visitor, device)):
        raise HTTPException(HTTPStatus.FORBIDDEN)
    return _answer(request, context_of(request).perform("push_stop", subscription=number))


def _subscribe(request: Request, device: WebKey, sent: Any) -> Outcome:
    return context_of(request).perform("push_subscribe", device=device, sent=sent, language=current_language())


def _answer(request: Request, outcome: Outcome) -> Response:
    refused = [Message(text=outcome.refused, kind="refused")] if outcome.refused else []
    return redirect(request, path_for(request, "devices"), *refused, *(Message(text=text) for text in outcome.texts))


def _device_of(request: Request) -> WebKey:
    """Return the device of a request. Everybody else is answered with 403."""
    device = request.state.device
    if visitor_of(request).kind != "device" or device is None:
        raise HTTPException(HTTPStatus.FORBIDDEN)
    key: WebKey = device.key
    return key


def _is_mine(visitor: Visitor, device: PushDevice) -> bool:
    return device.subscription.device.id == visitor.device


def _may_see(visitor: Visitor, device: PushDevice) -> bool:
    person = device.subscription.device.person
    return visitor.sees_all or normalized_name(person or "") == normalized_name(visitor.person or "")
