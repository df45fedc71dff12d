"""Run the tests on supported versions of Python and the packages, and print a table of the results.

    python tests/versions.py [PAIR ...]

A PAIR is like 3.10:oldest (each dependency at exactly the lower bound that pyproject.toml names), 3.10:2.12 (that
TensorFlow) or 3.13:newest; the default is PAIRS. Each gets a fresh virtual environment, made with pythonX.Y from the
PATH, or from PYTHON_X_Y in the environment.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
PAIRS = ["3.10:oldest", "3.11:newest", "3.12:newest", "3.13:newest"]
PACKAGES = ["tensorflow", "numpy", "matplotlib"]


def wanted(version):
    """What pip is told besides the project itself."""
    if version == "oldest":
        text = (CHECKOUT / "pyproject.toml").read_text(encoding="utf-8")
        return [f"{name}=={bound}.*" for name, bound in re.findall(r'^    "(\w+)>=([\d.]+)",', text, re.MULTILINE)]
    return ["tensorflow"] if version == "newest" else [f"tensorflow=={version}.*"]


def test(pair, folder):
    """The row of the table for one pair: Python, the packages, and how the tests ended."""
    python, version = pair.split(":")
    maker = os.environ.get(f"PYTHON_{python.replace('.', '_')}", f"python{python}")
    inside = Path(folder) / pair.replace(":", "-") / "bin" / "python"
    try:
        subprocess.run([maker, "-m", "venv", inside.parents[1]], check=True)
        subprocess.run([inside, "-m", "pip", "install", "-q", *wanted(version), f"{CHECKOUT}[test]"], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        return [python, version, "-", "-", f"not installed: {error}"]
    found = subprocess.run(
        [inside, "-c", "import sys; from importlib.metadata import version as v;"
         f"print(sys.version.split()[0], *map(v, {PACKAGES}))"], capture_output=True, text=True, check=True)
    done = subprocess.run([inside, "-m", "pytest", "-p", "no:cacheprovider"], cwd=CHECKOUT, capture_output=True,
                          text=True, encoding="utf-8")
    last = done.stdout.splitlines()[-1] if done.stdout else done.stderr
    if done.returncode:
        print(done.stdout, file=sys.stderr)
    return [*found.stdout.split(), re.sub(r" in .*", "", last)]


if __name__ == "__main__":
    print(f"| Python | {' | '.join(['TensorFlow', *PACKAGES[1:]])} | tests |\n|" + " --- |" * 5)
    with tempfile.TemporaryDirectory() as folder:
        for pair in sys.argv[1:] or PAIRS:
            print("| " + " | ".join(test(pair, folder)) + " |", flush=True)
