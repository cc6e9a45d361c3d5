"""Processing times that an agency publishes, copied by the user as CSV lines.

form,days
I-485,420
N-400,270
"""

import csv
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from watcher.errors import SettingsFaults
from watcher.messages import _
from watcher.settings.values import MAX_PROCESSING_DAYS

_MAX_SIZE = 1024 * 1024


def read_processing_times(path: Path) -> dict[str, timedelta]:
    """Return the processing times in a file, by form. Raises SettingsFaults with a line for each fault."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_SIZE + 1)
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsFaults(
            [_("{file}: the processing times cannot be read: {reason}", file=path, reason=error)]
        ) from error
    if len(content) > _MAX_SIZE:
        raise SettingsFaults(
            [
                _(
                    "{file}: is larger than {limit} bytes, so it cannot be a list of processing times",
                    file=path,
                    limit=_MAX_SIZE,
                )
            ]
        )
    try:
        return parse_processing_times(text)
    except SettingsFaults as faults:
        raise SettingsFaults([f"{path}: {fault}" for fault in faults.faults]) from None


def parse_processing_times(text: str) -> dict[str, timedelta]:
    """Return the processing times in `text`, by form.

    A header and empty lines are ignored. The last line of a form counts. Raises SettingsFaults with a line for each
    fault.
    """
    times: dict[str, timedelta] = {}
    faults: list[str] = []
    for number, row in enumerate(_rows(text), start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and [cell.lower() for cell in cells] == ["form", "days"]):
            continue
        match cells:
            case [form, days] if form and re.fullmatch("[0-9]{1,6}", days) and 0 < int(days) <= MAX_PROCESSING_DAYS:
                times[form.upper()] = timedelta(days=int(days))
            case _:
                faults.append(_('line {number}: use a form and a number of days, such as "I-485,420"', number=number))
    if faults:
        raise SettingsFaults(faults)
    return times


def _rows(text: str) -> Iterator[list[str]]:
    """Yield the rows. A cell too long for the standard library's parser (128 KiB) makes its row invalid."""
    for line in text.splitlines():
        try:
            yield from csv.reader([line])
        except csv.Error:
            yield [_("a cell is too long")]
