"""What a sweep tries, from the words of its command line: a trial is what `nnctl train` makes of the same words."""

from __future__ import annotations

import json
import math
import shlex
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.errors import SpecError
from nnctl.spec.reading import read_experiment
from nnctl.spec.scalars import UNWRITABLE
from nnctl.sweeps.plan import plan
from nnctl.sweeps.request import Request, read_request
from nnctl.sweeps.space.splitting import split
from nnctl.sweeps.trial import Trial

CONFIG = """\
seed: 7
data: {path: t.csv, target: the answer}
model: {hidden: [8]}
optimizer: adam
"""


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("it.yaml").write_text(CONFIG)


def trials(*words: str, **options: Any) -> list[Trial]:
    request = read_request("it.yaml", words, **options)
    return listed(request)


def listed(request: Request) -> list[Trial]:
    return [order.trial for order in request.search(100, 7, "minimize").orders({})]


def refused(*words: str, **options: Any) -> str:
    with pytest.raises(SpecError) as caught:
        read_request("it.yaml", words, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("1e-3,1e-2", ["1e-3", "1e-2"]),
        ("[32],[64, 64]", ["[32]", "[64, 64]"]),
        ("'a,b',\"c,\\\",d\", it's", ["'a,b'", '"c,\\",d"', "it's"]),
        ("'it''s, so',x", ["'it''s, so'", "x"]),
        ("{type: step, every: 3}, none", ["{type: step, every: 3}", "none"]),
        ("{a: ', }'},b", ["{a: ', }'}", "b"]),
        ("", [""]),
        ("a[b", ["a[b"]),
    ],
)
def test_commas_outside_of_brackets_and_quotes_separate_values(text: str, parts: list[str]) -> None:
    assert split(text) == parts


def test_a_grid_is_every_combination_and_the_last_key_is_the_fastest() -> None:
    found = trials("optimizer.lr=1e-3,1e-2", "train.epochs=5", "model.hidden='[32]',[64,64]".replace("'", ""))
    assert [trial.params for trial in found] == [
        {"optimizer.lr": 0.001, "model.hidden": [32]},
        {"optimizer.lr": 0.001, "model.hidden": [64, 64]},
        {"optimizer.lr": 0.01, "model.hidden": [32]},
        {"optimizer.lr": 0.01, "model.hidden": [64, 64]},
    ]
    assert found[1].overrides == ("optimizer.lr=1e-3", "train.epochs=5", "model.hidden=[64,64]")
    assert [trial.number for trial in found] == [1, 2, 3, 4]


def test_keys_of_a_group_vary_together() -> None:
    found = trials("(model.hidden,train.epochs)=([64],100),([256,256],60)", "optimizer=adam,sgd")
    assert [tuple(trial.params.values()) for trial in found] == [
        ([64], 100, "adam"), ([64], 100, "sgd"), ([256, 256], 60, "adam"), ([256, 256], 60, "sgd")
    ]  # fmt: skip


def test_seeds_are_those_from_the_config_s_on_and_the_rows_stay_the_same() -> None:
    found = trials("optimizer.lr=1e-3,1e-2", seeds=2)
    assert [trial.overrides for trial in found] == [
        ("optimizer.lr=1e-3", "seed=7", "data.split.seed=7"),
        ("optimizer.lr=1e-3", "seed=8", "data.split.seed=7"),
        ("optimizer.lr=1e-2", "seed=7", "data.split.seed=7"),
        ("optimizer.lr=1e-2", "seed=8", "data.split.seed=7"),
    ]
    assert found[1].params == {"optimizer.lr": 0.001, "seed": 8}


@pytest.mark.parametrize("words", [("seed=1,2",), ("seed=int(1,2)",), ("(seed,optimizer.lr)=(1,0.1),(2,0.1)",)])
def test_a_list_of_seeds_pins_the_rows_too(words: tuple[str, ...]) -> None:
    request = read_request("it.yaml", words)
    assert request.params[-1] == "seed"
    assert {trial.params["seed"] for trial in listed(request)} == {1, 2}
    assert all(trial.overrides[-1] == "data.split.seed=7" for trial in listed(request))


def test_a_split_that_has_a_seed_or_draws_nothing_is_left_as_it_is() -> None:
    assert trials("data.split.seed=3", seeds=1)[0].overrides == ("data.split.seed=3", "seed=7")
    assert trials("data.split=none", seeds=1)[0].overrides == ("data.split=none", "seed=7")
    assert trials("seed=4", seeds=2)[1].overrides == ("seed=5", "data.split.seed=4")


def test_ranges_are_drawn_alike_every_time() -> None:
    words = ("optimizer.lr=log(1e-4,1e-1)", "model.dropout=uniform(0,0.5)", "train.batch_size=int(8,256)")
    found = trials(*words, trials=50)
    assert found == trials(*words, trials=50)
    assert found[:10] == trials(*words, trials=10)
    for trial in found:
        lr, dropout, batch = trial.params.values()
        assert 1e-4 <= lr <= 1e-1
        assert 0 <= dropout <= 0.5
        assert 8 <= batch <= 256
        assert isinstance(batch, int)
    assert sum(trial.params["optimizer.lr"] < 10**-2.5 for trial in found) in range(15, 36)
    assert len({trial.overrides for trial in found}) == 50


def test_no_setting_is_drawn_twice() -> None:
    found = trials("optimizer.lr=1,2,3", "train.epochs=int(1,4)", method="random", trials=12)
    assert len({trial.overrides for trial in found}) == 12
    assert "there are only 12 different settings, got `13`" in refused(
        "optimizer.lr=1,2,3", "train.epochs=int(1,4)", method="random", trials=13
    )


def test_a_file_lists_trials() -> None:
    Path("trials.csv").write_text('optimizer.lr,model.hidden\n0.1,"[8, 8]"\n\n0.2,[4]\n')
    found = trials("@trials.csv", "train.epochs=3")
    assert found[0].params == {"optimizer.lr": 0.1, "model.hidden": [8, 8]}
    assert [trial.overrides for trial in found] == [
        ("optimizer.lr=0.1", "model.hidden=[8, 8]", "train.epochs=3"),
        ("optimizer.lr=0.2", "model.hidden=[4]", "train.epochs=3"),
    ]


FAULTS = {
    "keys": ("optimizer.lrr=1,2", "model.dropot=uniform(0,0.5)", "sweep.method=tpe", "name=a,b", "nonsense", "[0]=1,2"),
    "values": ("optimizer.lr=0.1,fast", "model.dropout=uniform(0,1)", "train.epochs=0,1", "model.hidden=[8],[x]"),
    "ranges": ("optimizer.lr=loguniform(1e-4,1e-1)", "train.batch_size=log(8,256)", "train.epochs=int(9,2)",
               "model.dropout=uniform(0.1)", "loss.label_smoothing=log(0,0.1)", "seed=int(0,3),7"),
    "lists": ("optimizer.lr=0.1,", "seed=1,1", "model.hidden=[8],[8", "train.epochs=100,1e2,100.0", "name='a,b"),
    "groups": ("(model.hidden,train.epochs)=([64],100),[256],60", "(seed,optimizer.lr)=(1,2,3)"),
    "order": ("optimizer.lr=1,2", "optimizer={type: sgd}"),
    "file": ("@gone.csv", "@bad.csv", "@empty.csv"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_of_the_words_is_told_at_once(name: str, golden: Any) -> None:
    Path("bad.csv").write_text("optimizer.lr,model.hidden\n0.1\n,[4]\n0.2,[x]\n")
    Path("empty.csv").write_text("optimizer.lr\n")
    golden(f"sweep_{name}.txt", refused(*FAULTS[name]) + "\n")


@pytest.mark.parametrize(
    ("words", "options", "message"),
    [
        ((), {}, "there is nothing to vary"),
        (("optimizer.lr=1",), {}, "there is nothing to vary"),
        (("optimizer.lr=log(1,2)",), {"method": "grid"}, "optimizer.lr: grid tries all there is, and this is a range"),
        (("optimizer.lr=1,2",), {"method": "bayes"}, "--method: unknown method `bayes`, did you mean `tpe`?"),
        (
            ("optimizer.lr=1,2",),
            {"trials": 1},
            "all 2 settings: leave this out, or draw so many with `--method random`",
        ),
        (("optimizer.lr=1,2",), {"trials": 0}, "--trials: must be a whole number from 1"),
        (("seed=1,2",), {"seeds": 2}, "--seeds: the seeds are given already"),
        (("data.split=random,time",), {"seeds": 2}, "data.split: some of these splits draw rows"),
        (("optimizer.lr=1,2",), {"seeds": 50_001}, "these are 100,002 trials, at most 100,000 can be"),
    ],
)
def test_what_cannot_be_meant_is_refused(words: tuple[str, ...], options: dict[str, Any], message: str) -> None:
    if "time" in str(words):
        words = ("data.split=random,{type: time, column: d}",)
    assert message in refused(*words, **options)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("optimizer.lr=0.1,", "0.2"), "commas in `0.1,`: write no space after a comma, or quotes around it all"),
        (("seed=0..7",), "seed: `0..7` is no seed: for 8 of them write `--seeds 8`"),
        (("seed=1-4",), "seed: `1-4` is no seed: for 4 of them write `--seeds 4`"),
        (("model.hidden=8,16",), "got `8`; write 'model.hidden=[8],[16]'"),
        (("model.hidden=[8],16",), "got `16`; write 'model.hidden=[8],[16]'"),
        (("model.hidden=int(8,64)",), "got `8`; write 'model.hidden[0]=int(8,64)'"),
        (("@of_a_sweep.csv",), "of_a_sweep.csv:1: this is the table of a sweep: keep the columns of keys alone, here "
                               "`optimizer.lr`, `seed`"),
    ],
)  # fmt: skip
def test_what_was_probably_meant_is_said(words: tuple[str, ...], message: str) -> None:
    Path("of_a_sweep.csv").write_text("trial,run,status,optimizer.lr,seed,val_loss\n1,r,completed,0.1,0,0.5\n")
    assert message in refused(*words)


def test_a_plan_is_a_command_for_each_trial() -> None:
    found = trials("model.hidden=[8],[4, 4]", "data.target='the price'", seeds=1)
    assert plan("my config.yaml", found, ["-q"]) == [
        "nnctl train 'my config.yaml' 'model.hidden=[8]' 'data.target='\"'\"'the price'\"'\"'' seed=7 "
        "data.split.seed=7 --once -q",
        "nnctl train 'my config.yaml' 'model.hidden=[4, 4]' 'data.target='\"'\"'the price'\"'\"'' seed=7 "
        "data.split.seed=7 --once -q",
    ]


TEXTS = st.text(max_size=8).filter(lambda text: text != "none" and "${" not in text)
VALUES = {
    "optimizer.lr": st.floats(1e-9, 1e3),
    "model.hidden": st.lists(st.integers(1, 99), max_size=3),
    "data.positive": TEXTS,
    "data.id": st.lists(TEXTS, max_size=3),
    "early_stopping": st.sampled_from([None, "patience", {"type": "patience", "patience": 3}]),
}
LISTS = {key: st.lists(value, max_size=3, unique_by=repr, min_size=1) for key, value in VALUES.items()}
SPACES = st.fixed_dictionaries({}, optional=LISTS)


@given(SPACES)
def test_a_trial_reads_as_the_values_that_were_meant(space: dict[str, list[Any]]) -> None:
    """Values written as words, split, put together as a trial's words and read again are the same values."""
    words = [f"{key}={','.join(quoted(value) for value in values)}" for key, values in space.items()]
    found = trials(*words, "train.epochs=3,4")
    assert len(found) == 2 * math.prod(len(values) for values in space.values())
    meant = product(*space.values(), [3, 4])
    for trial, values in zip(found, meant, strict=True):
        by_key = dict(zip([*space, "train.epochs"], values, strict=True))
        assert trial.params == {key: value for key, value in by_key.items() if len(space.get(key, "ab")) > 1}
        assert experiment(trial.overrides) == experiment(by_key)
        assert shlex.split(plan("it.yaml", [trial])[0])[3:-1] == list(trial.overrides)


def experiment(overrides: Any) -> Any:
    return read_experiment("it.yaml", overrides).experiment


def quoted(value: Any) -> str:
    """The value as YAML in flow style, all that YAML cannot hold escaped."""
    return UNWRITABLE.sub(lambda found: f"\\U{ord(found[0]):08x}", json.dumps(value, ensure_ascii=False))
