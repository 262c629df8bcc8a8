"""The log: lines for people on a terminal, JSON otherwise; never a local variable, never a foreign exception's text.

An exception's text may hold what it was about, and a traceback's variables hold secrets: of both only types and
places in the code are written.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("auto", "text", "json")


def describe_exception(error: BaseException) -> list[str]:
    """The types of an exception and of what caused it, each after the places that it came through, innermost last."""
    described: list[str] = []
    seen: set[int] = set()
    left = [error]
    while left:
        one = left.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        described += [f"{place.filename}:{place.lineno} in {place.name}" for place in _places(one)]
        described.append(f"{type(one).__module__}.{type(one).__qualname__}")
        cause = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
        left += [*(one.exceptions if isinstance(one, BaseExceptionGroup) else ())]
        left += [cause] if cause is not None else []
    return described


def _places(error: BaseException) -> traceback.StackSummary:
    return traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__), lookup_lines=False)


def last_words(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
    """What the interpreter calls where an exception ends the program: a defect, told without its text."""
    if issubclass(kind, KeyboardInterrupt):
        return
    lines = [
        "this is a defect of the program; please report it, with these lines:",
        *describe_exception(error),
    ]
    sys.stderr.write("\n  ".join(lines) + "\n")


def _exception(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        event["exception"] = describe_exception(error)
    return event


def _as_text(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if "exception" in event:
        event["exception"] = "\n".join(f"  {line}" for line in event["exception"])
    return event


class _ToStructlog(logging.Handler):
    """Sends what libraries log to the same place: which one, where, and the type of the exception. Not its text, which
    may repeat what went over a connection."""

    def emit(self, record: logging.LogRecord) -> None:
        """Take one record."""
        structlog.get_logger().log(
            record.levelno,
            "a library says",
            library=record.name,
            place=f"{record.module}:{record.lineno}",
            **({"exc_info": record.exc_info[1]} if record.exc_info and record.exc_info[1] else {}),
        )


def set_up(level: str, form: str, stream: TextIO | None = None) -> None:
    """Configure the log once, for the whole program. It goes to standard error unless a stream is given."""
    out = stream if stream is not None else sys.stderr
    as_json = form == "json" or (form == "auto" and not out.isatty())
    renderers: tuple[Processor, ...] = (
        (structlog.processors.JSONRenderer(),)
        if as_json
        else (_as_text, structlog.dev.ConsoleRenderer(colors=out.isatty()))
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _exception,
            *renderers,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,  # whoever sets it up again means the loggers that there are
    )
    root = logging.getLogger()
    root.handlers[:] = [_ToStructlog(logging.WARNING)]
    root.setLevel(logging.WARNING)
    logging.getLogger("transitions").setLevel(logging.CRITICAL)  # the driver logs transitions
