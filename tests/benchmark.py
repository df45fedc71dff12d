"""Measure what the documents claim of speed and memory, side by side, and print it as a table.

    python tests/benchmark.py

Commands take turns; a figure is the median of ROUNDS (default 5) turns, and a ratio the median of the ratios within
each turn, so it need not be the quotient of the figures beside it. BASE=DIR measures another checkout too.
"""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
ROUNDS = int(os.environ.get("ROUNDS", 5))
LONG, SHORT = 14_000, 1_400  # steps of two runs, whose difference tells what a step costs
COMMANDS = (
    "regression.py", "regression.py --no-figure", "classification.py", "classification.py --no-figure",
    "classification.py --animate", "classification.py --trace", "classification.py --help",
    "classification.py --optimizer all", "classification.py --runs 1000", "classification.py --runs 100000")
PLAIN = """
import sys
import numpy as np, tensorflow.compat.v1 as tf
tf.disable_eager_execution()
sess = tf.Session()
x, y, A = tf.placeholder(tf.float32, [1]), tf.placeholder(tf.float32, [1]), tf.Variable([10.])
loss = tf.nn.sigmoid_cross_entropy_with_logits(logits=tf.expand_dims(x + A, 0), labels=tf.expand_dims(y, 0))
train_step = tf.train.GradientDescentOptimizer(0.05).minimize(loss)
sess.run(tf.global_variables_initializer())
x_vals, y_vals = np.random.normal(np.repeat([-1., 3.], 50), 1), np.repeat([0., 1.], 50)
for i in range(int(sys.argv[1])):
    rand_index = np.random.choice(100)
    sess.run(train_step, feed_dict={x: [x_vals[rand_index]], y: [y_vals[rand_index]]})
"""  # the classification without a log, in TensorFlow's own session
FUNCTION = """
import sys
import numpy as np, tensorflow as tf
A, my_opt = tf.Variable([10.]), tf.keras.optimizers.SGD(0.05)
@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = tf.nn.sigmoid_cross_entropy_with_logits(logits=x + A, labels=y)
    my_opt.apply_gradients([(tape.gradient(loss, A), A)])
x_vals, y_vals = np.random.normal(np.repeat([-1., 3.], 50), 1), np.repeat([0., 1.], 50)
for i in range(int(sys.argv[1])):
    rand_index = np.random.choice(100)
    train_step(tf.constant([x_vals[rand_index]], tf.float32), tf.constant([y_vals[rand_index]], tf.float32))
"""  # the same in TensorFlow 2


def process(words):
    """Run a command to its end: seconds, and peak memory in MiB."""
    code = ("import os, sys, time; began = time.perf_counter();"
            "pid = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:]);"
            "_, status, used = os.wait4(pid, 0);"
            "print(time.perf_counter() - began, used.ru_maxrss / 1024, status, file=sys.stderr)")
    done = subprocess.run([sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, check=True)
    seconds, memory, status = map(float, done.stderr.splitlines()[-1].split())
    assert status == 0, done.stderr
    return seconds, memory


def in_turn(commands):
    """Run the named commands in turn, once unmeasured: {name: [(seconds, MiB), a pair a round]}."""
    results = {name: [] for name in commands}
    for _ in range(ROUNDS + 1):
        for name, words in commands.items():
            results[name].append(process(words))
    return {name: rounds[1:] for name, rounds in results.items()}


def ratio(ours, theirs):
    """The median of the ratios within each turn, as text."""
    return f"{statistics.median(a / b for a, b in zip(ours, theirs, strict=True)):.2f}"


def script(checkout, words, *more):
    """The words of `python recipes/SCRIPT FLAGS` in a checkout."""
    name, *flags = words.split()
    return [sys.executable, Path(checkout) / "recipes" / name, *flags, *more]


def whole_processes(checkouts, folder):
    """Time and memory of each command beside a bare import, and beside the other checkout's."""
    commands = {("", "`import tensorflow`"): [sys.executable, "-c", "import tensorflow"]}
    for name, checkout in checkouts.items():
        commands |= {(name, words): script(checkout, words, "--output-dir", folder) for words in COMMANDS}
    results = in_turn(commands)
    seconds, memory = ({key: [each[field] for each in rounds] for key, rounds in results.items()} for field in (0, 1))
    bare = next(iter(commands))
    print("\n| whole process | s | of the bare import | peak MiB | time of the other's | memory of the other's |")
    print("|" + " --- |" * 6)
    for words in COMMANDS:
        ours, other = ("", words), ("BASE", words)
        beside = [ratio(each[ours], each[other]) if other in each else "-" for each in (seconds, memory)]
        print(f"| `{words}` | {statistics.median(seconds[ours]):.2f} | {ratio(seconds[ours], seconds[bare])} | "
              f"{statistics.median(memory[ours]):.0f} | {' | '.join(beside)} |")


def steps(checkouts, folder):
    """What one step of the classification costs, from two runs of different length."""
    programs = {"a plain `tf.Session()`": lambda number: [sys.executable, "-c", PLAIN, number],
                "TensorFlow 2, `@tf.function`": lambda number: [sys.executable, "-c", FUNCTION, number]}
    for name, checkout in checkouts.items():
        programs[f"the recipe {name}"] = lambda number, checkout=checkout: script(
            checkout, f"classification.py --no-figure --report-every 1000000 --steps {number}", "--output-dir", folder)
    results = in_turn({(name, number): words(number) for name, words in programs.items() for number in (SHORT, LONG)})
    cost = {name: [(long[0] - short[0]) / (LONG - SHORT) * 1e6
                   for long, short in zip(results[name, LONG], results[name, SHORT], strict=True)] for name in programs}
    print("\n| one step of the classification | µs | the recipe's of it |\n|" + " --- |" * 3)
    for name, micros in cost.items():
        print(f"| {name} | {statistics.median(micros):.0f} | {ratio(cost['the recipe '], micros)} |")


if __name__ == "__main__":
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("tensorflow", "numpy"))
    print(f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, "
          f"{versions}; medians of {ROUNDS}, {time.strftime('%Y-%m-%d')}")
    measured = {"": CHECKOUT, **({"BASE": os.environ["BASE"]} if "BASE" in os.environ else {})}
    with tempfile.TemporaryDirectory() as outputs:
        for part in (whole_processes, steps):
            part(measured, outputs)
