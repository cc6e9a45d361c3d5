"""A report of a case as Markdown and as HTML. Pure.

Every text may come from a portal or from the user, so none of them can become markup, a link, or a script.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from watcher.export.case_report import CaseReport, ReportTable
from watcher.text.printable import clean

_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>()#|~&$!]|(?<=\w):(?=//)|(?<=www)\.", re.IGNORECASE)
_BLOCK_START = re.compile(r"^([0-9]*)([-+=.])")
_STYLE = """
body { font: 11pt/1.45 serif; color: #000; background: #fff; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 1.6rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #999; padding: .25rem .5rem; text-align: left; vertical-align: top; }
th, td, dd, blockquote { overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content auto; gap: .2rem 1rem; } dd { margin: 0; }
blockquote { border-left: 3px solid #999; margin: 0; padding-left: 1rem; }
footer { margin-top: 2rem; font-size: .9rem; }
@media print { body { margin: 0; max-width: none; } tr { break-inside: avoid; } }
"""
_PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


def as_markdown(report: CaseReport) -> str:
    """Return the report in Markdown, with tables as GitHub and most other programs read them."""
    facts = (f"- **{markdown(label)}:** {markdown(value)}" for label, value in report.facts)
    blocks = [f"# {markdown(report.title)}", "\n".join(facts)]
    if report.quote:
        blocks += [f"## {markdown(report.quote_title)}", f"> {_paragraph(report.quote)}"]
    for table in report.tables:
        blocks += [f"## {markdown(table.title)}", "\n".join(_markdown_rows(table))]
    blocks += ["---", _paragraph(report.closing)]
    return "\n\n".join(blocks) + "\n"


def markdown(text: str) -> str:
    """Return a text on one line, in which nothing has a meaning in Markdown, and no address becomes a link."""
    return _MARKDOWN.sub(r"\\\g<0>", clean(text).replace("@", "(at)"))


def _paragraph(text: str) -> str:
    """Return a text as a paragraph, which does not begin a list, a heading, or a line."""
    return _BLOCK_START.sub(r"\1\\\2", markdown(text))


def _markdown_rows(table: ReportTable) -> Iterator[str]:
    yield _markdown_row(table.head)
    yield _markdown_row(["---"] * len(table.head), is_escaped=True)
    yield from map(_markdown_row, table.rows)


def _markdown_row(cells: Iterable[str], *, is_escaped: bool = False) -> str:
    return f"| {' | '.join(cells if is_escaped else map(markdown, cells))} |"


def as_html(report: CaseReport) -> str:
    """Return the report as one HTML file to print. It has no script, no link, and loads nothing."""
    facts = "\n".join(f"<dt>{_html(label)}</dt><dd>{_html(value)}</dd>" for label, value in report.facts)
    parts = [f"<h1>{_html(report.title)}</h1>", f"<dl>\n{facts}\n</dl>"]
    if report.quote:
        parts += [f"<h2>{_html(report.quote_title)}</h2>", f"<blockquote>{_html(report.quote)}</blockquote>"]
    for table in report.tables:
        rows = "\n".join(_html_row("td", row) for row in table.rows)
        parts += [f"<h2>{_html(table.title)}</h2>", f"<table>\n{_html_row('th', table.head)}\n{rows}\n</table>"]
    parts.append(f"<footer>{_html(report.closing)}</footer>")
    return _PAGE.format(language=_html(report.language), title=_html(report.title), style=_STYLE, body="\n".join(parts))


def _html_row(tag: str, cells: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{_html(cell)}</{tag}>' for cell in cells)}</tr>"


def _html(text: str) -> str:
    return escape(clean(text))
