"""One experiment file, read whole, with its parents, its environment variables and its overrides."""

import os
from pathlib import Path

import pytest

from nnctl.errors import Place, SpecError
from nnctl.spec.document import MAX_FILES, load
from nnctl.spec.files import content_of, parse_bytes
from nnctl.spec.nodes import MAX_BYTES, Mapping, plain
from nnctl.spec.overrides import COMMAND_LINE


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(**texts: str) -> None:
        for name, text in texts.items():
            path = tmp_path / f"{name.replace('__', '/')}.yaml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)

    return write


def refused(*arguments) -> str:
    with pytest.raises(SpecError) as caught:
        load(*arguments)
    return str(caught.value)


def read(path) -> Mapping:
    return parse_bytes(content_of(path), os.fspath(path))


def unread(path) -> str:
    with pytest.raises(SpecError) as caught:
        read(path)
    return str(caught.value)


def test_a_file_alone_is_its_own_document(write):
    write(a="seed: 1\n")
    document = load("a.yaml")
    assert plain(document.root) == {"seed": 1}
    assert (document.path, document.files) == (Path("a.yaml"), (Path("a.yaml"),))


def test_a_file_is_laid_over_the_one_it_extends(write):
    write(
        configs__a="extends: ../shared/b.yaml\nseed: 1\nmodel: {dropout: 0.5}\n",
        shared__b="extends: c.yaml\nmodel: {hidden: [8]}\n",
        shared__c="seed: 3\noptimizer: adam\nmodel: {hidden: [4], activation: tanh}\n",
    )
    document = load("configs/a.yaml", ["optimizer.lr=0.1"])
    assert plain(document.root) == {
        "seed": 1,
        "optimizer": {"type": "adam", "lr": 0.1},
        "model": {"hidden": [8], "activation": "tanh", "dropout": 0.5},
    }
    assert document.overrides == {"optimizer.lr": 0.1}
    assert [str(path) for path in document.files] == [
        *["configs/a.yaml", "configs/../shared/b.yaml", "configs/../shared/c.yaml"]
    ]


def test_every_value_is_placed_in_the_file_it_is_written_in(write):
    write(
        configs__a="extends: b.yaml\nseed: 1\n", configs__b="\ndata: {path: x.csv}\nseed: 3\nmodel:\n  layers: [relu]\n"
    )
    document = load("configs/a.yaml", ["train.epochs=3"])
    assert document.place("seed") == Place("configs/a.yaml", 2, 7)
    assert document.place("data.path") == Place("configs/b.yaml", 2, 14)
    assert document.place("train.epochs") == COMMAND_LINE
    assert document.place("model.layers[0]") == Place("configs/b.yaml", 5, 12)


@pytest.mark.parametrize(
    ("key", "line", "column"),
    [
        ("model.layers[0].units", 2, 20),
        ("model.layers[0].bias", 2, 12),
        ("model.layers[5]", 2, 11),
        ("model.layers.units", 2, 11),
        ("model.hidden[0].x", 2, 3),
        ("optimizer.type", 3, 12),
        ("loss.class_weight.0", 4, 26),
        ("loss.class_weight[0]", 4, 26),
        ("nothing", 1, 1),
    ],
)
def test_a_key_that_is_not_written_has_the_place_of_what_would_hold_it(key, line, column, write):
    write(a="model:\n  layers: [{units: 3}]\noptimizer: adam\nloss: {class_weight: {0: 1}}\n")
    assert load("a.yaml").place(key) == Place("a.yaml", line, column)


def test_no_key_has_no_place(write):
    write(a="seed: 1\n")
    assert load("a.yaml").place("a..b") is None


def test_a_circle_of_parents_is_named(write):
    write(a="extends: d/b.yaml\n", d__b="extends: ../c.yaml\n", c="extends: a.yaml\n")
    assert refused("a.yaml") == (
        "d/../c.yaml:1:10: extends: the files extend one another in a circle: "
        "a.yaml -> d/b.yaml -> d/../c.yaml -> d/../a.yaml"
    )


def test_a_file_cannot_extend_itself(write, tmp_path):
    write(a=f"extends: {tmp_path}/a.yaml\n")
    assert refused("a.yaml") == (
        f"a.yaml:1:10: extends: the files extend one another in a circle: a.yaml -> {tmp_path}/a.yaml"
    )


def test_a_long_chain_of_parents_is_refused(write):
    write(**{f"f{number}": f"extends: f{number + 1}.yaml\n" for number in range(MAX_FILES + 5)})
    assert refused("f0.yaml").startswith(
        "f15.yaml:1:10: extends: at most 16 files may extend one another, got f0.yaml ->"
    )


@pytest.mark.parametrize(
    ("parent", "message"),
    [
        ("bse.yaml", "d/bse.yaml: no such file, did you mean `d/base.yaml`?"),
        (".", "d: this is a folder, expected a YAML file"),
        ("empty.yaml", "d/empty.yaml: nothing is written here, expected lines such as `seed: 0`"),
        ("[base.yaml]", "must be the name of one YAML file"),
        ("5", "must be the name of one YAML file"),
        ('"a\\0b"', "must be the name of one YAML file"),
        ("''", "d: this is a folder, expected a YAML file"),
    ],
)
def test_a_parent_that_cannot_be_read_is_a_problem_of_the_line_that_names_it(parent, message, write):
    write(d__a=f"seed: 1\nextends: {parent}\n", d__base="seed: 2\n", d__empty="")
    assert refused("d/a.yaml") == f"d/a.yaml:2:10: extends: {message}"


def test_a_problem_inside_a_parent_lies_in_the_parent(write):
    write(a="extends: b.yaml\n", b="seed: 1\nseed: 2\n")
    assert refused("a.yaml") == "b.yaml:2:1: seed: is written twice, first at b.yaml:1:1, keep one"


@pytest.mark.parametrize("word", ["null", "none", "~", ""])
def test_no_parent_may_be_written_out(word, write):
    write(a=f"extends: {word}\nseed: 1\n")
    assert plain(load("a.yaml").root) == {"seed": 1}


def test_a_parent_cannot_be_named_on_the_command_line(write):
    write(a="seed: 1\n", b="seed: 2\n")
    assert refused("a.yaml", ["extends=b.yaml"]) == "command line: extends: can be written only in a file"


def test_environment_variables_are_filled_in_and_then_read_as_yaml(write, monkeypatch):
    write(
        a="a: ${env:NNCTL_N}\nb: '${env:NNCTL_N}'\nc: x${env:NNCTL_N}y${env:NNCTL_T}\n"
        'd: {e: ${env:NNCTL_F}, f: ["${env:NNCTL_T}"]}\ng: ${env:NNCTL_EMPTY}\nh: $HOME $$ {}\n'
    )
    for name, value in {"N": "007", "F": "1e-3", "T": "no", "EMPTY": ""}.items():
        monkeypatch.setenv(f"NNCTL_{name}", value)
    document = load("a.yaml")
    assert plain(document.root) == {
        "a": 7, "b": 7, "c": "x007yno", "d": {"e": 0.001, "f": ["no"]}, "g": None, "h": "$HOME $$ {}",
    }  # fmt: skip
    assert document.root.items["a"].text == "007"
    assert document.place("d.e") == Place("a.yaml", 4, 8)


def test_what_an_environment_variable_holds_is_not_filled_in_again(write, monkeypatch):
    write(a="a: ${env:NNCTL_A}\n")
    monkeypatch.setenv("NNCTL_A", "${env:NNCTL_A}")
    assert plain(load("a.yaml").root) == {"a": "${env:NNCTL_A}"}


def test_environment_variables_are_filled_in_parents_their_names_and_overrides(write, monkeypatch):
    write(a="extends: ${env:NNCTL_BASE}.yaml\n", b="x: ${env:NNCTL_X}\n")
    monkeypatch.setenv("NNCTL_BASE", "b")
    monkeypatch.setenv("NNCTL_X", "1")
    assert plain(load("a.yaml", ["y=${env:NNCTL_X}", "z={a: ${env:NNCTL_X}}"]).root) == {"x": 1, "y": 1, "z": {"a": 1}}
    assert plain(load("a.yaml", {"y": "${env:NNCTL_X}"}).root) == {"x": 1, "y": 1}


def test_a_variable_that_was_overridden_need_not_be_set(write, monkeypatch):
    write(a="x: ${env:NNCTL_UNSET}\n")
    monkeypatch.delenv("NNCTL_UNSET", raising=False)
    assert plain(load("a.yaml", ["x=1"]).root) == {"x": 1}


def test_all_problems_are_told_at_once(write, monkeypatch):
    monkeypatch.delenv("NNCTL_UNSET", raising=False)
    monkeypatch.setitem(os.environ, "NNCTL_BROKEN", "\udcff")
    write(a="a: {b: ${env:NNCTL_UNSET}}\nc: [x, 'a ${HOME} b']\nd: ${env:9}\ne: ${env:NNCTL_BROKEN}\n")
    assert refused("a.yaml", ["seed"]) == (
        "a.yaml:1:8: a.b: the environment variable `NNCTL_UNSET` is not set\n"
        "a.yaml:2:8: c[1]: only `${env:NAME}` is filled in, got `${HOME} b`\n"
        "a.yaml:3:4: d: only `${env:NAME}` is filled in, got `${env:9}`\n"
        "a.yaml:4:4: e: the environment variable `NNCTL_BROKEN` holds characters that are not text\n"
        "command line: seed: expected KEY=VALUE, got `seed`"
    )


def test_the_content_is_what_was_read(write):
    write(a="seed: 1  # one\n")
    document = load("a.yaml")
    write(a="seed: 2\n")
    assert document.content == b"seed: 1  # one\n"


def test_an_unset_variable_in_the_name_of_a_parent_is_placed(write, monkeypatch):
    monkeypatch.delenv("NNCTL_UNSET", raising=False)
    write(a="extends: ${env:NNCTL_UNSET}/b.yaml\n")
    assert refused("a.yaml") == "a.yaml:1:10: extends: the environment variable `NNCTL_UNSET` is not set"


def test_a_missing_file_is_a_spec_error(write):
    write(xor="seed: 1\n")
    assert refused("xro.yaml") == "xro.yaml: no such file, did you mean `xor.yaml`?"


def test_a_file_is_read_under_the_name_the_user_gave(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text("seed: 1\n")
    assert read("./a.yaml").items["seed"].place == Place("./a.yaml", 1, 7)
    assert read(tmp_path / "a.yaml").place.source == str(tmp_path / "a.yaml")


@pytest.mark.parametrize("wrong", ["configs/xr.yaml", "configs/xor", "configs/xor.yml", "configs/XOR.yaml"])
def test_a_missing_file_suggests_one_of_a_similar_name(wrong, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").mkdir()
    for name in ("xor.yaml", "iris.yml", "xr.csv"):
        (tmp_path / "configs" / name).touch()
    assert unread(wrong) == f"{wrong}: no such file, did you mean `configs/xor.yaml`?"


def test_a_missing_file_or_folder_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert unread("a.yaml") == "a.yaml: no such file"
    assert unread("confgis/a.yaml") == "confgis/a.yaml: no such file, there is no folder `confgis`"


def test_a_folder_is_no_experiment(tmp_path):
    assert unread(tmp_path) == f"{tmp_path}: this is a folder, expected a YAML file"


@pytest.mark.parametrize("path", ["a\0b", "\udcff\ud800", "x" * 300, "x" * 10_000])
def test_an_impossible_path_gives_no_traceback(path):
    assert "no such file" in unread(path) or "cannot be read" in unread(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_named(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("a: 1")
    path.chmod(0)
    assert unread(path) == f"{path}: cannot be read: Permission denied"


def test_a_file_that_is_not_utf8_names_line_and_byte(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes("seed: 1\nä: b".encode() + b"\xe9\n")
    assert unread(path) == f"{path}:2:5: byte 6 of the line (0xe9) is not UTF-8, save the file as UTF-8"


def test_a_file_in_utf16_is_recognised(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("seed: 1\n", encoding="utf-16")
    assert unread(path).endswith("is not UTF-8, it looks like UTF-16, save the file as UTF-8")


def test_a_file_over_one_megabyte_is_not_read(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("a: 1\n" + "#" * (MAX_BYTES - 5))
    assert plain(read(path)) == {"a": 1}
    path.write_text("a: 1\n" + "#" * (MAX_BYTES - 4))
    assert unread(path) == f"{path}: must be at most 1 MB, is larger"


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no endless file here")
def test_an_endless_file_is_not_read_to_its_end():
    assert unread("/dev/zero") == "/dev/zero: must be at most 1 MB, is larger"
