"""The portal's pages as HTML. Every function is pure, and all texts that are not HTML are escaped."""

from collections.abc import Iterable
from datetime import date
from html import escape

from watcher.practice.state.case_record import ActionItem, CaseEvent, CaseNotice, CaseRecord, local_date
from watcher.practice.state.wording import english_date

PORTAL_NAME = "Practice Immigration Office"


def sign_in(csrf: str, *, error: str | None = None) -> str:
    """Return the form for user name and password."""
    return _page(
        "Sign in",
        f"""<form id="login" method="post" action="/login">{_error(error)}
{_csrf(csrf)}
<label>User name <input name="username" autocomplete="username"></label>
<label>Password <input type="password" name="password" autocomplete="current-password"></label>
<button>Sign in</button>
</form>""",
    )


def one_time_code(csrf: str, *, error: str | None = None) -> str:
    """Return the form for the one-time code."""
    return _page(
        "Verify your identity",
        f"""<form id="second-step" method="post" action="/otp">{_error(error)}
{_csrf(csrf)}
<label>Code from your authenticator app <input name="otp" inputmode="numeric" autocomplete="one-time-code"></label>
<button>Continue</button>
</form>""",
    )


def locked() -> str:
    """Return the page of a locked account, without a form."""
    return _page(
        "Account locked",
        '<p class="locked">Your account is temporarily locked after too many wrong passwords. Try again later.</p>',
    )


def maintenance() -> str:
    """Return the maintenance page."""
    return _page("We will be back", "<h1>Scheduled maintenance</h1><p>We are improving our site. Thank you.</p>")


def message(title: str, text: str) -> str:
    """Return a page with one message."""
    return _page(title, f"<h1>{escape(title)}</h1><p>{escape(text)}</p>")


def case_list(records: tuple[CaseRecord, ...], *, next_href: str | None, csrf: str) -> str:
    """Return one page of the list, with a sign-out form."""
    rows = "\n".join(_row(record) for record in records)
    following = f'<a class="next" href="{escape(next_href)}">Next</a>' if next_href else ""
    head = "<thead><tr><th>Receipt</th><th>Form</th><th>Status</th></tr></thead>"
    return _page(
        "My cases",
        f"""<h1>My cases</h1>
<table id="cases">{head}
<tbody>
{rows}
</tbody></table>
{following}
<form id="sign-out" method="post" action="/sign-out">{_csrf(csrf)}<button>Sign out</button></form>""",
    )


def case_detail(record: CaseRecord) -> str:
    """Return the page of one case."""
    updated = record.updated_at.isoformat(timespec="seconds")
    return _page(
        record.number,
        f"""<article id="case-detail" data-receipt="{escape(record.number)}">
<h1>{escape(record.title)}</h1>
<p>Form {_span("form-type", record.form)}, filed {_dated("filed", local_date(record.submitted_at))}</p>
<h2 class="status">{escape(record.status.title_en)}</h2>
<p>Since {_dated("status-date", record.status.on)}</p>
<p class="status-text">{record.status.text_en}</p>
<p>Last updated <time class="updated" datetime="{updated}">{english_date(local_date(record.updated_at))}</time></p>
{_list("action-items", (_action_item(item) for item in record.items))}
{_list("notices", (_notice(notice) for notice in record.notices))}
{_list("history", (_event(event) for event in record.events))}
</article>""",
    )


def _row(record: CaseRecord) -> str:
    number = escape(record.number)
    return (
        f'<tr><td class="receipt"><a href="/cases/{number}">{number}</a></td>'
        f'<td class="form-type">{escape(record.form)}</td><td class="status">{escape(record.status.title_en)}</td></tr>'
    )


def _action_item(item: ActionItem) -> str:
    parts = [_span("kind", item.kind), _span("title", item.title)]
    if item.due_on:
        parts.append(_dated("due", item.due_on))
    if item.starts_at:
        iso = item.starts_at.isoformat(timespec="minutes")
        parts.append(f'<time class="when" datetime="{iso}">{iso.replace("T", " ")}</time>')
    if item.place:
        parts.append(_span("place", item.place))
    if item.answered:
        parts.append(_span("answered", "Yes"))
    return f'<li class="action-item" data-id="{escape(item.key)}">{" ".join(parts)}</li>'


def _notice(notice: CaseNotice) -> str:
    key = escape(notice.key)
    link = f'<a href="/notices/{key}.pdf">Download</a>'
    return (
        f'<li class="notice" data-id="{key}">{_span("title", notice.title)} {_dated("date", notice.dated)} {link}</li>'
    )


def _event(event: CaseEvent) -> str:
    key = escape(event.key)
    return f'<li class="event" data-id="{key}">{_dated("date", event.on)} {_span("text", event.text_en)}</li>'


def _list(name: str, entries: Iterable[str]) -> str:
    return f'<ul id="{name}">\n' + "\n".join(entries) + "\n</ul>"


def _dated(name: str, day: date) -> str:
    return f'<time class="{name}" datetime="{day.isoformat()}">{english_date(day)}</time>'


def _span(name: str, text: str) -> str:
    return f'<span class="{name}">{escape(text)}</span>'


def _csrf(csrf: str) -> str:
    return f'<input type="hidden" name="csrf_token" value="{escape(csrf)}">'


def _error(error: str | None) -> str:
    return f'\n<p class="error" role="alert">{escape(error)}</p>' if error else ""


def _page(title: str, content: str) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)} | {PORTAL_NAME}</title></head>\n<body><main>\n{content}\n</main></body></html>\n"
    )
