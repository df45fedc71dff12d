"""Make every tracked file of `outputs/reference/` anew: the logs, tables and pictures that the documents show.

    python tests/make_reference.py [DIR]

The pictures for which the flags differ from the default get a name of their own.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
RUNS = [  # the recipe and its flags, and what of its output goes where
    ("regression", "", {"regression.csv": "regression.csv", "regression.png": "regression.png"}),
    ("classification", "", {"classification.csv": "classification.csv", "classification.png": "classification.png"}),
    ("regression", "--learning-rate 0.002 0.02 0.2 0.9 1.2 --runs 1000",
     {"regression-comparison.csv": "regression-rates.csv", "regression-comparison.png": "regression-rates.png"}),
    ("classification", "--learning-rate 0.005 0.02 0.05 0.2 1 5 --runs 1000",
     {"classification-comparison.csv": "classification-rates.csv",
      "classification-comparison.png": "classification-rates.png"}),
    ("regression", "--optimizer all --runs 1000",
     {"regression-comparison.csv": "regression-optimizers.csv",
      "regression-comparison.png": "regression-optimizers.png"}),
    ("classification", "--optimizer all --runs 1000",
     {"classification-comparison.csv": "classification-optimizers.csv",
      "classification-comparison.png": "classification-optimizers.png"}),
    ("classification", "--optimizer gradient-descent momentum adagrad adadelta --learning-rate 0.05 --runs 1000",
     {"classification-comparison.csv": "classification-same-rate.csv",
      "classification-comparison.png": "classification-same-rate.png"}),
    ("regression", "--trace", {"regression-graph.png": "regression-graph.png"}),
    ("classification", "--trace --trace-step 2", {"classification-graph.png": "classification-graph.png"}),
]


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for recipe, flags, files in RUNS:
        with tempfile.TemporaryDirectory() as made:
            script = CHECKOUT / "recipes" / f"{recipe}.py"
            subprocess.run([sys.executable, script, *flags.split(), "--output-dir", made], check=True,
                           stdout=subprocess.DEVNULL)
            for name, kept in files.items():
                shutil.copyfile(Path(made) / name, folder / kept)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else CHECKOUT / "outputs" / "reference")
