"""``nnctl runs verify``."""

from __future__ import annotations

from pathlib import Path


def test_whole_runs_end_with_0(nnctl, trained):
    result = nnctl("runs", "verify")
    files = len(
        [path for path in Path(trained).rglob("*") if path.suffix in (".safetensors", ".prev", ".csv", ".json")]
    )
    assert (result.code, result.out) == (0, f"{files} files in 1 run read, none damaged\n")
    found = nnctl("runs", "verify", trained, "--json").json
    assert found == {"schema": "nnctl.verify/1", "runs": 1, "files": files, "damaged": [], "litter": []}


def test_a_damaged_file_is_a_line_and_the_code_is_6(nnctl, trained):
    path = Path(trained) / "checkpoints" / "best.safetensors"
    path.write_bytes(path.read_bytes()[:-7])
    result = nnctl("runs", "verify", "it/latest")
    assert result.code == 6
    line, summary = result.out.splitlines()
    assert line.startswith(f"{path}: is damaged: ")
    assert summary.endswith("1 damaged")
    result = nnctl("runs", "verify", "--json")
    assert result.code == 6
    (damaged,) = result.json["damaged"]
    assert damaged == {"run": trained, "file": str(path), "message": line.partition(": ")[2]}


def test_litter_is_a_note_on_stderr(nnctl, trained):
    (Path(trained) / "checkpoints" / ".last.safetensors.1.01234567.tmp").write_text("x")
    result = nnctl("runs", "verify")
    assert result.code == 0
    assert "left by a process that was killed" in result.err


def test_hostile_names_do_not_reach_the_terminal(nnctl, trained):
    path = Path(trained) / "checkpoints" / "\x1b[31m[red]\nx.safetensors"
    path.write_text("x")
    result = nnctl("runs", "verify")
    assert result.code == 6
    assert "\x1b" not in result.out
    assert len(result.out.splitlines()) == 2
    assert nnctl("runs", "verify", "--json").json["damaged"][0]["file"] == str(path)
    assert nnctl("runs", "verify", "nothing").code == 2
