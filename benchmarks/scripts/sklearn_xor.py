"""XOR in scikit-learn, as one writes it: python sklearn_xor.py data/xor.csv SEED."""

import sys

import pandas as pd
from sklearn.neural_network import MLPClassifier

table = pd.read_csv(sys.argv[1])
x, y = table.drop(columns="y"), table["y"]
network = MLPClassifier(
    (8,),
    activation="tanh",
    learning_rate_init=0.05,
    batch_size=4,
    max_iter=500,
    n_iter_no_change=500,
    random_state=int(sys.argv[2]),
)
network.fit(x, y)
print("loss", network.loss_, "accuracy", network.score(x, y))
