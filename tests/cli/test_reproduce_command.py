"""``nnctl reproduce``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nnctl.runs.run_dir import RunDir


def about(run: str) -> dict:
    return json.loads((Path(run) / "run.json").read_text())


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["early_stopping.patience=1", "optimizer=sgd", "optimizer.lr=0.5"],
        ["data.split=none", "optimizer={type: adamw, ema: 0.9}", "schedule=cosine"],
    ],
)
def test_a_run_is_reproduced_bit_by_bit(nnctl, overrides):
    first = nnctl("train", "it.yaml", "-q", *overrides).out.strip()
    result = nnctl("reproduce", first, "-q")
    assert result.code == 0, result.err
    second = result.out.strip()
    assert second != first
    assert about(second)["reproduces"] == about(first)["id"]
    assert about(second)["weights_sha256"] == about(first)["weights_sha256"]
    assert Path(second).parent == Path(first).parent
    found = nnctl("reproduce", "it/latest", "--json").json
    assert found | {"schema": "nnctl.reproduce/1", "reproduces": second, "identical": True} == found
    assert found["first_difference"] is None
    assert found["machine"] == []


def test_the_result_is_told_in_sentences(nnctl, trained):
    result = nnctl("reproduce", trained)
    assert result.code == 0
    assert result.out.splitlines()[1] == f"the weights are identical to those of {trained}"


def test_a_difference_ends_with_7_and_the_first_epoch_that_differs(nnctl, trained):
    table = Path(trained) / "metrics.csv"
    lines = table.read_text().splitlines()
    lines[4] = lines[4].replace("0.", "0.1", 2)
    table.write_text("\n".join(lines) + "\n")
    changed = about(trained)
    changed["weights_sha256"] = "0" * 64
    changed["versions"]["numpy"] = "2.0.0"
    (Path(trained) / "run.json").write_text(json.dumps(changed))
    result = nnctl("reproduce", trained)
    assert result.code == 7
    assert "the weights differ from those of" in result.out
    assert "the first epoch whose metrics differ: 4 (" in result.out
    assert "NumPy: 2.0.0, now " in result.out
    assert "warning: the bits may be others: NumPy: 2.0.0" in result.err
    result = nnctl("reproduce", trained, "--json")
    assert result.code == 7
    assert result.json["identical"] is False
    assert result.json["first_difference"]["epoch"] == 4
    assert result.json["machine"]


def test_changed_or_missing_data_ends_with_3_before_anything_is_made(nnctl, trained):
    original = Path("table.csv").read_text()
    Path("table.csv").write_text(original + original.splitlines()[-1] + "\n")
    result = nnctl("reproduce", trained)
    assert (result.code, result.out) == (3, "")
    assert "table.csv: has changed since the run was trained on it" in result.err
    Path("table.csv").unlink()
    result = nnctl("reproduce", trained)
    assert (result.code, result.out) == (3, "")
    assert "Traceback" not in result.err
    assert len(list(Path("runs/it").glob("2*"))) == 1


def test_what_cannot_be_trained_in_one_go_is_refused(nnctl, trained):
    path = Path(trained) / "run.json"
    whole = about(trained)

    def refused(**fields) -> str:
        path.write_text(json.dumps({**whole, **fields}))
        result = nnctl("reproduce", trained)
        assert (result.code, result.out) == (2, ""), result.out
        return result.err

    assert "has not ended (interrupted); go on with it first: `nnctl resume" in refused(status="interrupted")
    assert "was ended by the clock" in refused(reason="max_time")
    path.write_text(json.dumps(whole))
    with RunDir(Path(trained)).lock():
        assert "is being trained" in nnctl("reproduce", trained).err
    assert nnctl("resume", trained, "train.epochs=12", "-q").code == 0
    result = nnctl("reproduce", trained)
    assert result.code == 2
    assert "was changed when it went on (`train.epochs`), and cannot be trained in one go" in result.err


def test_a_run_that_began_with_the_weights_of_another_begins_with_them_again(nnctl, trained):
    child = nnctl("train", "it.yaml", "--from", trained, "--name", "child", "optimizer.lr=0.003", "-q").out.strip()
    result = nnctl("reproduce", child, "-q")
    assert result.code == 0, result.err
    assert about(result.out.strip())["from"] == about(child)["from"]
    path = Path(child) / "run.json"
    changed = about(child)
    changed["from"]["weights_sha256"] = "0" * 64
    path.write_text(json.dumps(changed))
    result = nnctl("reproduce", child)
    assert result.code == 2
    assert "that run has others now" in result.err


def test_a_diverged_run_diverges_again_in_the_same_epoch(nnctl):
    first = nnctl("train", "it.yaml", "-q", "optimizer={type: sgd, lr: 1e30}").out.strip()
    assert about(first)["status"] == "diverged"
    found = nnctl("reproduce", first, "--json")
    assert found.code == 0, found.err
    assert found.json["identical"] is True
    assert about(found.json["run"])["status"] == "diverged"


def test_a_fold_is_reproduced_and_a_cross_validation_points_to_its_folds(nnctl):
    whole = nnctl("train", "it.yaml", "-q", "--folds", "2").out.strip()
    result = nnctl("reproduce", whole)
    assert result.code == 2
    assert f"{whole}/fold-1" in result.err
    fold = nnctl("reproduce", f"{whole}/fold-2", "-q")
    assert fold.code == 0, fold.err
    assert about(fold.out.strip())["name"] == "it"


def test_a_damaged_run_ends_with_6(nnctl, trained):
    (Path(trained) / "checkpoints" / "best.safetensors").write_text("x")
    assert nnctl("reproduce", trained).code == 6
    assert nnctl("reproduce", "nothing").code == 2
