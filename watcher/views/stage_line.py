"""The stage line of a case: what is behind it, where it is, and what nobody knows yet. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from watcher.model.case import ItemKind, ItemState, Stage
from watcher.model.ledger import TrackedCase

_CARD_FORMS = frozenset({"I-485", "I-90", "I-765", "I-131", "I-751", "I-821D"})
_BIOMETRICS_FORMS = frozenset({"I-485", "I-90", "I-765", "I-131", "I-751", "I-821D", "I-589", "N-400", "N-600"})
_INTERVIEW_FORMS = frozenset({"I-485", "I-751", "I-589", "N-400", "DS-260", "DS-160", "I-730"})
_ENDED = frozenset({Stage.DENIED, Stage.REJECTED, Stage.REFUSED, Stage.WITHDRAWN, Stage.CLOSED})


class Step(StrEnum):
    """A step in the life of a case."""

    RECEIVED = "received"
    BIOMETRICS = "biometrics"
    REVIEW = "review"
    INTERVIEW = "interview"
    DECISION = "decision"
    CARD = "card"


class StepTime(StrEnum):
    """When a step is. `unknown` is ahead, or behind without a record of it."""

    PAST = "past"
    PRESENT = "present"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownStep:
    """One step of the line. `stage` is the stage of the case at the present step, else None."""

    step: Step
    time: StepTime
    stage: Stage | None = None


_STEPS = {
    Stage.RECEIVED: Step.RECEIVED,
    Stage.BIOMETRICS: Step.BIOMETRICS,
    Stage.UNDER_REVIEW: Step.REVIEW,
    Stage.EVIDENCE_REQUESTED: Step.REVIEW,
    Stage.EVIDENCE_RECEIVED: Step.REVIEW,
    Stage.ADMINISTRATIVE_PROCESSING: Step.REVIEW,
    Stage.TRANSFERRED: Step.REVIEW,
    Stage.INTERVIEW: Step.INTERVIEW,
    Stage.APPROVED: Step.DECISION,
    Stage.DENIED: Step.DECISION,
    Stage.REJECTED: Step.DECISION,
    Stage.REFUSED: Step.DECISION,
    Stage.WITHDRAWN: Step.DECISION,
    Stage.CLOSED: Step.DECISION,
    Stage.ISSUED: Step.CARD,
}
_KINDS = {ItemKind.BIOMETRICS: Step.BIOMETRICS, ItemKind.INTERVIEW: Step.INTERVIEW}


def stage_line(case: TrackedCase, stages: Collection[Stage]) -> list[ShownStep]:
    """Return the steps of a case's form. `stages` are those that its recorded history names.

    A step before the present one is past only if something recorded says so: not every case has an interview.
    """
    if case.snapshot is None:
        return []
    now = case.snapshot.stage
    present = _STEPS.get(now)
    known = {step for stage in stages if (step := _STEPS.get(stage))} | {Step.RECEIVED}
    known |= {_KINDS[i.item.kind] for i in case.items if i.item.kind in _KINDS and i.state is not ItemState.OPEN}
    if now is Stage.ISSUED:
        known |= {Step.REVIEW, Step.DECISION}
    steps = _steps_of(case.snapshot.form or "", now, known)
    if present is None:
        return [ShownStep(step=step, time=_time(step in known)) for step in steps]
    order = list(Step)
    shown = []
    for step in steps:
        if step is present:
            shown.append(ShownStep(step=step, time=StepTime.PRESENT, stage=now))
        else:
            is_behind = order.index(step) < order.index(present)
            shown.append(ShownStep(step=step, time=_time(is_behind and step in known)))
    return shown


def _steps_of(form: str, now: Stage, known: Collection[Step]) -> list[Step]:
    """Return the steps of a form, with those that the case had anyway."""
    has = {Step.RECEIVED: True, Step.REVIEW: True, Step.DECISION: True}
    has[Step.BIOMETRICS] = form in _BIOMETRICS_FORMS or Step.BIOMETRICS in known
    has[Step.INTERVIEW] = form in _INTERVIEW_FORMS or Step.INTERVIEW in known
    has[Step.CARD] = (form in _CARD_FORMS and now not in _ENDED) or now is Stage.ISSUED
    present = _STEPS.get(now)
    return [step for step in Step if has.get(step) or step is present]


def _time(is_known: bool) -> StepTime:  # noqa: FBT001 - a predicate's result
    return StepTime.PAST if is_known else StepTime.UNKNOWN
