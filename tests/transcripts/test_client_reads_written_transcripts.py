"""What the client makes of every recorded answer to a write."""

import os
from collections import Counter
from fnmatch import fnmatchcase

import pytest

from adapters.infisical.write_terms import Refused, Stored
from tests.transcripts.client_writing import lines_of_writes, understanding
from tests.transcripts.recorded import Line, load
from tests.transcripts.test_client_reads_transcripts import label, named

pytestmark = pytest.mark.transcripts

ANSWERS = {"2025-06": 138, "2024-07": 138}
"""Answers in the project's own recording, by server."""

# What a refusal means, and what a run is told of it: the first pattern that fits `server case step` decides.
EXPECTED: tuple[tuple[str, str], ...] = (
    # rights and tokens
    ("* token/*", "token: LeaseRefused"),
    ("* */permissions none", "token: LeaseRefused"),
    ("* */permissions revoked", "token: LeaseRefused"),
    ("* */permissions *noaccess", "membership: Denied membership"),
    ("2025-06 delete/permissions readonly-missing", "no-secret: Unavailable fault"),
    ("* */permissions *", "permission: Denied write"),
    # routes
    ("* names/101-characters *", "no-route: Missing route"),
    ("* names/unencoded-slash-and-empty create", "no-route: Missing route"),
    ("* batch/v4-routes *", "no-route: Missing route"),
    ("* routes/missing v4-*", "no-route: Missing route"),
    # projects: servers of 2024 find that of a batch by its slug
    ("2024-07 batch/create-by-slug-or-id id-wins", "no-project: ProjectGone"),
    ("2024-07 batch/delete missing-project", "no-project: ProjectGone"),
    ("2024-07 project/deleted-and-made-again *batch*", "no-project: ProjectGone"),
    ("* project/deleted-and-made-again *", "project-gone: ProjectGone"),
    ("* */missing-project *", "project-gone: ProjectGone"),
    ("* batch/delete missing-project", "project-gone: ProjectGone"),
    # folders; an absent environment is told as an absent folder
    ("* */missing-folder *", "no-folder: Missing folder"),
    ("* */missing-environment *", "no-folder: Missing folder"),
    ("* batch/delete missing-folder", "no-folder: Missing folder"),
    # what is there, and what is not
    ("* create/ok-then-again again", "exists: Unavailable fault"),
    ("* batch/create one-exists", "exists: Unavailable fault"),
    ("* names/* update", "no-secret: Unavailable fault"),
    ("* names/* delete", "no-secret: Unavailable fault"),
    ("2024-07 names/unencoded-slash-and-empty delete-empty", "no-secret: Unavailable fault"),
    ("* */missing update", "no-secret: Unavailable fault"),
    ("* update/imported *", "no-secret: Unavailable fault"),
    ("* delete/ok-then-again again", "no-secret: Unavailable fault"),
    ("* batch/* one-missing", "no-secret: Unavailable fault"),
    # what the client never asks for
    ("2025-06 names/unencoded-slash-and-empty delete-empty", "None: Unavailable not-infisical"),
    ("2025-06 create/unknown-tag *", "None: Unavailable not-infisical"),
    # names, and what else is malformed
    ("*", "malformed: Invalid bad-key"),
)
LINES = tuple(lines_of_writes(load()))


def test_every_answer_to_a_write_is_fed_to_the_client() -> None:
    if "TRANSCRIPTS" not in os.environ:
        assert Counter(line.server for line in LINES) == ANSWERS
    assert LINES


@pytest.mark.parametrize("line", LINES, ids=named)
async def test_the_client_understands_what_a_write_was_answered(line: Line) -> None:
    understood = await understanding(line)
    assert line.response is not None
    if line.response.status == 200:
        assert isinstance(understood, Stored)
    else:
        assert isinstance(understood, Refused)
        meaning = understood.meaning.value if understood.meaning is not None else None
        expected = next(label for pattern, label in EXPECTED if fnmatchcase(named(line), pattern))
        assert f"{meaning}: {label(understood.failure)}" == expected
