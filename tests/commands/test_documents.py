"""What commands print of the program itself: diagrams, definitions, help; and every flag as a variable."""

from pathlib import Path

import click
import pytest
import typer.main

from reconciler.commands import application
from tests.commands.conftest import run_command

ROOT = Path(__file__).parent.parent.parent
COMMANDS = typer.main.get_command(application)


def test_diagrams_in_the_readme_are_those_of_the_tables() -> None:
    """`diagram --check` compares, `diagram --write` draws."""
    assert run_command("diagram", "--check", ROOT / "README.md").exit_code == 0
    assert (ROOT / "README.md").read_text().count("```mermaid") == 4


def test_a_stale_diagram_is_found_and_redrawn(tmp_path: Path) -> None:
    """What stands between the marks is replaced, nothing else."""
    file = tmp_path / "page.md"
    file.write_text("before\n<!-- diagram SecretStore -->\nold\n<!-- end -->\nafter\n")
    assert run_command("diagram", "--check", file).exit_code == 1
    assert run_command("diagram", "--write", file).exit_code == 0
    assert run_command("diagram", "--check", file).exit_code == 0
    assert file.read_text().startswith("before\n<!-- diagram SecretStore -->\n```mermaid\nstateDiagram-v2\n")
    assert file.read_text().endswith("<!-- end -->\nafter\n")
    assert run_command("diagram", "Nobody").exit_code == 2


def test_file_without_a_diagram_is_told(tmp_path: Path) -> None:
    """A mark that is misspelt would otherwise be checked for ever, and always found to be right."""
    file = tmp_path / "page.md"
    for text, said in (
        ("nothing", "has no diagram between"),
        ("<!-- diagram Nobody -->\n<!-- end -->", "there is no machine Nobody"),
        (None, "No such file"),
    ):
        file.unlink(missing_ok=True)
        if text is not None:
            file.write_text(text)
        result = run_command("diagram", "--check", file)
        assert result.exit_code == 2
        assert said in result.stderr


def test_definitions_are_those_that_are_deployed(tmp_path: Path) -> None:
    """`crds --output` writes what stands in deploy/crds."""
    assert run_command("crds", "--output", tmp_path).exit_code == 0
    written = {file.name: file.read_text() for file in tmp_path.iterdir()}
    deployed = {file.name: file.read_text() for file in (ROOT / "deploy" / "crds").iterdir()}
    assert written == deployed
    assert len(written) == 6


def _parameters() -> list[tuple[str, str, list[str]]]:
    found = []
    for name, command in COMMANDS.commands.items():  # type: ignore[attr-defined]  # it is a group
        for parameter in command.params:
            if parameter.param_type_name == "option" and parameter.name != "help":
                variables = parameter.envvar if isinstance(parameter.envvar, list) else [parameter.envvar]
                found.append((name, parameter.opts[0], variables))
    return found


@pytest.mark.parametrize(("command", "flag", "variables"), _parameters())
def test_every_flag_is_an_environment_variable_too(command: str, flag: str, variables: list[str]) -> None:
    """INFISICAL_RECONCILER_<FLAG>."""
    assert variables[0] == f"INFISICAL_RECONCILER_{flag.removeprefix('--').replace('-', '_').upper()}", (
        command
    )


@pytest.mark.parametrize(
    "command",
    ["demo", "run", "render", "plan", "validate", "explain", "trace", "replay", "diagram", "crds"],
)
def test_help_says_what_a_command_is_for(command: str) -> None:
    """A newcomer reads it first."""
    result = run_command(command, "--help")
    assert result.exit_code == 0
    assert len(click.unstyle(result.stdout).splitlines()) > 5


def test_bad_values_are_told_without_a_traceback(tmp_path: Path) -> None:
    """Exit code 2, and a sentence."""
    for arguments in (
        ("run", "--linger", "soon"),
        ("run", "--linger", "-1s"),
        ("run", "--log-level", "loud"),
        ("run", "--local", tmp_path / "missing"),
        ("run", "--concurrency", "0"),
        ("run", "--listen", "here", "--local", tmp_path),
    ):
        result = run_command(*arguments)
        assert result.exit_code == 2, arguments
        assert "Traceback" not in result.stderr
        assert result.stderr.strip()
