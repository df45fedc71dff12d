"""Run the tests on each supported pair of Python and TensorFlow, and print a table of the results.

    python tests/versions.py [PAIR ...]

A PAIR is like 3.10:2.12, or 3.13:newest; the default is the oldest TensorFlow and the newest on every Python. Each
pair gets a fresh virtual environment, made with pythonX.Y from the PATH, or from PYTHON_X_Y in the environment.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
PAIRS = ["3.10:2.12", "3.10:newest", "3.11:newest", "3.12:newest", "3.13:newest"]


def test(pair, folder):
    """The row of the table for one pair: Python, TensorFlow, numpy and matplotlib, and how the tests ended."""
    python, wanted = pair.split(":")
    maker = os.environ.get(f"PYTHON_{python.replace('.', '_')}", f"python{python}")
    inside = Path(folder) / pair.replace(":", "-") / "bin" / "python"
    tensorflow = "tensorflow" if wanted == "newest" else f"tensorflow=={wanted}.*"
    try:
        subprocess.run([maker, "-m", "venv", inside.parents[1]], check=True)
        subprocess.run([inside, "-m", "pip", "install", "-q", tensorflow, f"{CHECKOUT}[test]"], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        return [python, wanted, "-", "-", f"not installed: {error}"]
    versions = ("import sys; from importlib.metadata import version as v;"
                "print(sys.version.split()[0], *map(v, ('tensorflow', 'numpy', 'matplotlib')))")
    found = subprocess.run([inside, "-c", versions], capture_output=True, text=True, check=True).stdout.split()
    done = subprocess.run([inside, "-m", "pytest", "-p", "no:cacheprovider"], cwd=CHECKOUT, capture_output=True,
                          text=True)
    last = done.stdout.splitlines()[-1] if done.stdout else done.stderr
    if done.returncode:
        print(done.stdout, file=sys.stderr)
    return [*found, re.sub(r" in .*", "", last)]


if __name__ == "__main__":
    print("| Python | TensorFlow | numpy | matplotlib | tests |\n| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for pair in sys.argv[1:] or PAIRS:
            print("| " + " | ".join(test(pair, folder)) + " |", flush=True)
