"""Make anew what the documents show: the logs, tables and pictures of `outputs/reference/`, and the printed output.

    python tests/make_reference.py

Only `tensorboard.png`, a picture of a browser window, is made by hand.
"""

import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
DOCUMENTS = [CHECKOUT / name for name in ("README.md", "recipes/README.md", "recipes/README.zh-CN.md")]
# A command and its output, as the documents show them.
SHOWN = re.compile(r"```sh\n(\.venv/bin/python recipes/[^\n]+)\n```\n\n```text\n(.*?)```", re.S)
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


def output_of(command):
    """What one of the documents' commands prints, run by this Python with its files in a folder of their own."""
    with tempfile.TemporaryDirectory() as made:
        words = [sys.executable, *shlex.split(command)[1:], "--output-dir", made]
        done = subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True, check=True, encoding="utf-8")
        return done.stdout.replace(made, "outputs")


def make_files(folder):
    """Make the files of `RUNS` in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for recipe, flags, files in RUNS:
        with tempfile.TemporaryDirectory() as made:
            script = CHECKOUT / "recipes" / f"{recipe}.py"
            subprocess.run([sys.executable, script, *flags.split(), "--output-dir", made], check=True,
                           stdout=subprocess.DEVNULL)
            for name, kept in files.items():
                shutil.copyfile(Path(made) / name, folder / kept)


if __name__ == "__main__":
    make_files(CHECKOUT / "outputs" / "reference")
    printed = {}
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for command, shown in SHOWN.findall(text):
            printed[command] = printed.get(command) or output_of(command)
            block = f"{command}\n```\n\n```text\n"
            text = text.replace(f"{block}{shown}```", f"{block}{printed[command]}```")
        document.write_text(text, encoding="utf-8")
