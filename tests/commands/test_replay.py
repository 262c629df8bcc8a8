"""`replay`: recorded journals do, hand-edited ones are refused with the line's number."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.journal import Line
from reconciler.replay import replay
from tests.commands.conftest import run_command

REPLAYS = sorted((Path(__file__).parent.parent / "replays").glob("*.jsonl"))


def edited(journal: Path, *edits: Callable[[list[dict[str, Any]]], object]) -> Path:
    """A copy whose lines, decoded, were edited."""
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    for edit in edits:
        edit(lines)
    copy = journal.with_name("edited.jsonl")
    copy.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
    return copy


def without_checksums(lines: list[dict[str, Any]]) -> None:
    """As lines that a controller remembers have none."""
    for line in lines:
        for name in ("number", "opens", "check"):
            line.pop(name, None)


def place_of(journal: Path, state: str) -> int:
    """The index of the first line of a state."""
    lines = journal.read_text().splitlines()
    return next(index for index, line in enumerate(lines) if json.loads(line)["state"] == state)


def told(journal: Path) -> list[str]:
    """What is found, without the directory."""
    return [str(found).replace(f"{journal.parent}/", "") for found in replay([journal]).findings]


def test_recorded_runs_replay(journal: Path) -> None:
    """Fresh machines do what was recorded."""
    result = run_command("replay", journal)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "4 runs, 30 transitions as recorded; no findings\n"
    assert replay([edited(journal, without_checksums)]).findings == ()


@pytest.mark.parametrize("file", REPLAYS, ids=lambda file: file.stem)
def test_kept_journals_replay(file: Path) -> None:
    """Each journal that was kept is done again by today's machines."""
    result = run_command("replay", file)
    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize("file", REPLAYS, ids=lambda file: file.stem)
def test_every_lost_line_is_noticed_where_it_was(file: Path, tmp_path: Path) -> None:
    """The line that follows on nothing is named; after the last, the one whose run goes on."""
    lines = file.read_text().splitlines(keepends=True)
    copy = tmp_path / file.name
    for index in range(len(lines) - 1):
        copy.write_text("".join(lines[:index] + lines[index + 1 :]))
        assert f"{copy}:{index + 1}" in {found.place for found in replay([copy]).findings}
    copy.write_text("".join(lines[:-1]))
    (found,) = replay([copy]).findings
    assert "its end is not in the journal" in found.problem


@pytest.mark.parametrize("file", REPLAYS, ids=lambda file: file.stem)
def test_every_changed_line_is_noticed(file: Path, tmp_path: Path) -> None:
    """Also a change that leads to the same transitions."""
    lines = file.read_text().splitlines(keepends=True)
    copy = tmp_path / file.name
    for index, line in enumerate(lines):
        changed = line.replace('"seconds":', '"seconds":9', 1)
        copy.write_text("".join([*lines[:index], changed, *lines[index + 1 :]]))
        (found,) = replay([copy]).findings
        assert found.place == f"{copy}:{index + 1}"
        assert "checksum" in found.problem


def test_changed_outcome_is_refused_with_its_line(journal: Path) -> None:
    """Once, though the run would differ too."""
    index = place_of(journal, "fetch")
    copy = edited(journal, lambda lines: lines[index].update(outcome={"outcome": "cancelled"}))
    result = run_command("replay", copy)
    assert result.exit_code == 1
    assert result.stderr == (
        f"{copy}:{index + 1}: this line was changed after it was written: its checksum differs\n"
    )


def _lead(lines: list[dict[str, Any]], state: str, **changes: Any) -> None:
    next(line for line in lines if line["state"] == state).update(changes)


@pytest.mark.parametrize(
    ("state", "changes", "said"),
    [
        (
            "fetch",
            {"outcome": {"outcome": "cancelled"}},
            "recorded was that fetch leads to release, the machine goes to release_to_stop",
        ),
        ("fetch", {"outcome": {"outcome": "rendered", "keys": 1}}, "the outcome is none that Fetch can give"),
        (
            "fetch",
            {"outcome": {"outcome": "fetched", "keys": 1, "value": "x"}},
            "Fetched does not have: value",
        ),
        ("fetch", {"outcome": 7}, "the outcome is none that Fetch can give"),
        ("fetch", {"state": "render"}, "recorded in state render, but the machine is in fetch"),
        ("fetch", {"machine": "Gadget"}, "machine Gadget"),
        ("observe", {"machine": "Gadget"}, "there is no machine 'Gadget'"),
        ("fetch", {"end": True}, "release is no end, which was recorded otherwise"),
        (
            "fetch",
            {"effect": {"effect": "Fetch", "store": 3}},
            "the effect Fetch differs in store: recorded 3, the machine says 0",
        ),
        (
            "fetch",
            {"effect": {"effect": "Probe"}},
            "recorded was the effect Probe, the machine asks for Fetch",
        ),
        ("fetch", {"name": "other"}, "is about ExternalSecret"),
        ("fetch", {"step": 9}, "to step 9: lines between them are lost"),
    ],
)
def test_without_checksums_the_tables_still_tell(
    journal: Path, state: str, changes: dict[str, Any], said: str
) -> None:
    """What the machine does not do is refused, in words."""
    index = place_of(journal, state)
    copy = edited(journal, without_checksums, lambda lines: lines[index].update(changes))
    found = told(copy)
    assert found[0].startswith(f"edited.jsonl:{index + 1}: "), found
    assert said in found[0]


def test_line_without_number_among_numbered_ones_is_refused(journal: Path) -> None:
    """It was put there by hand."""
    copy = edited(journal, lambda lines: without_checksums(lines[3:4]))
    assert "edited.jsonl:4: this line has no number" in told(copy)[0]


def test_journal_without_its_beginning_says_which_file_goes_first(journal: Path) -> None:
    """The older part of a rotated journal, which was forgotten."""
    found = told(edited(journal, lambda lines: lines.pop(0)))
    assert found[0] == (
        "edited.jsonl:1: line 1 is missing before this one: lost, or in an older file (FILE.1)"
    )


def test_what_is_no_journal_is_said_so(tmp_path: Path) -> None:
    """Unusable, and no traceback."""
    wrong = tmp_path / "wrong.jsonl"
    wrong.write_text("hello\n")
    result = run_command("replay", wrong)
    assert result.exit_code == 2
    assert result.stderr == f"there is no line of a journal in {wrong}\n"
    assert run_command("replay", tmp_path / "missing").exit_code == 2
    assert run_command("replay", tmp_path).exit_code == 2


def test_garbled_line_is_one_finding(journal: Path) -> None:
    """Its neighbours are not blamed for it."""
    lines = journal.read_text().splitlines(keepends=True)
    end = next(index for index, line in enumerate(lines) if '"end":true' in line)
    copy = journal.with_name("garbled.jsonl")
    copy.write_text("".join([*lines[: end + 1], "\x00garbled\n", *lines[end + 1 :]]))
    assert told(copy) == [f"garbled.jsonl:{end + 2}: this is no line of a journal"]


def test_every_field_of_a_line_is_under_its_checksum() -> None:
    """But the checksum itself."""
    assert Line.__struct_fields__[-1] == "check"
