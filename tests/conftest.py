"""What all tests share."""

import logging
import os
from collections.abc import Iterator

import hypothesis
import pytest
import structlog

pytest_plugins = ["tests.apiserver.fixtures"]

hypothesis.settings.register_profile("reproducible", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.register_profile("searching", deadline=None, print_blob=True)
# What must pass is the same each time; SEARCH=1 looks for more, in other places each time.
hypothesis.settings.load_profile("searching" if os.environ.get("SEARCH") else "reproducible")


@pytest.fixture(autouse=True)
def log_as_it_was() -> Iterator[None]:
    """A command that a test runs sets up the log of its whole process; the next test begins without that."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
