"""The reasons of a store's Ready condition: those that dashboards know."""

from machines.effects import Report, Verdict
from machines.outcomes import Invalid, StoreReason


def reason_of_store(report: Report) -> StoreReason:
    """The reason of a store's Ready condition."""
    if report.verdict is Verdict.VALID:
        return StoreReason.VALID
    if report.verdict is Verdict.UNKNOWN:
        return StoreReason.VALIDATION_UNKNOWN
    if report.verdict is Verdict.STANDING and report.standing is not None:
        return report.standing
    if report.verdict in (Verdict.RULES_BROKEN, Verdict.UNSUPPORTED) or isinstance(report.failure, Invalid):
        return StoreReason.INVALID_STORE_CONFIGURATION
    return StoreReason.INVALID_PROVIDER_CONFIG
