"""Signing in over HTTP: the forms, the cookie, and what each verdict of the desk looks like to a client."""

from watcher.practice.site import pages
from watcher.practice.site.exchange import SESSION_COOKIE, Request, Response, html, redirect
from watcher.practice.state.sign_in_desk import SignInService, Step, Verdict, Visit

WRONG_PASSWORD = "Invalid user name or password"  # noqa: S105 -- what the page says
WRONG_CODE = "Invalid code"


class SignInPages:
    """Answers `/login`, `/otp` and `/sign-out`. `secure`: whether the cookie is for HTTPS only."""

    def __init__(self, desk: SignInService, *, secure: bool) -> None:
        """Sends visitors to this desk."""
        self._desk = desk
        self._attributes = "; Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if secure else "")

    def show_login(self, request: Request) -> Response:
        """The form, whoever asks; who is signed in already goes on to the cases."""
        visit = self._desk.visit(request.session)
        if visit.step is Step.SIGNED_IN:
            return redirect("/cases")
        return html(pages.sign_in(visit.csrf), headers=self._cookie(visit))

    def login(self, request: Request) -> Response:
        """Takes user name and password."""
        form = request.form
        verdict, visit = self._desk.submit_password(
            request.session,
            csrf=form.get("csrf_token", ""),
            username=form.get("username", ""),
            password=form.get("password", ""),
        )
        if verdict is Verdict.LOCKED:
            return html(pages.locked())
        if verdict is Verdict.REJECTED:
            return html(pages.sign_in(visit.csrf, error=WRONG_PASSWORD))
        return self._go_on(verdict, visit)

    def show_code(self, request: Request) -> Response:
        """The form for the code, for those whose password was good."""
        visit = self._desk.visit(request.session)
        return html(pages.one_time_code(visit.csrf)) if visit.step is Step.CODE_WANTED else redirect("/login")

    def code(self, request: Request) -> Response:
        """Takes the one-time code."""
        form = request.form
        verdict, visit = self._desk.submit_code(
            request.session, csrf=form.get("csrf_token", ""), code=form.get("otp", "")
        )
        if verdict is Verdict.REJECTED:
            return html(pages.one_time_code(visit.csrf, error=WRONG_CODE))
        return self._go_on(verdict, visit)

    def sign_out(self, request: Request) -> Response:
        """Ends the session, where the form came from this site."""
        if not self._desk.sign_out(request.session, csrf=request.form.get("csrf_token", "")):
            return _forged()
        return redirect("/login", headers=(("Set-Cookie", f"{SESSION_COOKIE}={self._attributes}; Max-Age=0"),))

    def csrf(self, request: Request) -> str:
        """What must come back with the forms of this visitor."""
        return self._desk.visit(request.session).csrf

    def stand_in(self, request: Request) -> Response:
        """The sign-in page in place of something else."""
        visit = self._desk.visit(request.session)
        return html(pages.sign_in(visit.csrf))

    def admits(self, request: Request) -> bool:
        """Whether the request comes from somebody who is signed in."""
        return self._desk.step(request.session) is Step.SIGNED_IN

    def _go_on(self, verdict: Verdict, visit: Visit) -> Response:
        if verdict is Verdict.FORGED:
            return _forged()
        onward = "/otp" if verdict is Verdict.CODE_WANTED else "/cases"
        return redirect(onward, headers=self._cookie(visit))

    def _cookie(self, visit: Visit) -> tuple[tuple[str, str], ...]:
        return (("Set-Cookie", f"{SESSION_COOKIE}={visit.cookie}{self._attributes}"),)


def _forged() -> Response:
    return html(pages.message("Forbidden", "The form has expired. Load the page again."), status=403)
