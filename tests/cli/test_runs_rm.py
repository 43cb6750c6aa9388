"""``nnctl runs rm``."""

from __future__ import annotations

from pathlib import Path

from nnctl.runs.run_dir import RunDir


def test_rm_prints_what_is_gone(nnctl, trained):
    result = nnctl("runs", "rm", "it/latest", "--dry-run")
    assert (result.code, result.out, result.err) == (0, trained + "\n", "nothing was removed: --dry-run\n")
    assert Path(trained).is_dir()
    result = nnctl("runs", "rm", "it/latest")
    assert (result.code, result.out, result.err) == (0, trained + "\n", "")
    assert not Path("runs/it").exists()
    assert nnctl("runs", "ls", "--json").json["runs"] == []


def test_rm_json_is_one_object(nnctl, trained):
    words = ["runs", "rm", "--where", "status=completed", "--json"]
    assert nnctl(*words, "--dry-run").json == {"schema": "nnctl.removed/1", "removed": [trained], "dry_run": True}
    assert nnctl(*words).json == {"schema": "nnctl.removed/1", "removed": [trained], "dry_run": False}
    assert nnctl(*words).json == {"schema": "nnctl.removed/1", "removed": [], "dry_run": False}


def test_rm_refuses_with_2_and_an_empty_stdout(nnctl, trained):
    with RunDir(Path(trained)).lock():
        for words in (["it/latest"], ["runs"], ["it"], [], ["--where", "val_loss<<1"]):
            result = nnctl("runs", "rm", *words)
            assert (result.code, result.out) == (2, ""), words
            assert result.err.strip()
    assert "is being trained by process" in nnctl("runs", "rm", "it").err or Path(trained).is_dir()


def test_rm_takes_a_cross_validation_with_its_folds(nnctl):
    run = nnctl("train", "it.yaml", "--folds", "2", "-q").out.strip()
    assert nnctl("runs", "rm", f"{run}/fold-1").code == 2
    assert nnctl("runs", "rm", run).out == run + "\n"
    assert not Path("runs/it").exists()
