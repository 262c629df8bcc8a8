"""The log: lines for people on a terminal, JSON otherwise; never a local variable, never a foreign exception's text.

An exception's text may hold what it was about, and a traceback's variables hold secrets: of both only types and
places in the code are written.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("auto", "text", "json")


def describe_exception(error: BaseException) -> list[str]:
    """The type of an exception and the places that it came through, innermost last."""
    frames = traceback.extract_tb(error.__traceback__)
    return [
        *(f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames),
        f"{type(error).__module__}.{type(error).__qualname__}",
    ]


def _exception(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        event["exception"] = describe_exception(error)
    return event


class _ToStructlog(logging.Handler):
    """Sends what libraries log to the same place; their texts at level warning and above, which say what is wrong
    with a connection, not what went over it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Take one record."""
        structlog.get_logger().log(
            record.levelno, "a library says", library=record.name, place=f"{record.module}:{record.lineno}"
        )


def set_up(level: str, form: str, stream: TextIO | None = None) -> None:
    """Configure the log once, for the whole program. It goes to standard error unless a stream is given."""
    out = stream if stream is not None else sys.stderr
    as_json = form == "json" or (form == "auto" and not out.isatty())
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _exception,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,  # whoever sets it up again means the loggers that there are
    )
    root = logging.getLogger()
    root.handlers[:] = [_ToStructlog(logging.WARNING)]
    root.setLevel(logging.WARNING)
    logging.getLogger("transitions").setLevel(logging.CRITICAL)  # the driver logs transitions
