"""The journal in a file."""

from pathlib import Path

from adapters.journal import FileJournal, Subject, Transition
from machines.effects import ObserveStore
from machines.names import KindName, NamespaceName, ResourceName
from machines.outcomes import Absent

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


def test_journal_is_private_and_goes_on_in_a_new_file_at_its_size(tmp_path: Path) -> None:
    """The old part is kept as FILE.1, and no line is lost between them."""
    file = tmp_path / "journal"
    journal = FileJournal(str(file), 1000, lambda sentence: None)
    for run in range(6):
        journal.record(transition(run))
    journal.close()
    assert file.stat().st_mode & 0o777 == 0o600
    older = file.with_name("journal.1").read_text().splitlines()
    newer = file.read_text().splitlines()
    assert older
    assert newer
    assert all(len("\n".join(part)) <= 1000 for part in (older, newer))


def test_journal_that_cannot_be_written_is_reported_once(tmp_path: Path) -> None:
    """And stops no run."""
    said: list[str] = []
    journal = FileJournal(str(tmp_path / "missing" / "journal"), 1000, said.append)
    for run in range(3):
        journal.record(transition(run))
    assert len(said) == 1
    assert "cannot be written" in said[0]
