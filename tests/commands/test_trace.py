"""`trace` on journals that `render` wrote, and on a controller's endpoint."""

import json
from pathlib import Path

from tests.commands.conftest import Served, run_command


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
