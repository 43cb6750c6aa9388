"""Predictions of a kept pipeline for a table: python sklearn_predict.py MODEL TABLE OUT; `fit` first makes MODEL."""

import sys

import joblib
import pandas as pd
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

model_path, table_path, out = sys.argv[1:4]
if out == "fit":
    table = pd.read_csv(table_path)
    model = make_pipeline(StandardScaler(), MLPClassifier((64, 64), batch_size=4096, max_iter=1, random_state=0))
    joblib.dump(model.fit(table.drop(columns="y"), table["y"]), model_path)
else:
    table = pd.read_csv(table_path)
    model = joblib.load(model_path)
    chance = model.predict_proba(table.drop(columns="y"))
    table["prediction"] = model.classes_[chance.argmax(axis=1)]
    for place, label in enumerate(model.classes_):
        table[f"p_{label}"] = chance[:, place]
    table.to_csv(out, index=False)
