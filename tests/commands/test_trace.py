"""`trace` on journals that `render` wrote, and on a controller's endpoint."""

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from adapters.journal import Subject, Transition, line_of
from machines.effects import ObserveStore
from machines.names import KindName, NamespaceName, ResourceName
from machines.outcomes import Absent, Service, Trouble, Unavailable
from reconciler.endpoints import endpoints
from reconciler.metrics import Metrics
from reconciler.transitions_seen import RecentTransitions
from tests.commands.conftest import Served, beside, run_command


def transition(name: str, run: int, *, kind: str = "SecretStore", namespace: str = "default") -> Transition:
    """A whole run of one step."""
    return Transition(
        run=f"a-{run}",
        step=1,
        at=1_700_000_000.0 + run,
        seconds=0.1,
        subject=Subject(KindName(kind), NamespaceName(namespace), ResourceName(name)),
        machine="SecretStore",
        state="observe",
        effect=ObserveStore(),
        outcome=Absent(),
        to="gone",
        end=True,
    )


def text_of(journal: Path, *arguments: str) -> str:
    """What a person reads."""
    result = run_command("trace", *arguments, "--journal", journal, "--output", "text")
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_trace_tells_states_outcomes_and_reasons(served: Served, manifests: Path, tmp_path: Path) -> None:
    """Why it failed in words, with the store's own project and environment, and what the condition says."""
    served.project.remove_folder("dev", "/my-app")
    file = tmp_path / "journal.jsonl"
    run_command("render", manifests, "--journal", file)
    text = text_of(file, "externalsecret", "checkout-env")
    assert text.startswith("\nExternalSecret default/checkout-env   ")
    assert "observe: observed → authenticate, because it has another store" in text
    assert "fetch: missing → release_after_failure" in text
    why = 'there is no folder /my-app (project "my-project", environment "dev")'
    assert f"  {why}" in text
    assert f"told in the condition: SecretStore infisical: {why}" in text
    assert (
        text.rstrip()
        .splitlines()[-1]
        .startswith("  = error: not as wished; it is tried again, after a delay")
    )


def test_runs_that_were_under_way_together_are_told_one_after_the_other(journal: Path) -> None:
    """In the journal their lines are mixed."""
    names = [json.loads(line)["run"] for line in journal.read_text().splitlines()]
    changes = sum(one != another for one, another in itertools.pairwise(names))
    assert changes > len(set(names))
    text = text_of(journal)
    assert text.count("ExternalSecret default/") == 3
    assert text.count("SecretStore default/infisical") == 1
    assert text.count("= ready: as wished") == 3


@pytest.mark.parametrize("kind", ["ExternalSecret", "externalsecrets", "es", "ES"])
def test_kinds_are_taken_as_kubectl_takes_them(journal: Path, kind: str) -> None:
    """Also `es/NAME`."""
    whole = run_command("trace", "ExternalSecret", "checkout-env", "--journal", journal)
    assert {json.loads(line)["name"] for line in whole.stdout.splitlines()} == {"checkout-env"}
    assert run_command("trace", kind, "checkout-env", "--journal", journal).stdout == whole.stdout
    assert run_command("trace", f"{kind}/checkout-env", "--journal", journal).stdout == whole.stdout


def test_namespace_and_kind_narrow_it(tmp_path: Path, journal: Path) -> None:
    """One namespace; cluster-wide resources are in every one."""
    assert text_of(journal, "es", "-n", "default").count("ExternalSecret ") == 3
    assert run_command("trace", "es", "-n", "elsewhere", "--journal", journal).exit_code == 1


def test_mistakes_of_who_asks_are_told_in_a_sentence(journal: Path, tmp_path: Path) -> None:
    """An unknown resource is a finding; a kind, a file or a controller that is not there cannot be used."""
    assert run_command("trace", "ExternalSecret", "nobody", "--journal", journal).exit_code == 1
    for arguments, said in (
        (("checkout-env", "--journal", journal), "there is no kind 'checkout-env'"),
        (("--journal", tmp_path / "missing"), "missing cannot be read: No such file"),
        (("--controller", "http://127.0.0.1:1"), "is it running there"),
        (("--controller", "nonsense"), "is it running there"),
        (("--journal", journal, "--output", "loud"), "is none of auto, text, json"),
    ):
        result = run_command("trace", *arguments)
        assert result.exit_code == 2
        assert said in result.stderr
        assert "Traceback" not in result.stderr


def test_lines_that_cannot_be_read_are_counted(journal: Path) -> None:
    """The others are shown."""
    with journal.open("a") as stream:
        stream.write('{"run":"kil')
    result = run_command("trace", "--journal", journal)
    assert result.exit_code == 0
    assert f"1 lines of {journal} cannot be read" in result.stderr


def test_run_without_its_end_says_so(journal: Path) -> None:
    """A program that was killed, or a run under way; and an outcome of another version is shown by its name."""
    lines = journal.read_text().splitlines()
    first = json.loads(lines[0]) | {"outcome": {"outcome": "something_new"}}
    journal.write_text(json.dumps(first) + "\n")
    text = text_of(journal)
    assert "observe: something new → authenticate" in text
    assert "no end yet: authenticate is under way, or the program ended in it" in text


def test_older_part_of_a_rotated_journal_is_read_first(journal: Path) -> None:
    """FILE.1 goes before FILE."""
    lines = journal.read_text().splitlines(keepends=True)
    older = journal.with_name(f"{journal.name}.1")
    older.write_text("".join(lines[:10]))
    journal.write_text("".join(lines[10:]))
    assert run_command("replay", older, journal).exit_code == 0
    traced = run_command("trace", "SecretStore", "infisical", "--journal", journal).stdout.splitlines()
    assert json.loads(traced[0])["state"] == "observe"


@contextmanager
def remembered(*transitions: Transition) -> Iterator[str]:
    """A controller's endpoint that remembers some transitions; its address."""
    recent = RecentTransitions()
    for one in transitions:
        recent.record(one)
    with beside(lambda: endpoints("127.0.0.1:0", list, Metrics(), recent)) as address:
        yield f"http://{address}"


def test_controller_is_asked_for_what_it_remembers() -> None:
    """All runs of one resource; the latest of each where none is named."""
    runs = [transition(name, run) for run, name in enumerate(["one", "two", "one", "three"])]
    with remembered(*runs, transition("wide", 9, kind="ClusterSecretStore", namespace="")) as url:
        one = run_command("trace", "ss", "one", "--controller", url)
        assert [json.loads(line)["run"] for line in one.stdout.splitlines()] == ["a-0", "a-2"]
        every = run_command("trace", environment={"INFISICAL_RECONCILER_CONTROLLER": url})
        assert [json.loads(line)["run"] for line in every.stdout.splitlines()] == ["a-1", "a-2", "a-3", "a-9"]
        assert run_command("trace", "css", "--controller", url).stdout.count("\n") == 1
        assert run_command("trace", "ss", "-n", "other", "--controller", url).exit_code == 1
        assert run_command("trace", "--controller", f"{url}/elsewhere").exit_code == 2


def test_noisy_resource_does_not_push_out_the_others() -> None:
    """Each has its own place; the oldest resource goes first where there are too many."""
    recent = RecentTransitions(resources=2, of_one=3)
    for run in range(10):
        recent.record(transition("noisy", run))
    recent.record(transition("quiet", 10))
    assert [line.run for line in recent.lines()] == ["a-7", "a-8", "a-9", "a-10"]
    recent.record(transition("new", 11))
    assert [line.name for line in recent.lines()] == ["quiet", "new"]


def test_failure_in_a_store_of_which_nothing_is_known_has_words_too(tmp_path: Path) -> None:
    """As where the API server did not answer the very first question."""
    line = line_of(transition("one", 1))
    failure = Unavailable(service=Service.CLUSTER, why=Trouble.FAULT, status=503)
    failed = msgspec.structs.replace(
        line, outcome=msgspec.Raw(msgspec.json.encode(failure)), to="report_unobserved", end=False
    )
    file = tmp_path / "journal"
    file.write_bytes(msgspec.json.encode(failed) + b"\n")
    assert "the Kubernetes API server cannot be used just now (HTTP 503)" in text_of(file)


def test_a_push_is_told_in_numbers() -> None:
    """What shall be there, what differs, and nothing of what it holds."""
    file = Path(__file__).parent.parent / "replays" / "pushed-and-deleted-again.jsonl"
    text = text_of(file, "PushSecret", "pushed")
    for said in (
        "gather: gathered (3 entries to be there) → add_finalizer",
        "compare: compared (3 to write) → record",
        "gather: gathered (1 entries to be there, 2 to be there no more)",
        "compare: compared (2 to delete) → prune",
        "= gone: as wished",
    ):
        assert said in text, text
