"""How the programs of the API server are found and made, without making them."""

import sys
from pathlib import Path

import pytest

from tests.apiserver.build import cache_root, find_program
from tests.apiserver.progress import BuildError, Progress


def test_given_programs_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    (tmp_path / "kube-apiserver").touch()
    assert find_program("kube-apiserver") == tmp_path / "kube-apiserver"
    with pytest.raises(BuildError, match=r"KUBEBUILDER_ASSETS names .*, where there is no etcd"):
        find_program("etcd")


def test_programs_are_kept_where_the_machine_keeps_such_things(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_root() == tmp_path / "infisical-reconciler" / "apiserver"


def test_a_step_shows_that_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.apiserver.progress.SECONDS_BETWEEN_LINES", 0.05)
    lines: list[str] = []
    # The step ends when it has been seen to go on.
    program = (
        "import pathlib, sys, time\n"
        "print('half', file=sys.stderr, flush=True)\n"
        "while not pathlib.Path('seen').exists(): time.sleep(0.01)\n"
        "print('done')"
    )

    def say(line: str) -> None:
        lines.append(line)
        if "half" in line:
            (tmp_path / "seen").touch()

    printed = Progress(say).run(
        "thinking", [sys.executable, "-c", program], cwd=tmp_path, environment={}, describe=lambda line: line
    )
    assert printed == "done\n"
    assert lines[0] == "[api server  0:00] thinking"
    assert lines[-1].endswith("thinking: half")


def test_a_step_that_fails_says_why(tmp_path: Path) -> None:
    program = "import sys; print('no space left', file=sys.stderr); sys.exit(3)"
    with pytest.raises(BuildError, match=r"thinking: exit code 3\nno space left"):
        Progress(lambda line: None).run(
            "thinking", [sys.executable, "-c", program], cwd=tmp_path, environment={}
        )
