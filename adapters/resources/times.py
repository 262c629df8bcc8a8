"""Times as Kubernetes writes them (RFC 3339), and as seconds since 1970."""

from datetime import UTC, datetime


def seconds_of(text: str) -> float | None:
    """Seconds since 1970, or None where the text is no time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def time_text(seconds: float) -> str:
    """The time in whole seconds, in UTC."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
