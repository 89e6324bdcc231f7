"""The data sets that come with scikit-learn, by name and without a network: in their own units, with the names of their columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wgf.errors import InputError
from wgf.registers import known

if TYPE_CHECKING:
    import pandas

DATA_SETS = {  # name → loader
    "breast-cancer": "load_breast_cancer",
    "diabetes": "load_diabetes",
    "digits": "load_digits",
    "iris": "load_iris",
    "linnerud": "load_linnerud",
    "wine": "load_wine",
}


def data_set(name: str) -> pandas.DataFrame:
    """Inputs and target(s) of a data set; raises an InputError for an unknown name, or where scikit-learn is not installed."""
    known(name, DATA_SETS, "data set")
    try:
        from sklearn import datasets
    except ImportError:
        raise InputError(f"the data set {name!r} comes with scikit-learn, which is not installed: pip install scikit-learn") from None
    options = {"scaled": False} if name == "diabetes" else {}
    return getattr(datasets, DATA_SETS[name])(as_frame=True, **options).frame
