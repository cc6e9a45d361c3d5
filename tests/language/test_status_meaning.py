import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.language.status_meaning import Meaning, is_placeholder, meaning_of, titles, vocabularies
from watcher.language.title_pattern import normalize_title
from watcher.model.case import ItemKind, Stage
from watcher.model.change import Severity

EVERY_TITLE = [(name, title) for name in vocabularies() for title in titles(name)]

# fmt: off
USUAL_WORDS = [
    "case", "form i-485", "your", "we", "expedite", "evidence", "interview", "notice", "intent", "request", "was",
    "has been", "not", "to", "deny", "approved", "denied", "rejected", "closed", "received", "scheduled",
]
# fmt: on
DECISION = re.compile(
    r"(?:your )?(?:case|form i-485) (?:was |has been )?(?:approved|denied|rejected|closed)"
    r"|we (?:approved|denied|rejected|closed) (?:your case|(?:your )?form i-485)"
)
FAVORABLE = {Stage.APPROVED, Stage.ISSUED}
UNFAVORABLE = {Stage.DENIED, Stage.REFUSED, Stage.REJECTED, Stage.CLOSED, Stage.WITHDRAWN}


@pytest.mark.parametrize(("vocabulary", "title"), EVERY_TITLE)
def test_every_listed_title_is_known(vocabulary: str, title: str) -> None:
    meaning = meaning_of(title, vocabulary=vocabulary)
    assert meaning.known
    assert meaning.stage is not Stage.UNKNOWN


@pytest.mark.parametrize("vocabulary", vocabularies())
def test_no_title_occurs_twice_in_one_vocabulary(vocabulary: str) -> None:
    normalized = [normalize_title(title) for title in titles(vocabulary)]
    assert len(normalized) == len(set(normalized))


@pytest.mark.parametrize(
    ("title", "stage"),
    [
        ("Case Was Received", Stage.RECEIVED),
        ("Fees Were Waived and Case Was Received", Stage.RECEIVED),
        ("Fingerprint Fee Was Received", Stage.RECEIVED),
        ("Case Was Updated To Show Fingerprints Were Taken", Stage.BIOMETRICS),
        ("Case Was Updated To Show That No One Appeared for In-Person Processing", Stage.BIOMETRICS),
        ("USCIS Is currently Processing the Case", Stage.UNDER_REVIEW),
        ("Expedite Request Approved", Stage.UNDER_REVIEW),
        ("Expedite Request Denied", Stage.UNDER_REVIEW),
        ("Case Was Reopened", Stage.UNDER_REVIEW),
        ("Request for Additional Evidence Was Sent", Stage.EVIDENCE_REQUESTED),
        ("Notice Of Intent To Deny Was Sent", Stage.EVIDENCE_REQUESTED),
        ("Resubmitted Fee Was Not Accepted", Stage.EVIDENCE_REQUESTED),
        ("Response To USCIS' Request For Evidence Was Received", Stage.EVIDENCE_RECEIVED),
        ("Interview Cancelled And Notice Ordered", Stage.INTERVIEW),
        ("Case Was Transferred To Schedule An Interview", Stage.INTERVIEW),
        ("Department of State Sent Case to USCIS For Review", Stage.TRANSFERRED),
        ("Appeal Was Remanded To The Originating Office For Consideration", Stage.TRANSFERRED),
        ("Case Approval Was Affirmed", Stage.APPROVED),
        ("Certificate Of Naturalization Was Issued", Stage.ISSUED),
        ("New Card Is Being Produced", Stage.ISSUED),
        ("Card Was Returned To USCIS", Stage.ISSUED),
        ("Case Rejected For Incorrect Fee, Payment Not Signed And Incorrect Form Version", Stage.REJECTED),
        ("Case Was Denied", Stage.DENIED),
        ("Appeal Was Dismissed", Stage.DENIED),
        ("Case Was Automatically Revoked", Stage.DENIED),
        ("Withdrawal Acknowledgement Notice Was Sent", Stage.WITHDRAWN),
        ("Case Administratively Closed", Stage.CLOSED),
        ("Termination Notice Sent", Stage.CLOSED),
        ("Case Closed Benefit Received By Other Means", Stage.CLOSED),
    ],
)
def test_uscis_titles_have_their_stage(title: str, stage: Stage) -> None:
    assert meaning_of(title).stage is stage


@pytest.mark.parametrize(
    ("title", "stage"),
    [
        ("No Status", Stage.RECEIVED),
        ("At NVC", Stage.TRANSFERRED),
        ("Ready", Stage.INTERVIEW),
        ("Administrative Processing", Stage.ADMINISTRATIVE_PROCESSING),
        ("Refused", Stage.REFUSED),
        ("Refused under INA 221(g)", Stage.REFUSED),
        ("REFUSED UNDER INA SECTION 221(G)", Stage.REFUSED),
        ("Refused under INA 212(a)(6)(C)(i)", Stage.REFUSED),
        ("Issued", Stage.ISSUED),
        ("Denied", Stage.DENIED),
    ],
)
def test_ceac_titles_have_their_stage(title: str, stage: Stage) -> None:
    assert meaning_of(title, vocabulary="ceac").stage is stage


def test_refused_is_not_final_at_a_consulate_but_a_denial_at_ircc() -> None:
    assert not meaning_of("Refused", vocabulary="ceac").stage.final
    assert meaning_of("Refused", vocabulary="ircc").stage is Stage.DENIED


def test_completed_at_ircc_is_not_an_approval() -> None:
    assert meaning_of("completed", vocabulary="ircc").stage is Stage.CLOSED
    assert meaning_of("inProgress", vocabulary="ircc").stage is Stage.UNDER_REVIEW


@pytest.mark.parametrize(
    ("title", "asks"),
    [
        ("Request for Initial Evidence Was Mailed", ItemKind.RFE),
        ("Notice Of Intent To Deny Was Sent", ItemKind.INTENT_TO_DENY),
        ("CWR Notice of Intent to Revoke Sent", ItemKind.INTENT_TO_DENY),
        ("Intent To Rescind Notice Was Mailed", ItemKind.INTENT_TO_DENY),
        ("Interview Was Rescheduled", ItemKind.INTERVIEW),
        ("Fingerprint Appointment Was Scheduled", ItemKind.BIOMETRICS),
        ("Oath Ceremony Notice Was Mailed", ItemKind.OATH_CEREMONY),
        ("Resubmitted Fee Was Not Accepted", ItemKind.FEE),
        ("Travel Document Was Returned to USCIS And Will Be Held For 180 Days", ItemKind.TASK),
        ("Case Was Approved", None),
        ("Case is Ready to Be Scheduled for An Interview", None),
        ("Interview Cancelled", None),
    ],
)
def test_title_that_requests_something_gives_the_item_kind(title: str, asks: ItemKind | None) -> None:
    assert meaning_of(title).asks is asks


def test_titles_give_the_items_they_answer_and_cancel() -> None:
    answered = meaning_of("Response To USCIS' Request For Evidence Was Received").answers
    assert answered == {ItemKind.RFE}
    assert meaning_of("Response To Notice of Intent to Deny Was Received").answers == {ItemKind.INTENT_TO_DENY}
    assert not meaning_of("Request for Additional Information Received").answers
    assert meaning_of("Request for Evidence Was Withdrawn").cancels == {ItemKind.RFE}
    assert meaning_of("Fingerprint Review Was Completed").answers == {ItemKind.BIOMETRICS}
    assert meaning_of("Interview Was Completed And My Case Must Be Reviewed").answers == {ItemKind.INTERVIEW}
    assert meaning_of("Interview Cancelled").cancels == {ItemKind.INTERVIEW}


@st.composite
def respelled(draw: st.DrawFn) -> tuple[str, str, str]:
    """Generate a title, and the same title in another letter case, with other apostrophes, entities, and spaces."""
    vocabulary, title = draw(st.sampled_from(EVERY_TITLE))
    spelled = draw(st.sampled_from([title.upper(), title.lower(), title.title(), title.swapcase(), title]))
    mark = draw(st.sampled_from(["'", "\N{RIGHT SINGLE QUOTATION MARK}", "&#039;", "&#39;", "&apos;", "&rsquo;", ""]))
    spelled = spelled.replace("'", mark).replace("/", draw(st.sampled_from(["/", "&#47;", "&#x2F;"])))
    gap = draw(st.sampled_from([" ", "  ", "\N{NO-BREAK SPACE}", "&nbsp;", "\t", "\n   "]))
    ends = st.sampled_from(["", " ", ".", " .", "\n", "\N{ZERO WIDTH SPACE}"])
    return vocabulary, title, draw(st.sampled_from(["", " ", "\t"])) + spelled.replace(" ", gap) + draw(ends)


@given(respelled())
def test_case_apostrophes_entities_spaces_and_a_final_period_do_not_matter(
    case: tuple[str, str, str],
) -> None:
    vocabulary, title, spelled = case
    assert meaning_of(spelled, vocabulary=vocabulary) == meaning_of(title, vocabulary=vocabulary)


def test_entity_escaped_twice_is_an_apostrophe() -> None:
    assert meaning_of("Response To USCIS&amp;#039; Request For Evidence Was Received").known


@pytest.mark.parametrize(
    "title",
    [
        "Your Form I-765 has been approved.",
        "Your Form I-485, Application to Register Permanent Residence or Adjust Status, has been approved",
        "We approved your Form I-130, Petition for Alien Relative.",
    ],
)
def test_sentence_of_the_account_site_matches_any_form(title: str) -> None:
    assert meaning_of(title).stage is Stage.APPROVED


@pytest.mark.parametrize(
    "title",
    [
        "Your Form I-485 expedite request has been approved",
        "Your Form I-485, fee waiver for your application, has been approved",
        "Your Form I-485 has not been approved",
        "Case Was Not Approved",
        "Request To Cancel Was Approved",
        "Case Was Denied In Part",
        "Approval Is Pending",
        "Case Was Approvedish",
        "",
        "\N{ZERO WIDTH SPACE}",
    ],
)
def test_text_that_resembles_a_listed_title_is_unknown(title: str) -> None:
    assert meaning_of(title) == Meaning()


@given(
    st.lists(
        st.sampled_from(USUAL_WORDS),
        max_size=9,
    ).map(" ".join)
)
def test_combination_of_usual_words_is_a_decision_only_if_the_subject_is_the_case(title: str) -> None:
    if meaning_of(title).stage in FAVORABLE | UNFAVORABLE:
        assert DECISION.fullmatch(title)


@pytest.mark.parametrize("title", ["CASE STATUS", "case status", "  ", ""])
def test_placeholder_of_the_status_page_is_not_a_status(title: str) -> None:
    assert is_placeholder(title)
    assert not meaning_of(title).known


def test_status_is_not_a_placeholder() -> None:
    assert not is_placeholder("Case Was Received")
    assert not is_placeholder("Something USCIS has never said")


@pytest.mark.parametrize(
    ("title", "asks"),
    [
        ("A Request for Evidence is on its way to you", ItemKind.RFE),
        ("Notice of Intent to Terminate Is in the Mail", ItemKind.INTENT_TO_DENY),
        ("We intend to deny your application", ItemKind.INTENT_TO_DENY),
        ("Your second interview has been scheduled", ItemKind.INTERVIEW),
        ("Second Fingerprinting Has Been Scheduled", ItemKind.BIOMETRICS),
        ("Your Judicial Oath Ceremony Has Been Scheduled", ItemKind.OATH_CEREMONY),
        ("Your card could not be delivered and is on its way back", ItemKind.TASK),
        ("Action Required: please upload your passport", ItemKind.TASK),
        ("No action is required: we do not need anything from you", None),
        ("Response to the Request for Evidence is being read", None),
        ("Request for Evidence Response Was Read", None),
        ("Notice of Intent to Deny Is No Longer Intended", None),
        ("Interview Was Not Scheduled", None),
        ("Request to reschedule interview was scheduled for review", None),
        ("Something USCIS has never said", None),
    ],
)
def test_unknown_title_may_request_an_item_but_has_no_stage(title: str, asks: ItemKind | None) -> None:
    meaning = meaning_of(title)
    assert (meaning.stage, meaning.known) == (Stage.UNKNOWN, False)
    assert meaning.asks is asks
    assert meaning.severity is (Severity.URGENT if asks else Severity.IMPORTANT)


@pytest.mark.parametrize(
    ("description", "stage"),
    [
        ("On May 4, 2026, your travel authorization was approved.", Stage.APPROVED),
        ("You are authorized to travel to the United States.", Stage.APPROVED),
        ("On May 4, 2026, we denied your travel authorization.", Stage.UNDER_REVIEW),
        ("Your travel authorization was not approved.", Stage.UNDER_REVIEW),
        ("A decision has been posted to your account.", Stage.UNDER_REVIEW),
        (None, Stage.UNDER_REVIEW),
    ],
)
def test_travel_authorization_is_approved_only_if_the_text_says_so(description: str | None, stage: Stage) -> None:
    assert meaning_of("Travel Authorization Decision Posted", description=description).stage is stage


def test_description_does_not_change_an_ordinary_title() -> None:
    assert meaning_of("Case Was Received", description="It was approved.").stage is Stage.RECEIVED


def test_general_vocabulary_extends_that_of_uscis() -> None:
    assert meaning_of("Under Review", vocabulary="general").stage is Stage.UNDER_REVIEW
    assert meaning_of("Case Was Received", vocabulary="general").stage is Stage.RECEIVED
    assert meaning_of("Another Request for Evidence", vocabulary="general").asks is ItemKind.RFE
    assert not meaning_of("Rejected", vocabulary="general").known


def test_unknown_vocabulary_raises_key_error() -> None:
    with pytest.raises(KeyError):
        meaning_of("Case Was Received", vocabulary="atlantis")


@given(st.text(max_size=300))
def test_any_text_has_a_meaning(text: str) -> None:
    for vocabulary in vocabularies():
        meaning: Any = meaning_of(text, vocabulary=vocabulary)
        assert meaning.known == (meaning.stage is not Stage.UNKNOWN)
