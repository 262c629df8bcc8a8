"""The log, and the program's last words: they say what happened and where, never with a value."""

import asyncio
import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from reconciler.logs import set_up

VALUE = "planted-secret-value"


@pytest.fixture(params=["json", "text"])
def log(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What is logged, in both forms."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    set_up("debug", request.param, stream)
    yield stream
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def fails() -> None:
    """Raises an error whose text, cause and local variables hold a value."""
    local, nothing = VALUE, dict[str, str]()
    try:
        nothing[local]
    except KeyError as error:
        raise ExceptionGroup(local, [ValueError(local), OSError(local)]) from error


def test_exception_is_told_by_its_types_and_places(log: io.StringIO) -> None:
    """Not by its text, nor by the variables around it."""
    try:
        fails()
    except ExceptionGroup as error:
        structlog.get_logger("test").error("it failed", exc_info=error)
    text = log.getvalue()
    assert VALUE not in text
    assert "test_logs.py:" in text
    assert "in fails" in text
    for name in ("ExceptionGroup", "builtins.ValueError", "builtins.OSError", "builtins.KeyError"):
        assert name in text


async def test_what_libraries_log_is_told_without_its_text(log: io.StringIO) -> None:
    """Which library, where, and the type of the exception."""
    logging.getLogger("some.library").warning("cannot send %s", VALUE)
    logging.getLogger("some.library").info("chatter")
    asyncio.get_running_loop().call_exception_handler({"message": VALUE, "exception": ValueError(VALUE)})
    text = log.getvalue()
    assert VALUE not in text
    assert "chatter" not in text
    assert "some.library" in text
    assert "builtins.ValueError" in text


def test_log_that_is_no_terminal_is_json_lines() -> None:
    """With level, time and event."""
    code = "from reconciler.logs import set_up; import structlog; set_up('info', 'auto'); log = structlog.get_logger()\n"
    code += "log.debug('hidden'); log.info('listening', address='127.0.0.1:1')"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    line: dict[str, Any] = json.loads(ended.stderr)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"level": "info", "event": "listening", "address": "127.0.0.1:1"}


def test_defect_that_ends_the_program_is_told_without_a_value() -> None:
    """The interpreter's own traceback would show the exception's text."""
    code = f"""
import sys
from reconciler.commands import application, main
@application.command()
def broken() -> None:
    raise RuntimeError("{VALUE}")
sys.argv = ["infisical-reconciler", "broken"]
main()
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert VALUE not in ended.stderr
    assert ended.stderr.startswith("this is a defect of the program; please report it")
    assert "builtins.RuntimeError" in ended.stderr
    assert "in broken" in ended.stderr


def test_help_is_quick() -> None:
    """It loads no cloud SDK, no HTTP client and no client of Kubernetes."""
    code = """
import sys
from reconciler.commands import main
sys.argv = ["infisical-reconciler", "run", "--help"]
try:
    main()
finally:
    heavy = {"boto3", "botocore", "google", "azure", "oci", "kubernetes_asyncio", "aiohttp", "transitions", "yaml"}
    print(sorted(heavy & set(sys.modules)), file=sys.stderr)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0
    assert ended.stderr == "[]\n"
    assert "--local" in ended.stdout
