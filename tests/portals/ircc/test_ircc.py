import json
import tomllib
from datetime import UTC, date, datetime
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.doubles.ircc import CLIENT_ID, PASSWORD, UCI, citizenship, immigration
from tests.portals.ircc.ircc_account import CITIZEN, ONE, TWO, IrccFixture
from watcher.errors import ReadFailed, UnexpectedAnswer
from watcher.model.case import Stage
from watcher.model.change import ChangeKind
from watcher.portal import CaseFailed, CaseRead
from watcher.portals import find
from watcher.portals.ircc.account import IrccAccount
from watcher.reading.diff import diff
from watcher.reading.normalize import normalize


class TestSettings:
    def account(self, **keys: Any) -> IrccAccount:
        defaults = {"name": "family", "portal": "ircc", "program": "immigration", "username": UCI, "password": PASSWORD}
        return IrccAccount.model_validate({**defaults, **keys})

    @pytest.mark.parametrize("uci", ["1100000001", "11-0000-0001", " 11 0000 0001 "])
    def test_uci_is_normalized_to_digits(self, uci: str) -> None:
        assert self.account(username=uci).username == UCI

    @pytest.mark.parametrize("uci", ["", "12345", "123456789", "someone@example.org", "11000000O1"])
    def test_invalid_uci_is_rejected_with_the_expected_format(self, uci: str) -> None:
        with pytest.raises(ValidationError, match="8 or 10 digits"):
            self.account(username=uci)

    def test_old_uci_with_eight_digits_is_accepted(self) -> None:
        assert self.account(username="1100-0001").username == "11000001"

    def test_case_numbers_are_normalized_to_the_trackers_spelling(self) -> None:
        assert self.account(cases=["e000 000-001"]).cases == (ONE,)
        with pytest.raises(ValidationError, match="E000000001"):
            self.account(cases=["IOE0000000001X"])

    def test_program_and_password_are_required(self) -> None:
        with pytest.raises(ValidationError) as caught:
            self.account(program="both", password="")
        assert {error["loc"][0] for error in caught.value.errors()} == {"program", "password"}

    def test_credential_depends_on_uci_and_password(self) -> None:
        accounts = (self.account(), self.account(username="1100000002"), self.account(password="another"))
        assert len({account.credential() for account in accounts}) == 3
        assert PASSWORD not in repr(self.account())

    @pytest.mark.parametrize("program", ["immigration", "citizenship"])
    def test_links_point_to_the_official_tracker_regardless_of_base_url(self, program: str) -> None:
        links = find("ircc").links(self.account(program=program, base_url="http://127.0.0.1:1"))
        assert links.sign_in.startswith("https://")
        assert links.sign_in.split("/")[2].endswith(".apps.cic.gc.ca")

    def test_each_program_has_its_own_tracker(self) -> None:
        first, second = self.account().tracker, self.account(program="citizenship").tracker
        assert {first.site, first.api, first.client_id}.isdisjoint({second.site, second.api, second.client_id})

    def test_only_the_known_pool_may_issue_tokens_for_the_published_app(self) -> None:
        tracker = self.account().tracker
        base = "https://cognito-idp.ca-central-1.amazonaws.com/ca-central-1_"
        assert tracker.accepts_issuer(f"{base}7OCkCncWC", client_id=tracker.client_id)
        assert not tracker.accepts_issuer(f"{base}Other", client_id=tracker.client_id)
        assert tracker.accepts_issuer(f"{base}Other", client_id=CLIENT_ID)
        assert not tracker.accepts_issuer("https://evil.example/ca-central-1_7OCkCncWC", client_id=CLIENT_ID)


class TestSnapshots:
    def test_all_applications_of_an_immigration_account_are_read(self, pr: IrccFixture) -> None:
        snapshots = pr.snapshots()
        assert sorted(snapshots) == [ONE, TWO]
        case = snapshots[ONE]
        assert (case.stage, case.status, case.title) == (Stage.UNDER_REVIEW, "inProgress", "Permanent residence")
        assert case.submitted_on == date(2025, 1, 1)
        assert case.updated_at == datetime(2026, 3, 15, 18, 22, 11, tzinfo=UTC)
        assert case.pending == ()

    def test_citizenship_application_is_read(self, citizen: IrccFixture) -> None:
        (case,) = citizen.snapshots().values()
        assert (case.case_number, case.stage) == (CITIZEN, Stage.UNDER_REVIEW)
        assert case.updated_at == datetime(2026, 1, 1, tzinfo=UTC)
        assert [part.key for part in case.parts or ()] == [
            "backgroundVerification",
            "citizenshipOath",
            "citizenshipTest",
            "language",
            "prohibitions",
            "residency",
        ]

    def test_titles_are_french_if_french_is_chosen(self, citizen: IrccFixture) -> None:
        (case,) = citizen.snapshots("fr").values()
        assert [entry.title for entry in case.history or ()] == ["Nous avons reçu votre demande"]
        assert {part.title for part in case.parts or ()} >= {"Serment de citoyenneté"}

    def test_cases_setting_filters_the_applications(self, pr: IrccFixture) -> None:
        assert sorted(pr.snapshots(cases=[TWO.lower()])) == [TWO]
        requested = [json.loads(request.body).get("applicationNumber") for request in pr.servers.api.requests]
        assert requested == [None, TWO]

    def test_answers_are_stored_by_method_name_and_give_the_same_snapshot(self, pr: IrccFixture) -> None:
        (result, _) = pr.read()
        assert isinstance(result, CaseRead)
        assert find("ircc").read(result.answers, "en") == result.snapshot

    def test_snapshots_contain_no_personal_names_or_uci(self, pr: IrccFixture, citizen: IrccFixture) -> None:
        for case in (*pr.snapshots().values(), *citizen.snapshots().values()):
            assert "TEST" not in repr(case)
            assert UCI not in repr(case)

    def test_waiting_tasks_without_an_action_become_a_pending_item(self, pr: IrccFixture) -> None:
        pr.tracker.tasks[ONE] = 2
        (item,) = pr.snapshots()[ONE].pending or ()
        assert (item.key, item.title) == ("tasks", "Tasks waiting in the tracker: 2")

    def test_changed_update_time_alone_is_a_silent_update(self, pr: IrccFixture) -> None:
        before = normalize(None, pr.snapshots()[ONE], vocabulary="ircc")
        pr.tracker.applications[ONE] = immigration(ONE, lastUpdated="2026-03-16T02:00:00.000Z")
        after = normalize(before, pr.snapshots()[ONE], vocabulary="ircc")
        changes = diff(
            before,
            after,
            now=datetime(2026, 11, 22, 12, tzinfo=UTC),
            zone=ZoneInfo("America/Toronto"),
            vocabulary="ircc",
        )
        assert [change.kind for change in changes] == [ChangeKind.SILENT_UPDATE]

    def test_changed_part_status_is_a_part_change(self, citizen: IrccFixture) -> None:
        before = normalize(None, citizen.snapshots()[CITIZEN], vocabulary="ircc")
        citizen.tracker.applications[CITIZEN]["activities"][0]["status"] = "inProgress"
        after = normalize(before, citizen.snapshots()[CITIZEN], vocabulary="ircc")
        changes = diff(
            before,
            after,
            now=datetime(2026, 11, 22, 12, tzinfo=UTC),
            zone=ZoneInfo("America/Toronto"),
            vocabulary="ircc",
        )
        assert [(change.kind, change.subject) for change in changes] == [(ChangeKind.PART_CHANGED, "language")]

    def test_switching_the_language_is_not_a_change(self, citizen: IrccFixture) -> None:
        before = normalize(None, citizen.snapshots("en")[CITIZEN], vocabulary="ircc")
        after = normalize(before, citizen.snapshots("fr")[CITIZEN], vocabulary="ircc")
        assert (
            diff(
                before,
                after,
                now=datetime(2026, 11, 22, 12, tzinfo=UTC),
                zone=ZoneInfo("America/Toronto"),
                vocabulary="ircc",
            )
            == ()
        )


class TestImmigrationActions:
    """No action of the immigration tracker has been published; whatever its format, it is shown."""

    def pending(self, pr: IrccFixture, *actions: Any, language: str = "en") -> list[tuple[str, str]]:
        pr.tracker.applications[ONE]["relations"][0]["actions"] = list(actions)
        items = pr.snapshots(language)[ONE].pending or ()
        return [(item.kind.value, item.title) for item in items]

    def test_action_in_the_citizenship_format_is_understood(self, pr: IrccFixture) -> None:
        action = {"activity": "biometrics", "title": {"en": "Give your biometrics", "fr": "Fournissez vos données"}}
        assert self.pending(pr, action) == [("biometrics", "Give your biometrics")]
        assert self.pending(pr, action, language="fr") == [("biometrics", "Fournissez vos données")]

    def test_action_of_unknown_format_is_still_reported(self, pr: IrccFixture) -> None:
        expected = [("task", "The tracker asks for something; sign in to see what")]
        assert self.pending(pr, {"somethingElse": 5}) == expected
        assert self.pending(pr, {"somethingElse": 5}, {"somethingElse": 6}) == expected * 2

    def test_action_title_may_be_a_plain_string(self, pr: IrccFixture) -> None:
        assert self.pending(pr, {"title": "Pay a fee &amp; more"}) == [("task", "Pay a fee & more")]

    def test_action_keys_do_not_depend_on_their_order(self, pr: IrccFixture) -> None:
        one, two = {"title": "One"}, {"title": "Two"}
        relation = pr.tracker.applications[ONE]["relations"][0]
        relation["actions"] = [one, two]
        first = pr.snapshots()[ONE].pending
        relation["actions"] = [two, one]
        assert pr.snapshots()[ONE].pending == first


class TestHistoryCodes:
    def hints(self, pr: IrccFixture, *events: tuple[str, int | None], language: str = "en") -> list[str | None]:
        pr.tracker.applications[ONE]["relations"][0]["history"] = [
            {"key": key, "dateCreated": f"2025-01-{day:02}T09:00:00.000Z", "actStatus": status}
            for day, (key, status) in enumerate(events, start=1)
        ]
        history = pr.snapshots(language)[ONE].history or ()
        assert [entry.title for entry in history] == [key for key, _ in events]
        return [entry.hint for entry in history]

    def test_code_is_kept_verbatim_with_its_meaning_as_hint(self, pr: IrccFixture) -> None:
        hints = self.hints(pr, ("Word LTR 20", 33), ("873", 1), ("A-Code-Nobody-Knows", 1))
        assert hints == ["Confirmation of permanent residence issued", "Passport", None]

    def test_hints_are_french_if_french_is_chosen(self, pr: IrccFixture) -> None:
        assert self.hints(pr, ("873", 1), language="fr") == ["Passeport"]

    def test_security_check_state_is_derived_from_its_number(self, pr: IrccFixture) -> None:
        events = (("Security", 17), ("Security", 33), ("Security", 99), ("Security", None), ("Eligibility", 33))
        assert self.hints(pr, *events) == ["Security: in progress", "Security: finished", None, None, None]

    def test_approval_letter_is_a_hint_and_does_not_change_the_stage(self, pr: IrccFixture) -> None:
        self.hints(pr, ("Word LTR 28", 33), ("Word LTR 20", 33))
        assert pr.snapshots()[ONE].stage is Stage.UNDER_REVIEW

    def test_identical_history_entries_get_distinct_keys(self, pr: IrccFixture) -> None:
        relation = pr.tracker.applications[ONE]["relations"][0]
        relation["history"] = [{"key": "57", "dateCreated": "2025-01-01T09:00:00.000Z"}] * 2
        keys = [entry.key for entry in pr.snapshots()[ONE].history or ()]
        assert keys == ["2025-01-01T09:00:00+00:00 57", "2025-01-01T09:00:00+00:00 57 #2"]

    def test_every_code_meaning_is_unique_and_in_both_languages(self) -> None:
        file = resources.files("watcher.portals.ircc").joinpath("history.toml")
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        codes = [code for line in content["reading"] for code in line["codes"]]
        assert len(codes) == len(set(codes)) > 40
        for line in (*content["reading"], *content["state"]):
            assert line["en"].strip()
            assert line["fr"].strip()


class TestSeveralPeople:
    def relation(self, uci: str | None, role: int | None) -> dict[str, Any]:
        relation: dict[str, Any] = immigration(ONE)["relations"][0]
        return {**relation, "uci": uci, "role": role}

    def parts(self, pr: IrccFixture, *relations: dict[str, Any]) -> list[tuple[str, str]]:
        pr.tracker.applications[ONE]["relations"] = list(relations)
        return [(part.key, part.title) for part in pr.snapshots()[ONE].parts or ()]

    def test_adding_a_relative_does_not_change_the_principal_applicants_entries(self, pr: IrccFixture) -> None:
        alone = self.parts(pr, self.relation(UCI, 1))
        both = self.parts(pr, self.relation("1100000002", 2), self.relation(UCI, 1))
        assert [part for part in both if part in alone] == alone
        assert len(both) == 2 * len(alone)

    def test_two_children_are_distinguished_regardless_of_order(self, pr: IrccFixture) -> None:
        family = [self.relation(UCI, 1), self.relation("1100000002", 3), self.relation("11-0000-0003", 3)]
        first = self.parts(pr, *family)
        assert first == self.parts(pr, *reversed(family))
        assert {title.rpartition(" (")[2] for _, title in first if "(" in title} == {
            "family member …02)",
            "family member …03)",
        }

    def test_indistinguishable_people_are_an_unexpected_answer(self, pr: IrccFixture) -> None:
        for relation in (self.relation(None, 2), self.relation("1100000002", None), self.relation("", 2)):
            pr.tracker.applications[ONE]["relations"] = [self.relation(UCI, 1), relation]
            (first, _) = pr.read()
            assert isinstance(first, CaseFailed)
            assert isinstance(first.error, UnexpectedAnswer)


_KEYS = (
    *("app", "appNumber", "applicationNumber", "relations", "activities", "history", "actions", "apps", "status"),
    *("title", "en", "key", "dateCreated", "time", "type", "lastUpdated", "uci", "role", "tasks"),
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("2025-01-01T00:00:00Z"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(_KEYS),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(_json, _json, st.sampled_from(["immigration", "citizenship"]))
def test_any_json_gives_a_snapshot_or_a_read_error(profile: Any, noise: Any, program: str) -> None:
    details: Any = immigration(ONE) if program == "immigration" else citizenship(CITIZEN)
    if isinstance(noise, dict):
        details |= noise
    answers = {
        "get-profile-summary": json.dumps(profile).encode(),
        "get-application-details": json.dumps(details).encode(),
    }
    for subset in (answers, {"get-application-details": answers["get-application-details"]}):
        try:
            snapshot = find("ircc").read(subset, "fr")
        except ReadFailed:
            continue
        for entries in (snapshot.parts, snapshot.pending, snapshot.history):
            keys = [entry.key for entry in entries or ()]
            assert keys == sorted(set(keys))
