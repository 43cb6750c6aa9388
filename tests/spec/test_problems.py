"""The problems of a spec: dotted keys, suggestions, and gathering."""

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.errors import Place, Problem, SpecError
from nnctl.spec.problems import (
    MAX_PARTS,
    Problems,
    format_key,
    parse_key,
    shown,
    suggest,
    unknown,
)
from nnctl.spec.synonyms import SYNONYMS

SECTIONS = {
    "experiment": "name seed extends data model loss regularization optimizer schedule train early_stopping checkpoint "
    "metrics sweep",
    "data": "path val_path test_path target positive task id drop weight numeric categorical columns missing_target "
    "missing_values format target_scale split cache",
    "model": "hidden activation norm dropout residual layers output dtype",
    "optimizer": "type lr weight_decay clip accumulate ema beta1 beta2 eps",
    "train": "epochs batch_size shuffle eval_every max_time threads on_nan",
    "early_stopping": "type monitor patience min_delta start_after target diverge",
    "layers": "dense conv1d conv2d reshape flatten embedding batch_norm layer_norm rms_norm dropout alpha_dropout "
    "gaussian_noise scale residual concat simple_rnn gru lstm relu leaky_relu elu gelu selu silu mish softplus "
    "softsign sigmoid tanh hard_tanh exponential sine softmax identity",
    "losses": "mse mae huber log_cosh mape msle quantile poisson gamma tweedie gaussian_nll binary_cross_entropy hinge "
    "squared_hinge focal cross_entropy multi_margin kl_divergence cosine",
    "optimizers": "sgd momentum nesterov adagrad adadelta rmsprop adam amsgrad adamw adamax nadam radam adabelief lion "
    "lamb rprop lbfgs schedule_free_adamw prodigy",
}


def slips(word: str) -> set[str]:
    """Every text one edit away: a letter dropped, added, replaced, or swapped with its neighbour."""
    letters = string.ascii_lowercase + "_"
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    dropped = {a + b[1:] for a, b in cuts if b}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) >= 2}
    replaced = {a + letter + b[1:] for a, b in cuts if b for letter in letters}
    added = {a + letter + b for a, b in cuts for letter in letters}
    return dropped | swapped | replaced | added


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("synonyms", [{}, SYNONYMS], ids=["spelling alone", "with synonyms"])
def test_a_single_slip_finds_its_word_in_at_least_95_of_100_cases(section, synonyms):
    known = SECTIONS[section].split()
    cases = sorted((slip, word) for word in known for slip in slips(word) - set(known))
    cases = random.Random(0).sample(cases, 150)
    right = sum(suggest(slip, known, synonyms) == word for slip, word in cases)
    assert right >= 0.95 * len(cases)


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("tahn", ["relu", "tanh", "sigmoid"], "tanh"),
        ("rl", ["lr", "eps"], "lr"),
        ("l", ["lr", "eps"], "lr"),
        ("lrr", ["lr", "eps"], "lr"),
        ("lt", ["lr", "eps"], "lr"),
        ("BatchSize", ["batch_size", "epochs"], "batch_size"),
        ("batch-size", ["batch_size", "epochs"], "batch_size"),
        ("Age", ["age", "wage"], "age"),
        ("epoch", ["epochs", "every"], "epochs"),
        ("standard", ["standardize", "robust"], "standardize"),
        ("unist", ["units", "init"], "units"),
    ],
)
def test_the_spelling_suggests_what_was_meant(word, known, meant):
    assert suggest(word, known) == meant


@pytest.mark.parametrize("word", ["", "x", "zebra", "optimizer"])
def test_nothing_is_suggested_when_nothing_is_close(word):
    assert suggest(word, ["lr", "eps", "dropout_rate"]) is None


def test_one_letter_is_never_taken_for_another():
    assert suggest("p", ["q", "x"]) is None


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("learning_rate", ["lr", "weight_decay"], "lr"),
        ("learning_rate_init", ["lr"], "lr"),
        ("learningRate", ["lr"], "lr"),
        ("num_epochs", ["epochs", "batch_size"], "epochs"),
        ("max_iter", ["epochs", "batch_size"], "epochs"),
        ("minibatch", ["epochs", "batch_size"], "batch_size"),
        ("p", ["rate"], "rate"),
        ("dropout_rate", ["rate"], "rate"),
        ("dropout_rate", ["dropout", "hidden"], "dropout"),
        ("hidden_layer_sizes", ["hidden", "layers"], "hidden"),
        ("out_features", ["units", "bias"], "units"),
        ("bce", ["binary_cross_entropy", "mse"], "binary_cross_entropy"),
        ("sparse_categorical_crossentropy", ["cross_entropy", "binary_cross_entropy"], "cross_entropy"),
        ("CrossEntropyLoss", ["cross_entropy", "binary_cross_entropy"], "cross_entropy"),
        ("mean_squared_error", ["mse", "mae"], "mse"),
        ("wd", ["lr", "weight_decay"], "weight_decay"),
        ("lr_scheduler", ["schedule", "loss"], "schedule"),
        ("random_state", ["seed", "name"], "seed"),
    ],
)
def test_the_word_of_another_tool_suggests_ours(word, known, meant):
    assert suggest(word, known, SYNONYMS) == meant


def test_a_synonym_is_suggested_only_where_its_target_is_known():
    assert suggest("learning_rate", ["units", "bias"], SYNONYMS) is None


def test_a_slip_in_the_word_of_another_tool_still_suggests_ours():
    assert suggest("learning_rte", ["lr", "weight_decay"], SYNONYMS) == "lr"


def test_a_word_with_several_meanings_takes_the_one_that_is_known():
    assert suggest("decay", ["gamma", "every"], SYNONYMS) == "gamma"
    assert suggest("decay", ["lr", "weight_decay"], SYNONYMS) == "weight_decay"


def test_no_synonym_stands_for_itself():
    assert not [word for word, targets in SYNONYMS.items() if word in targets.split()]


def test_a_table_with_very_many_columns_is_searched_quickly():
    columns = [f"column_{number}" for number in range(100_000)]
    assert suggest("colunm_17", columns) is not None


@given(st.text(max_size=30), st.lists(st.text(max_size=10), max_size=5))
def test_a_suggestion_is_always_a_known_name(word, known):
    assert suggest(word, known, SYNONYMS) in {None, *known}


def test_an_unknown_option_is_not_named_again():
    assert unknown("option", "learning_rte", ["lr"], SYNONYMS) == "unknown option, did you mean `lr`?"


def test_an_unknown_name_is_shown_with_what_was_probably_meant():
    assert unknown("layer", "tahn", ["tanh", "relu"]) == "unknown layer `tahn`, did you mean `tanh`?"


def test_where_nothing_is_close_all_that_is_allowed_is_listed():
    assert unknown("loss", "zebra", ["mse", "mae"]) == "unknown loss `zebra`, allowed: `mse`, `mae`"


def test_a_long_list_of_what_is_allowed_is_cut():
    known = [f"name{number}" for number in range(20)]
    message = unknown("metric", "zebra", known)
    assert message.endswith("`name10`, `name11` and 8 more")
    assert "name12" not in message


def test_where_nothing_is_allowed_the_message_says_so():
    assert unknown("option", "x", []) == "unknown option, none is allowed here"


def test_words_of_any_length_are_answered_quickly():
    assert suggest("x" * 1_000_000, ["lr", "weight_decay"], SYNONYMS) is None


def test_hostile_text_is_shown_on_one_line_and_cut():
    assert shown("a\x1b[31m\nb") == r"`a\x1b[31m\nb`"
    assert len(shown("x" * 1_000_000)) <= 70


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("seed", ("seed",)),
        ("optimizer.lr", ("optimizer", "lr")),
        ("model.layers[0].units", ("model", "layers", 0, "units")),
        ('data.columns["pm2.5"].scale', ("data", "columns", "pm2.5", "scale")),
        ("data.columns['a b']", ("data", "columns", "a b")),
        ("data.columns.petal length.type", ("data", "columns", "petal length", "type")),
        (r'a["q\"\\n"]', ("a", 'q"\\n')),
        ("loss.class_weight.0", ("loss", "class_weight", "0")),
        ('["a.b"].c', ("a.b", "c")),
        ('a["x]"][1][2]', ("a", "x]", 1, 2)),
    ],
)
def test_a_dotted_key_is_read_into_its_parts(text, parts):
    assert parse_key(text) == parts


@pytest.mark.parametrize(
    "text", ["", ".", "a.", ".a", "a..b", "a[", "a[]", "a[x]", "a[-1]", "a['x]", "a]b", "a b .c", 'a"']
)
def test_a_text_that_is_no_key_is_refused(text):
    with pytest.raises(SpecError) as caught:
        parse_key(text)
    assert str(caught.value) == f'expected a key such as `a.b`, `a[0].b` or `a["b.c"]`, got `{text}`'


def test_an_endless_key_is_refused():
    with pytest.raises(SpecError, match="a key has at most 64 parts"):
        parse_key(".".join(["a"] * (MAX_PARTS + 1)))


@given(st.lists(st.text(max_size=8) | st.integers(0, 999_999_999), min_size=1, max_size=6).map(tuple))
def test_a_key_that_was_written_is_read_back(parts):
    assert parse_key(format_key(parts)) == parts


@given(st.text(alphabet="ab.[]0\"'\\ =\n", max_size=20))
def test_whatever_is_read_as_a_key_comes_back_when_written(text):
    try:
        parts = parse_key(text)
    except SpecError:
        return
    assert parse_key(format_key(parts)) == parts


def test_no_problem_raises_nothing():
    Problems().raise_if_any()


def test_all_problems_are_raised_at_once():
    problems = Problems()
    problems.add("seed", "must be >= 0, got -1", Place("a.yaml", 1, 7))
    problems.extend(SpecError(Problem("no such file", place=Place("b.yaml"))))
    assert len(problems) == 2
    with pytest.raises(SpecError) as caught:
        problems.raise_if_any()
    assert str(caught.value) == "a.yaml:1:7: seed: must be >= 0, got -1\nb.yaml: no such file"
