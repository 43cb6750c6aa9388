"""What scikit-learn finds for the one-layer networks in configs/: the minimum that training must reach."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from tests.reference.records import Record, make
from tests.reference.tables import breast_cancer, standardized

SKLEARN = "scikit-learn 1.9.1"
LOGISTIC = f"{SKLEARN} LogisticRegression(C=1) on the standardized columns of data/breast_cancer.csv"


def records() -> list[Record]:
    return [_linear_regression(), logistic_regression(), _support_vectors()]


def _linear_regression() -> Record:
    x, y = standardized("concrete")
    y = StandardScaler().fit_transform(y.astype(float)[:, None])[:, 0]
    found = LinearRegression().fit(x, y)
    loss = float(np.mean((found.predict(x) - y) ** 2))
    source = f"{SKLEARN} LinearRegression on standardized columns and target"
    return make("textbook", "linear_regression", source, W=found.coef_, b=found.intercept_, loss=loss)


def logistic_regression() -> Record:
    """scikit-learn's C = 1 is our l2 = 1 / rows: it adds the losses of the rows up, we take their mean."""
    x, sign = breast_cancer()
    found = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-14).fit(x, sign)
    W, b = found.coef_[0], found.intercept_[0]
    objective = np.logaddexp(0, -sign * (x @ W + b)).mean() + W @ W / (2 * len(x))
    return make("textbook", "logistic_regression", LOGISTIC, W=W, b=b, l2=1 / len(x), objective=objective)


def _support_vectors() -> Record:
    """SVC, and not LinearSVC, which penalizes the intercept too."""
    x, sign = breast_cancer()
    found = SVC(kernel="linear", C=1.0, tol=1e-8).fit(x, sign)
    W, b = found.coef_[0], float(found.intercept_[0])
    hinge = np.maximum(0, 1 - sign * (x @ W + b)).mean()
    objective = hinge + W @ W / (2 * len(x))
    source = f"{SKLEARN} SVC(kernel='linear', C=1) on standardized columns"
    return make("textbook", "linear_svm", source, W=W, b=b, l2=1 / len(x), objective=objective)
