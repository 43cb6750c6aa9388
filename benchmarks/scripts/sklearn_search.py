"""100 settings of breast_cancer in scikit-learn, as one writes it: python sklearn_search.py data/breast_cancer.csv."""

import sys

import pandas as pd
from scipy.stats import loguniform
from sklearn.model_selection import PredefinedSplit, RandomizedSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

table = pd.read_csv(sys.argv[1])
x, y = table.drop(columns="diagnosis"), table["diagnosis"] == "malignant"
train, val = train_test_split(range(len(table)), test_size=0.2, stratify=y, random_state=0)
fold = [0 if row in set(val) else -1 for row in range(len(table))]
space = {
    "mlpclassifier__hidden_layer_sizes": [(32,), (64,), (64, 64)],
    "mlpclassifier__learning_rate_init": loguniform(1e-4, 1e-1),
    "mlpclassifier__alpha": loguniform(1e-6, 1e-2),
}
model = make_pipeline(StandardScaler(), MLPClassifier(batch_size=32, max_iter=20, random_state=0))
search = RandomizedSearchCV(
    model, space, n_iter=100, n_jobs=2, cv=PredefinedSplit(fold), scoring="neg_log_loss", refit=False, random_state=0
)
search.fit(x, y)
print(len(search.cv_results_["params"]), "settings, best log loss", -search.best_score_, search.best_params_)
