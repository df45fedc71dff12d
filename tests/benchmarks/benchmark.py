"""Measure what the README claims of speed and memory, side by side, and print it as tables.

    python tests/benchmarks/benchmark.py [PART ...]

PART is start, steps, runs or scripts (default: all). PyTorch and JAX are measured if they are installed, for which
there is the extra `benchmark`; TensorFlow 1.15.5 if TF1_PYTHON names a Python that has it, and another checkout of
this project if BASE names its folder. Commands to be compared take turns; a figure is the median of ROUNDS (default 5)
turns, a ratio the median of the ratios within each turn, so it need not be the quotient of the figures beside it.
"""

import importlib.util
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
ROUNDS = int(os.environ.get("ROUNDS", 5))
PEERS = [name for name in ("jax", "torch") if importlib.util.find_spec(name)]


def process(words):
    """Run a command to its end: seconds, peak memory in MiB, and what it printed."""
    code = ("import os, sys, time; began = time.perf_counter();"
            "pid = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:]);"
            "_, status, used = os.wait4(pid, 0);"
            "print(time.perf_counter() - began, used.ru_maxrss / 1024, status, file=sys.stderr)")
    done = subprocess.run([sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, check=True)
    seconds, memory, status = map(float, done.stderr.splitlines()[-1].split())
    assert status == 0, done.stderr
    return seconds, memory, done.stdout


def in_turn(commands):
    """Run the named commands in turn, once unmeasured: name -> list of results, a result a round."""
    results = {name: [] for name in commands}
    for _ in range(ROUNDS + 1):
        for name, words in commands.items():
            results[name].append(process(words))
    return {name: rounds[1:] for name, rounds in results.items()}


def median(rounds, field=0):
    return statistics.median(result[field] for result in rounds)


def ratios(results, name, to, field=0):
    return statistics.median(a[field] / b[field] for a, b in zip(results[name], results[to], strict=True))


def table(heading, rows):
    print("\n| " + " | ".join(heading) + " |\n|" + " --- |" * len(heading))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def recipe(name, folder, *flags):
    return [sys.executable, CHECKOUT / "recipes" / f"{name}.py", "--output-dir", folder, *flags]


def start(folder):
    commands = {
        "`import tensorflow`": [sys.executable, "-c", "import tensorflow"],
        "`regression.py`": recipe("regression", folder),
        "`regression.py --no-figure`": recipe("regression", folder, "--no-figure"),
        "`classification.py`": recipe("classification", folder),
        "`classification.py --no-figure`": recipe("classification", folder, "--no-figure"),
        "`classification.py --animate`": recipe("classification", folder, "--animate"),
        "`classification.py --trace`": recipe("classification", folder, "--trace"),
        "`classification.py --help`": recipe("classification", folder, "--help"),
        "`classification.py --runs 1000`": recipe("classification", folder, "--runs", "1000"),
        "`classification.py --optimizer all`": recipe("classification", folder, "--optimizer", "all"),
        "`classification.py --runs 1000000`": recipe("classification", folder, "--runs", "1000000"),
    }
    if base := os.environ.get("BASE"):
        commands |= {f"`{name}.py` of the other checkout": [
            sys.executable, Path(base) / "recipes" / f"{name}.py", "--output-dir", folder]
            for name in ("regression", "classification")}
    results = in_turn(commands)
    bare, single = "`import tensorflow`", "`classification.py`"
    table(("whole process", "s", "of the bare import", "of the default recipe", "peak MiB", "of the bare import",
           "of the default recipe"),
          [(name, f"{median(rounds):.2f}", f"{ratios(results, name, bare):.2f}",
            f"{ratios(results, name, single):.2f}", f"{median(rounds, 1):.0f}",
            f"{ratios(results, name, bare, 1):.2f}", f"{ratios(results, name, single, 1):.2f}")
           for name, rounds in results.items()])


def steps(folder):
    names = {
        "ours": "the recipe's own loop: `sess.run(train_step, feed_dict)` in the calling thread, with its log",
        "session": "`sess.run(train_step, feed_dict)` in a plain `tf.Session()`, without a log",
        "eager": "TF2 eager, `GradientTape` and a Keras optimizer",
        "function": "the same in a `tf.function`", "keras": "Keras `fit`, batch of 1",
        "torch": "PyTorch, eager SGD", "jax": "JAX, one jitted step a call",
        "loop": "all steps in one `sess.run`: `tf.while_loop`", "xla": "the same compiled by XLA"}
    chosen = [name for name in names if name not in ("torch", "jax") or name in PEERS]
    results = in_turn({name: [sys.executable, HERE / "one_step.py", name] for name in chosen})
    cost = {name: [(float(r[2].split()[-1]),) for r in rounds] for name, rounds in results.items()}
    table(("one step of the classification", "µs", "of a plain session's"),
          [(names[name], f"{median(rounds):.3g}", f"{ratios(cost, name, 'session'):.3g}")
           for name, rounds in cost.items()])


def runs(folder):
    rows = []
    for count in (100_000, 300_000):
        results = in_turn({name: [sys.executable, HERE / "many_runs.py", name, count] for name in
                           ("ours", "numpy", *PEERS, *["jax-ours"] * ("jax" in PEERS))
                           if name != "torch" or count == 100_000})
        cost = {name: [(float(r[2].split()[-2]),) for r in rounds] for name, rounds in results.items()}
        rows += [(f"{count:,}", name, f"{median(rounds):.2f}",
                  f"{median(rounds) / count / 1400 * 1e9:.2f}", f"{ratios(cost, name, 'ours'):.2f}")
                 for name, rounds in cost.items()]
    table(("runs of 1,400 steps", "library", "s, compiling included", "ns a step of a run", "of ours"), rows)


def scripts(folder):
    commands = {"`classification.py`": recipe("classification", folder, "--no-figure")}
    commands |= {f"the same for {name}": [sys.executable, HERE / "whole_recipe.py", name] for name in PEERS}
    if old := os.environ.get("TF1_PYTHON"):
        commands["the page's code on TensorFlow 1.15.5"] = [old, HERE / "whole_recipe.py", "tensorflow"]
    results = in_turn(commands)
    table(("whole recipe without its picture", "s", "of ours"),
          [(name, f"{median(rounds):.2f}", f"{ratios(results, name, '`classification.py`'):.2f}")
           for name, rounds in results.items()])


if __name__ == "__main__":
    versions = ", ".join(f"{name} {metadata.version(name)}"
                         for name in ("tensorflow", "numpy", *PEERS))
    print(f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, "
          f"{versions}; medians of {ROUNDS}, {time.strftime('%Y-%m-%d')}")
    with tempfile.TemporaryDirectory() as folder:
        for part in sys.argv[1:] or ("start", "steps", "runs", "scripts"):
            globals()[part](folder)
