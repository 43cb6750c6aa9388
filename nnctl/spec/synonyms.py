"""The names of other tools, for the sentence `did you mean`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# Our name: what keras, pytorch, scikit-learn, ludwig and lightgbm call it.
_OTHER_TOOLS = {
    # sections and their keys
    "name": "experiment experiment_name run_name",
    "seed": "random_state random_seed rng_seed",
    "extends": "base inherit include inherits defaults parent",
    "data": "dataset",
    "path": "file filename csv data_path filepath file_path train_path dataset url",
    "val_path": "validation_path valid_path val_file eval_path",
    "target": "label y output_features label_column target_column response labels targets outcome output",
    "positive": "pos_label positive_class",
    "id": "index id_column ids index_col",
    "drop": "ignore exclude ignore_columns drop_columns",
    "weight": "sample_weight weights weight_column sample_weights",
    "numeric": "numerical numbers continuous",
    "categorical": "category categories cat_features categorical_feature categorical_columns",
    "columns": "features fields input_features dtypes",
    "scale": "normalize normalization scaler standardize preprocessing",
    "missing": "impute imputer fill_missing missing_value_strategy fillna fill_value",
    "encode": "encoding encoder",
    "missing_values": "na_values null_values",
    "delimiter": "sep separator",
    "target_scale": "target_transform scale_target",
    "split": "splits validation_split test_split cv",
    "val": "validation validation_split valid val_size validation_fraction val_fraction validation_size dev",
    "test": "test_size test_split test_fraction holdout",
    "folds": "n_splits cv num_folds n_folds nfold",
    "model": "network net architecture estimator",
    "hidden": "hidden_layers hidden_layer_sizes hidden_units hidden_dims hidden_size hidden_sizes layer_sizes net_arch",
    "activation": "nonlinearity activation_fn act act_fn activation_function activations transfer_function",
    "dropout": "dropout_rate drop_rate dropout_prob dropout_p",
    "layers": "layer network architecture",
    "output": "head output_layer",
    "norm": "normalization normalize batch_norm batchnorm clipnorm max_grad_norm global_clipnorm",
    "loss": "criterion loss_function objective loss_fn cost",
    "label_smoothing": "smoothing",
    "class_weight": "class_weights is_unbalance",
    "pos_weight": "scale_pos_weight",
    "regularization": "regularizer penalty kernel_regularizer",
    "l1": "l1_reg l1_regularization reg_alpha lambda_l1 lasso",
    "l2": "alpha l2_reg l2_regularization reg_lambda lambda_l2 lambda ridge",
    "optimizer": "optim solver optimiser",
    "lr": "learning_rate learning_rate_init base_lr initial_lr base_learning_rate eta eta0 step_size alpha",
    "weight_decay": "wd decay l2_decay",
    "clip": "clipping gradient_clipping gradient_clip grad_clip clip_grad max_grad_norm clipnorm clipvalue",
    "value": "clipvalue clip_value",
    "accumulate": "gradient_accumulation_steps gradient_accumulation accumulate_grad_batches grad_accum",
    "ema": "ema_decay use_ema moving_average polyak",
    "beta1": "b1 betas",
    "beta2": "b2",
    "eps": "epsilon adam_epsilon",
    "schedule": "lr_scheduler scheduler lr_schedule learning_rate_schedule",
    "warmup": "warmup_steps warmup_epochs warmup_ratio warmup_fraction num_warmup_steps",
    "train": "training trainer fit",
    "epochs": "epoch num_epochs n_epochs max_iter max_epochs nb_epoch iterations n_iter num_train_epochs n_estimators",
    "batch_size": "batch minibatch minibatch_size mini_batch bs train_batch_size per_device_train_batch_size",
    "eval_every": "validation_freq eval_freq evaluate_every eval_steps val_every check_val_every_n_epoch",
    "max_time": "time_limit timeout time_limit_s",
    "threads": "n_jobs num_threads n_threads workers num_workers",
    "early_stopping": "early_stop early_stopping_rounds n_iter_no_change",
    "patience": "n_iter_no_change early_stopping_rounds stopping_rounds early_stop early_stopping",
    "min_delta": "tol tolerance threshold delta",
    "start_after": "start_from_epoch burn_in",
    "checkpoint": "model_checkpoint saving",
    "keep": "save_total_limit max_to_keep save_top_k keep_last",
    "every": "save_freq save_every frequency interval step_size decay_steps",
    "metrics": "metric scoring eval_metric",
    "sweep": "hyperopt search grid hparams",
    # options of components
    "units": "n_units neurons size out_features num_units nodes n_neurons output_size output_dim hidden_size width dim",
    "filters": "out_channels channels num_filters n_filters",
    "kernel": "kernel_size filter_size",
    "bias": "use_bias fit_intercept",
    "init": "initializer kernel_initializer weight_init weights_initializer",
    "bias_init": "bias_initializer",
    "rate": "dropout_rate p prob drop_prob dropout",
    "std": "stddev sigma",
    "dim": "embedding_dim embed_dim embedding_size output_dim",
    "slope": "negative_slope alpha",
    "gamma": "decay decay_rate factor lr_decay",
    "factor": "gamma decay_rate",
    "period": "t_0 t_max first_decay_steps",
    "end": "eta_min min_lr end_learning_rate",
    # names of components
    "dense": "linear fc fully_connected affine",
    "batch_norm": "batch_normalization batchnorm1d bn",
    "simple_rnn": "rnn",
    "sigmoid": "logistic",
    "identity": "none linear",
    "one_hot": "dummy dummies",
    "standardize": "standard z_score standard_scaler standardscaler",
    "min_max": "minmax_scaler normalize",
    "glorot_uniform": "glorot xavier",
    "he_normal": "he kaiming msra",
    "mse": "mean_squared_error l2 l2_loss mse_loss squared_error quadratic squared_loss",
    "mae": "mean_absolute_error l1 l1_loss absolute_error",
    "rmse": "root_mean_squared_error",
    "mape": "mean_absolute_percentage_error",
    "huber": "smooth_l1 smooth_l1_loss huber_loss",
    "quantile": "pinball",
    "binary_cross_entropy": "bce bce_loss bce_with_logits bce_with_logits_loss log_loss binary_logloss",
    "cross_entropy": "categorical_crossentropy sparse_categorical_crossentropy softmax_cross_entropy ce xent "
    "cross_entropy_loss nll nll_loss multi_logloss",
    "kl_divergence": "kl kld kl_div",
    "accuracy": "acc",
    "roc_auc": "auc auroc",
    "pr_auc": "average_precision auprc",
    "f1": "f1_score f_score",
    "r2": "r2_score r_squared",
    "step": "step_lr step_decay",
    "exponential": "exponential_lr exponential_decay",
    "cosine": "cosine_annealing cosine_annealing_lr cosine_decay cosine_similarity",
    "one_cycle": "one_cycle_lr",
    "plateau": "reduce_lr_on_plateau",
    "constant": "fixed",
    "time": "time_series temporal",
}


def _turned(by_target: Mapping[str, str]) -> Mapping[str, str]:
    table: dict[str, str] = {}
    for target, words in by_target.items():
        for word in words.split():
            table[word] = f"{table[word]} {target}" if word in table else target
    return MappingProxyType(table)


# Turned round; a word that means several of ours has them in one text, those first that are likelier.
SYNONYMS = _turned(_OTHER_TOOLS)
NO_SYNONYMS: Mapping[str, str] = MappingProxyType({})
