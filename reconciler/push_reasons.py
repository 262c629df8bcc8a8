"""Reasons of a PushSecret's Ready condition."""

from typing import Final

from machines.effects import Verdict

SYNCED: Final = "Synced"
ERRORED: Final = "Errored"
SOURCE_DELETED: Final = "SourceDeleted"
PENDING: Final = "PendingApproval"

_REASONS = {
    Verdict.SYNCED: SYNCED,
    Verdict.SOURCE_DELETED: SOURCE_DELETED,
    Verdict.PENDING: PENDING,
}


def reason_of_push(verdict: Verdict) -> str:
    """The reason of a verdict."""
    return _REASONS.get(verdict, ERRORED)
