"""`watcher check` as a real command, with a recipe that comes with the program."""

import trustme

from tests.recipe.shipped.walk import RecordedWebsite, configuration, serve_recorded
from tests.support.workspace import Workspace
from watcher.recipe.parse.shipped import FOLDER
from watcher.recipe.workshop.expected import expectation_in

ANSWERS = FOLDER / "it-questura.answers"


def test_check_follows_a_shipped_recipe_and_reports_the_change(empty_workspace: Workspace) -> None:
    website, authority = RecordedWebsite("it-questura"), trustme.CA()
    authority.cert_pem.write_to_path(str(empty_workspace.folder / "authority.pem"))
    expected = expectation_in(ANSWERS / "under-review")
    assert expected is not None
    with serve_recorded(website, authority) as server:
        configuration("it-questura", server.origin, expected, empty_workspace.folder)
        for situation, kind in (("under-review", "case_added"), ("ready-at-an-office", "stage_changed")):
            website.show(ANSWERS / situation)
            result = empty_workspace.run("check", "--json", expect=(1,))  # nothing listens at the channel's address
            (account,) = result.json["accounts"]
            assert [change["kind"] for change in account["changes"]] == [kind]
        alert = empty_workspace.run("alerts", "show", "2").out
        status = empty_workspace.run("status", "26FR000001").out
    for text in (alert, status):
        assert "In English: “The residence permit is ready to be collected”" in text
