"""`watcher portals`: what each portal needs and shows, and how far it was tested. Needs no configuration."""

from collections.abc import Iterator, Sequence
from typing import Any

import click

from watcher import portals
from watcher.cli.options import JSON
from watcher.cli.terminal.output import print_json, print_line
from watcher.messages import Words, _, shown
from watcher.portal import Portal, Variant

_MIN_LABEL = 9
_Sections = Sequence[tuple[str, Sequence[str]]]


@click.command("portals")
@JSON
def portals_command(*, as_json: bool) -> None:
    """List the portals: what each needs, what it shows, and how far it has been tested."""
    listed = [portals.find(name) for name in portals.names()]
    if as_json:
        print_json({"portals": [_document(portal) for portal in listed]})
        return
    for portal in listed:
        print_line(_("{about}: {text}", about=portal.name, text=_(portal.title)), bold=True)
        needs, sees = ([_(line) for line in lines] for lines in (portal.needs, portal.sees))
        _show(((_("needs"), needs), (_("shows"), sees), (_("tested"), [_(portal.verified)])), indent=2)
        print_line()
        for variant in portal.variants():
            title = _("{about}: {text}", about=variant.name, text=shown(variant.title))
            print_line(f"  {title}", bold=True)
            _show(list(_sections(variant)), indent=4)
            print_line()


def _sections(variant: Variant) -> Iterator[tuple[str, Sequence[str]]]:
    yield _("needs"), [_("{about}: {text}", about=key, text=shown(what)) for key, what in variant.needs]
    if variant.sees:
        yield _("shows"), [", ".join(map(shown, variant.sees))]
    if variant.verified:
        yield _("tested"), [_("{text} (sources: {years})", text=_(variant.verified), years=variant.sources)]


def _show(sections: _Sections, *, indent: int) -> None:
    width = max(_MIN_LABEL, *(len(label) for label, _lines in sections))
    for label, lines in sections:
        for index, line in enumerate(lines):
            print_line(f"{'':{indent}}{'' if index else label:{width}} {line}")


def _document(portal: Portal) -> dict[str, Any]:
    return {
        "name": portal.name,
        "title": portal.title,
        "needs": list(portal.needs),
        "sees": list(portal.sees),
        "verified": portal.verified,
        "variants": [_variant_document(variant) for variant in portal.variants()],
    }


def _variant_document(variant: Variant) -> dict[str, Any]:
    return {
        "name": variant.name,
        "country": variant.country,
        "title": _english(variant.title),
        "needs": {key: _english(what) for key, what in variant.needs},
        "sees": list(variant.sees),
        "verified": variant.verified,
        "sources": variant.sources,
    }


def _english(text: str | Words) -> str:
    return text if isinstance(text, str) else text.get("en", "")
