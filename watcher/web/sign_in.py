"""`/sign-in`: a one-time link or a passkey signs in a device. Opening a link changes nothing; its button does."""

from http import HTTPStatus
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from watcher.messages import _
from watcher.model.web import KeyKind
from watcher.privacy.web_tokens import form_token
from watcher.web import sessions
from watcher.web.device_names import device_name
from watcher.web.entrance import guard_of, set_device
from watcher.web.entry_pages import refusal
from watcher.web.passkeys import PasskeyRefused, RelyingParty, credential_id
from watcher.web.render import path_for, render
from watcher.web.request import context_of


def show_link(request: Request) -> Response:
    """Show the button that signs in this device. A chat service that previews links opens this too."""
    token = request.path_params["token"]
    key = sessions.valid_key(context_of(request), KeyKind.LINK, token)
    if key is None:
        return refusal(request, HTTPStatus.GONE)
    return render(request, "sign_in_link.html", token=token, csrf=form_token(token), key=key)


def use_link(request: Request) -> Response:
    """Sign in this device and use up the link."""
    token = sessions.sign_in_by_link(
        context_of(request),
        request.path_params["token"],
        name=device_name(request.headers.get("user-agent", "")),
        present=request.state.device,
    )
    if token is None:
        return refusal(request, HTTPStatus.GONE)
    response = RedirectResponse(path_for(request, "overview"), HTTPStatus.SEE_OTHER)
    set_device(request, response, token)
    return response


def show(request: Request) -> Response:
    """Show how to sign in. With a passkey, the page's script does it."""
    party = RelyingParty.of(context_of(request).settings.web, request.state.origin)
    options: dict[str, Any] | None = None
    if party is not None and sessions.has_passkeys(context_of(request)):
        options = guard_of(request).passkeys.options_to_sign_in(party)
    return render(request, "sign_in.html", options=options)


async def use_passkey(request: Request) -> Response:
    """Sign in this device with a passkey. The answer is for the page's script."""
    return await run_in_threadpool(_use_passkey, request, await request.body())


def _use_passkey(request: Request, answer: bytes) -> Response:
    guard = guard_of(request)
    address = request.client.host if request.client else ""
    if wait := guard.throttle.wait(address):
        return JSONResponse({"error": _("Too many attempts")}, HTTPStatus.TOO_MANY_REQUESTS, {"retry-after": str(wait)})
    try:
        token = _token_for_passkey(request, answer)
    except PasskeyRefused:
        guard.throttle.count(address)
        text = _("This passkey was not accepted. Reload the page and try again.")
        return JSONResponse({"error": text}, HTTPStatus.FORBIDDEN)
    response = JSONResponse({"to": path_for(request, "overview")})
    set_device(request, response, token)
    return response


def _token_for_passkey(request: Request, sent: bytes) -> str:
    """Sign in a device by what the browser has sent, and return its token. Raises `PasskeyRefused`."""
    context = context_of(request)
    party = RelyingParty.of(context.settings.web, request.state.origin)
    answer = guard_of(request).passkeys.answer_to_sign_in(party, sent)
    with context.reading() as opened:
        passkey = opened.store.web.passkey(credential_id(answer))
    if passkey is None:
        raise PasskeyRefused
    name = device_name(request.headers.get("user-agent", ""))
    used = context.perform("use_passkey", answer=answer, passkey=passkey, device_name=name, now=context.clock.now())
    if used.refused:
        raise PasskeyRefused
    return used.token
