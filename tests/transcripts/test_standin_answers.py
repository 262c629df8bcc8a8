"""The stand-in answers as the recorded servers did: every case of both, in the mode of their age."""

import pytest

from tests.transcripts.player import Player
from tests.transcripts.recorded import CASES, LINES, OWN_FILE, Case, file, load

pytestmark = pytest.mark.transcripts


def test_every_line_of_the_projects_own_recording_is_played() -> None:
    recording = load()
    played = sum(len(case.lines) for case in recording.cases) + len(recording.fixtures)
    assert played == recording.lines
    if file() == OWN_FILE:
        assert recording.lines == LINES
        assert {s: sum(c.server == s for c in recording.cases) for s in recording.fixtures} == CASES


@pytest.mark.parametrize("case", load().cases, ids=str)
def test_the_stand_in_answers_as_recorded(case: Case) -> None:
    Player(case, load().fixtures[case.server], word_for_word=file() == OWN_FILE).play()
