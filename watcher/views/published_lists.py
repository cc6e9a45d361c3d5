"""What published lists say about a case, in sentences, for `watcher status` and the page.

Every sentence names the list and its day, or its month.
"""

from collections.abc import Iterator

from watcher.language.catalogue import load_catalogue
from watcher.messages import _, current_language, mark, plural
from watcher.model.priority import Priority
from watcher.reference.inquiry_dates import InquiryStanding, Standing
from watcher.reference.lists import INQUIRY_PAGE, CaseLists, ListName, ListProblem, ProblemKind
from watcher.reference.place_in_line import ChartPlace, PlaceInLine

_UNREADABLE = {
    ListName.INQUIRY_DATES: mark("The list of inquiry dates cannot be read: {reason} ({source})."),
    ListName.VISA_BULLETIN: mark("The visa bulletin cannot be read: {reason} ({source})."),
    ListName.FILING_CHART: mark("The list of filing charts cannot be read: {reason} ({source})."),
}
_OLD = {
    ListName.INQUIRY_DATES: mark("The list of inquiry dates is out of date ({source}, saved on {day})."),
    ListName.VISA_BULLETIN: mark("The visa bulletin is out of date ({source}, saved on {day})."),
    ListName.FILING_CHART: mark("The list of filing charts is out of date ({source}, saved on {day})."),
}


def list_sections(of_case: CaseLists, *, agency: str) -> Iterator[tuple[str, list[str]]]:
    """Yield what the lists say about a case: headings, each with its sentences."""
    if of_case.inquiry is not None:
        yield _("Asking the agency"), [inquiry_sentence(of_case.inquiry, agency=agency)]
    if of_case.place is not None:
        yield _("Place in line"), [f"{heading}: {text}" for heading, text in place_sentences(of_case.place)]


def inquiry_sentence(standing: InquiryStanding, *, agency: str) -> str:
    """Return whether the person may ask about the case."""
    fields = {
        "agency": agency,
        "received": str(standing.received_on or ""),
        "day": str(standing.day or ""),
        "as_of": str(standing.as_of),
        "source": standing.source,
        "page": INQUIRY_PAGE,
    }
    if standing.is_old:
        return _("The list of inquiry dates of {as_of} ({source}) is too old to say whether you may ask.", **fields)
    if standing.state is Standing.OPEN:
        return _(
            "You may ask {agency} since {as_of} at the latest: it received the case on {received}, before the inquiry "
            "date {day} ({source}). {page}",
            **fields,
        )
    if standing.state is Standing.NOT_YET:
        return _(
            "Not yet: {agency} received the case on {received}, and takes questions about cases received before {day} "
            "(list of {as_of}, {source}).",
            **fields,
        )
    if standing.received_on is None:
        return _("Unknown: the case has no date of receipt to compare (list of {as_of}, {source}).", **fields)
    return _("Unknown: the list does not say which date applies to this case (list of {as_of}, {source}).", **fields)


def place_sentences(place: PlaceInLine) -> Iterator[tuple[str, str]]:
    """Yield what each chart says about a priority date, then which one USCIS accepts: pairs of heading and sentence."""
    catalogue = load_catalogue(current_language())
    for one in place.charts:
        yield catalogue.message("chart", one.chart.value), " ".join(_chart_sentences(one, place))
    yield _("Accepted by USCIS"), _accepted_sentence(place)
    if place.is_old:
        yield (
            _("Out of date"),
            _(
                "The bulletin of this month is missing, so these dates may have changed ({source}).",
                source=place.source,
            ),
        )


def _chart_sentences(one: ChartPlace, place: PlaceInLine) -> Iterator[str]:
    fields = {
        "priority": str(place.priority.day),
        "cutoff": str(one.cutoff.day or ""),
        "bulletin": place.bulletin,
        "source": place.source,
    }
    if one.is_current is None:
        yield _("Not known: the bulletin for {bulletin} has no value for this case ({source}).", **fields)
    elif one.is_current and one.cutoff.day is None:
        yield _("Current for every priority date in the bulletin for {bulletin} ({source}).", **fields)
    elif one.is_current:
        yield _(
            "Current: {priority} is earlier than the cutoff {cutoff} in the bulletin for {bulletin} ({source}).",
            **fields,
        )
    elif one.days_behind is None:
        yield _("Not current: no visas are available in the bulletin for {bulletin} ({source}).", **fields)
    else:
        yield plural(
            "Not current: {priority} is {n} day after the cutoff {cutoff} in the bulletin for {bulletin} ({source}).",
            "Not current: {priority} is {n} days after the cutoff {cutoff} in the bulletin for {bulletin} ({source}).",
            one.days_behind,
            **fields,
        )
    if one.moved_days is not None and one.months_at_this_pace is not None:
        yield plural(
            "The cutoff moved forward by {n} day in the last 12 bulletins, up to {bulletin} ({source}).",
            "The cutoff moved forward by {n} days in the last 12 bulletins, up to {bulletin} ({source}).",
            one.moved_days,
            **fields,
        )
        yield plural(
            "At this pace it would take {n} month. This is arithmetic, not a forecast "
            "(bulletin for {bulletin}, {source}).",
            "At this pace it would take {n} months. This is arithmetic, not a forecast "
            "(bulletin for {bulletin}, {source}).",
            one.months_at_this_pace,
            **fields,
        )


def _accepted_sentence(place: PlaceInLine) -> str:
    if place.accepted is None:
        return _("Not known here which chart USCIS accepts in {bulletin}.", bulletin=place.bulletin)
    chart = load_catalogue(current_language()).message("chart", place.accepted.value)
    return _(
        "For adjustment of status in {bulletin}, USCIS accepts the chart {chart} ({source}).",
        bulletin=place.bulletin,
        chart=chart,
        source=place.filing_source,
    )


def priority_text(priority: Priority) -> str:
    """Return a priority date with its category and country."""
    country = load_catalogue(current_language()).message("country", priority.country) or priority.country
    return _("{day} ({category}, {country})", day=priority.day, category=priority.category, country=country)


def problem_sentence(problem: ListProblem) -> str:
    """Return what is wrong with a list, and what is used instead."""
    if problem.kind is ProblemKind.OLD:
        return _(_OLD[problem.name], source=problem.source, day=problem.saved_on)
    text = _(_UNREADABLE[problem.name], reason=problem.reason, source=problem.source)
    if problem.saved_on is None:
        return text
    return _("{text} The data of {day} stay in use.", text=text, day=problem.saved_on)
