from collections.abc import Iterator

import pytest

from tests.apiserver.progress import BuildError
from tests.content.go_program import Go


@pytest.fixture(scope="session")
def go() -> Iterator[Go]:
    """Go itself, to compare with."""
    try:
        started = Go()
    except BuildError as error:
        pytest.skip(f"no Go to compare with: {error}")
    with started:
        yield started
