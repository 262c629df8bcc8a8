"""The journal in a file."""

from pathlib import Path

import pytest

from adapters.journal import FileJournal, Subject, Transition
from machines.effects import ObserveStore
from machines.names import KindName, NamespaceName, ResourceName
from machines.outcomes import Absent
from reconciler.replay import replay

SUBJECT = Subject(KindName("SecretStore"), NamespaceName("default"), ResourceName("one"))


def transition(run: int) -> Transition:
    """A whole run of one step."""
    return Transition(
        run=str(run),
        step=1,
        at=1.0,
        seconds=0.1,
        subject=SUBJECT,
        machine="SecretStore",
        state="observe",
        effect=ObserveStore(),
        outcome=Absent(),
        to="gone",
        end=True,
    )


def written(file: Path, runs: int, size: int = 1000) -> list[str]:
    """A journal of some runs; what was complained about."""
    said: list[str] = []
    journal = FileJournal(str(file), size, said.append)
    for run in range(runs):
        journal.record(transition(run))
    journal.close()
    return said


def test_journal_is_private_and_goes_on_in_a_new_file_at_its_size(tmp_path: Path) -> None:
    """The old part is kept as FILE.1, and no line is lost between them."""
    file = tmp_path / "journal"
    assert written(file, 6) == []
    assert file.stat().st_mode & 0o777 == 0o600
    older = file.with_name("journal.1")
    assert all(0 < part.stat().st_size <= 1000 for part in (older, file))
    replayed = replay([older, file])
    assert (replayed.runs, replayed.findings) == (6, ())


def test_part_of_a_journal_whose_older_part_is_gone_replays(tmp_path: Path) -> None:
    """What was rotated away is no loss; what is lost between the parts is."""
    file = tmp_path / "journal"
    written(file, 12)
    older = file.with_name("journal.1")
    assert replay([older, file]).findings == ()
    lines = older.read_text().splitlines(keepends=True)
    older.write_text("".join(lines[:-1]))
    (found,) = replay([older, file]).findings
    assert found.place == f"{file}:1"
    (found,) = replay([file, older]).findings
    assert "wrong order" in found.problem


def test_journal_goes_on_after_a_restart_also_behind_half_a_line(tmp_path: Path) -> None:
    """A process that was killed in the middle of a line costs that line, not the next one."""
    file = tmp_path / "journal"
    written(file, 1)
    with file.open("a") as stream:
        stream.write('{"run":"kil')
    written(file, 1)
    replayed = replay([file])
    assert replayed.runs == 2
    assert [(found.place, found.problem) for found in replayed.findings] == [
        (f"{file}:2", "this is no line of a journal")
    ]


def test_journal_that_cannot_be_written_is_reported_once(tmp_path: Path) -> None:
    """And stops no run."""
    (said,) = written(tmp_path / "missing" / "journal", 3)
    assert "cannot be written, and ends here: No such file or directory" in said


def test_disk_that_is_full_is_reported_once() -> None:
    """As it is from the first line on."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no full disk at hand")
    (said,) = written(Path("/dev/full"), 3)
    assert "No space left" in said
