"""All that is logged while something runs, whoever logs it."""

import io
import logging
from types import TracebackType
from typing import Self


class Overheard:
    """Takes the records of all loggers, at every level, but those of the tests' own servers."""

    def __init__(self) -> None:
        self._stream = io.StringIO()
        self._handler = logging.StreamHandler(self._stream)
        self._handler.addFilter(lambda record: not record.name.startswith(("aiohttp", "asyncio")))
        self._level = logging.getLogger().level

    @property
    def text(self) -> str:
        """What was logged so far."""
        return self._stream.getvalue()

    def __enter__(self) -> Self:
        root = logging.getLogger()
        root.addHandler(self._handler)
        root.setLevel(logging.DEBUG)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        root = logging.getLogger()
        root.removeHandler(self._handler)
        root.setLevel(self._level)
