"""What scikit-learn finds for the one-layer networks in configs/: the minimum that training must reach."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from tests.reference.records import Array, Record, make

SKLEARN = "scikit-learn 1.9.1"
DATA = Path(__file__).parent.parent.parent / "data"


def records() -> list[Record]:
    return [_linear_regression(), _logistic_regression(), _support_vectors()]


def _table(name: str) -> tuple[Array, Array]:
    """The standardized columns but for the last, and the last as text."""
    cells = np.loadtxt(DATA / f"{name}.csv", delimiter=",", dtype=str)
    return StandardScaler().fit_transform(cells[1:, :-1].astype(float)), cells[1:, -1]


def _linear_regression() -> Record:
    x, y = _table("concrete")
    y = StandardScaler().fit_transform(y.astype(float)[:, None])[:, 0]
    found = LinearRegression().fit(x, y)
    loss = float(np.mean((found.predict(x) - y) ** 2))
    source = f"{SKLEARN} LinearRegression on standardized columns and target"
    return make("textbook", "linear_regression", source, W=found.coef_, b=found.intercept_, loss=loss)


def _two_classes() -> tuple[Array, Array]:
    x, y = _table("breast_cancer")
    return x, (y == np.unique(y)[-1]).astype(float)


def _logistic_regression() -> Record:
    """scikit-learn's C = 1 is our l2 = 1 / rows: it adds the losses of the rows up, we take their mean."""
    x, y = _two_classes()
    found = LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000).fit(x, y)
    source = f"{SKLEARN} LogisticRegression(C=1) on standardized columns"
    return make("textbook", "logistic_regression", source, W=found.coef_[0], b=found.intercept_[0], l2=1 / len(x))


def _support_vectors() -> Record:
    """SVC, and not LinearSVC, which penalizes the intercept too."""
    x, y = _two_classes()
    found = SVC(kernel="linear", C=1.0, tol=1e-8).fit(x, y)
    W, b = found.coef_[0], float(found.intercept_[0])
    hinge = np.maximum(0, 1 - (2 * y - 1) * (x @ W + b)).mean()
    objective = hinge + W @ W / (2 * len(x))
    source = f"{SKLEARN} SVC(kernel='linear', C=1) on standardized columns"
    return make("textbook", "linear_svm", source, W=W, b=b, l2=1 / len(x), objective=objective)
