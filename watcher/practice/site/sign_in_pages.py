"""Sign-in over HTTP: the forms, the cookie, and the response for each verdict of the sign-in service."""

from watcher.practice.site import pages
from watcher.practice.site.exchange import SESSION_COOKIE, Request, Response, html, redirect
from watcher.practice.state.sign_in_desk import SignInService, Step, Verdict, Visit

WRONG_PASSWORD = "Invalid user name or password"  # noqa: S105 -- what the page says
WRONG_CODE = "Invalid code"


class SignInPages:
    """Answers `/login`, `/otp`, and `/sign-out`. `secure`: whether the cookie is for HTTPS only."""

    def __init__(self, service: SignInService, *, secure: bool) -> None:
        """Use this sign-in service."""
        self._service = service
        self._attributes = "; Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if secure else "")

    def show_login(self, request: Request) -> Response:
        """Show the form, or redirect to the cases if already signed in."""
        visit = self._service.visit(request.session)
        if visit.step is Step.SIGNED_IN:
            return redirect("/cases")
        return html(pages.sign_in(visit.csrf), headers=self._cookie(visit))

    def login(self, request: Request) -> Response:
        """Submit user name and password."""
        form = request.form
        verdict, visit = self._service.submit_password(
            request.session,
            csrf=form.get("csrf_token", ""),
            username=form.get("username", ""),
            password=form.get("password", ""),
        )
        if verdict is Verdict.LOCKED:
            return html(pages.locked())
        if verdict is Verdict.REJECTED:
            return html(pages.sign_in(visit.csrf, error=WRONG_PASSWORD))
        return self._continue(verdict, visit)

    def show_code(self, request: Request) -> Response:
        """Show the form for the code after a correct password."""
        visit = self._service.visit(request.session)
        return html(pages.one_time_code(visit.csrf)) if visit.step is Step.CODE_REQUIRED else redirect("/login")

    def code(self, request: Request) -> Response:
        """Submit the one-time code."""
        form = request.form
        verdict, visit = self._service.submit_code(
            request.session, csrf=form.get("csrf_token", ""), code=form.get("otp", "")
        )
        if verdict is Verdict.REJECTED:
            return html(pages.one_time_code(visit.csrf, error=WRONG_CODE))
        return self._continue(verdict, visit)

    def sign_out(self, request: Request) -> Response:
        """End the session if the form came from this site."""
        if not self._service.sign_out(request.session, csrf=request.form.get("csrf_token", "")):
            return _forged()
        return redirect("/login", headers=(("Set-Cookie", f"{SESSION_COOKIE}={self._attributes}; Max-Age=0"),))

    def csrf(self, request: Request) -> str:
        """Return the CSRF token for the forms of this visitor."""
        return self._service.visit(request.session).csrf

    def replacement(self, request: Request) -> Response:
        """Return the sign-in page instead of the requested page."""
        visit = self._service.visit(request.session)
        return html(pages.sign_in(visit.csrf))

    def is_signed_in(self, request: Request) -> bool:
        """Return whether the request belongs to a signed-in session."""
        return self._service.step(request.session) is Step.SIGNED_IN

    def _continue(self, verdict: Verdict, visit: Visit) -> Response:
        if verdict is Verdict.FORGED:
            return _forged()
        onward = "/otp" if verdict is Verdict.CODE_REQUIRED else "/cases"
        return redirect(onward, headers=self._cookie(visit))

    def _cookie(self, visit: Visit) -> tuple[tuple[str, str], ...]:
        return (("Set-Cookie", f"{SESSION_COOKIE}={visit.cookie}{self._attributes}"),)


def _forged() -> Response:
    return html(pages.message("Forbidden", "The form has expired. Load the page again."), status=403)
