"""breast_cancer in scikit-learn, as one writes it: python sklearn_table.py data/breast_cancer.csv."""

import sys

import pandas as pd
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

table = pd.read_csv(sys.argv[1])
x, y = table.drop(columns="diagnosis"), table["diagnosis"] == "malignant"
x_train, x_val, y_train, y_val = train_test_split(x, y, test_size=0.2, stratify=y, random_state=0)
network = MLPClassifier((64, 64), batch_size=32, max_iter=20, random_state=0)
model = make_pipeline(StandardScaler(), network)
model.fit(x_train, y_train)
for part, rows, truth in (("train", x_train, y_train), ("val", x_val, y_val)):
    chance = model.predict_proba(rows)[:, 1]
    print(part, "loss", log_loss(truth, chance), "accuracy", accuracy_score(truth, chance > 0.5))
    print(part, "f1", f1_score(truth, chance > 0.5), "roc_auc", roc_auc_score(truth, chance))
