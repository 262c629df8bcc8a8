"""`replay` and `trace` on journals that `render` wrote."""

import json
import shutil
from pathlib import Path

import pytest

from tests.commands.conftest import Served, run_command

REPLAYS = Path(__file__).parent.parent / "replays"


@pytest.fixture
def journal(served: Served, manifests: Path, tmp_path: Path) -> Path:
    """A journal of some runs."""
    file = tmp_path / "journal.jsonl"
    assert run_command("render", manifests, "--journal", file).exit_code == 0
    return file


def edited(journal: Path, number: int, **changes: object) -> Path:
    """A copy in which one line (from 1) has other fields; with none, it is lost."""
    lines = journal.read_text().splitlines()
    if changes:
        lines[number - 1] = json.dumps(json.loads(lines[number - 1]) | changes, separators=(",", ":"))
    else:
        del lines[number - 1]
    copy = journal.with_name("edited.jsonl")
    copy.write_text("\n".join(lines) + "\n")
    return copy


def place_of(journal: Path, state: str) -> int:
    """The number of the first line of a state."""
    return next(
        number
        for number, line in enumerate(journal.read_text().splitlines(), 1)
        if f'"state":"{state}"' in line
    )


def test_recorded_runs_replay(journal: Path) -> None:
    """Fresh machines do what was recorded."""
    result = run_command("replay", journal)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("4 runs, 30 transitions as recorded; 0 differ")


@pytest.mark.parametrize("file", sorted(REPLAYS.glob("*.jsonl")), ids=lambda file: file.stem)
def test_kept_journals_replay(file: Path) -> None:
    """Each journal that was kept is done again by today's machines."""
    result = run_command("replay", file)
    assert result.exit_code == 0, result.stderr


def test_changed_outcome_is_refused_with_its_line(journal: Path) -> None:
    """Also one that would lead to the same transitions."""
    number = place_of(journal, "render")
    result = run_command("replay", edited(journal, number, outcome={"outcome": "rendered", "keys": 77}))
    assert result.exit_code == 1
    assert f"edited.jsonl:{number}: " in result.stderr
    assert "checksum" in result.stderr


def test_changed_outcome_without_checksums_is_refused_where_it_leads_elsewhere(journal: Path) -> None:
    """A journal whose checksums were taken out is still held to the tables."""
    copy = journal.with_name("bare.jsonl")
    lines = [json.loads(line) | {"check": ""} for line in journal.read_text().splitlines()]
    number = place_of(journal, "fetch")
    lines[number - 1]["outcome"] = {"outcome": "cancelled"}
    copy.write_text("\n".join(json.dumps(line, separators=(",", ":")) for line in lines) + "\n")
    result = run_command("replay", copy)
    assert result.exit_code == 1
    assert (
        f"bare.jsonl:{number}: recorded was that fetch leads to release, the machine goes to release_to_stop"
        in (result.stderr)
    )


def test_lost_line_is_refused_with_its_line(journal: Path) -> None:
    """In the middle, at the beginning and at the end of a run."""
    middle = place_of(journal, "render")
    assert f"edited.jsonl:{middle}: " in run_command("replay", edited(journal, middle)).stderr
    assert "begins with step 2" in run_command("replay", edited(journal, 1)).stderr
    last = len(journal.read_text().splitlines())
    assert "its end is not in the journal" in run_command("replay", edited(journal, last)).stderr


def test_what_is_no_journal_is_said_so(tmp_path: Path) -> None:
    """No traceback for a wrong file."""
    wrong = tmp_path / "wrong.jsonl"
    wrong.write_text("hello\n")
    assert "wrong.jsonl:1: this is no line of a journal" in run_command("replay", wrong).stderr
    assert run_command("replay", tmp_path / "missing").exit_code == 2


def test_trace_tells_states_outcomes_and_reasons(served: Served, manifests: Path, tmp_path: Path) -> None:
    """The latest run of a resource, and why it failed, in words."""
    served.project.remove_folder("dev", "/my-app")
    file = tmp_path / "journal.jsonl"
    run_command("render", manifests, "--journal", file)
    result = run_command("trace", "externalsecret", "checkout-env", "--journal", file, "--output", "text")
    assert result.exit_code == 0
    assert "ExternalSecret default/checkout-env" in result.stdout
    assert "fetch: missing → release_after_failure" in result.stdout
    assert "there is no folder /my-app" in result.stdout
    lines = run_command("trace", "--journal", file).stdout.splitlines()
    assert {json.loads(line)["name"] for line in lines} == {
        "infisical",
        "checkout-env",
        "reporting-all",
        "database-login",
    }


def test_trace_of_nobody_says_so(journal: Path) -> None:
    """An unknown resource is a finding; no controller to ask is unusable."""
    assert run_command("trace", "ExternalSecret", "nobody", "--journal", journal).exit_code == 1
    nobody = run_command("trace", "--controller", "http://127.0.0.1:1")
    assert nobody.exit_code == 2
    assert "is it running there" in nobody.stderr


def test_older_part_of_a_rotated_journal_is_read_first(journal: Path) -> None:
    """FILE.1 goes before FILE."""
    lines = journal.read_text().splitlines(keepends=True)
    older = journal.with_name(f"{journal.name}.1")
    older.write_text("".join(lines[:10]))
    journal.write_text("".join(lines[10:]))
    assert run_command("replay", older, journal).exit_code == 0
    traced = run_command("trace", "SecretStore", "infisical", "--journal", journal).stdout.splitlines()
    assert next(json.loads(line)["state"] for line in traced) == "observe"
    shutil.rmtree(journal.parent / "manifests")
