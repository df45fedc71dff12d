"""Measure whole runs and single steps beside plain TensorFlow, and print both as tables.

    python tests/benchmark.py

Commands take turns; a figure is the median of ROUNDS (default 5) turns, and a ratio the median of the ratios within
each turn, so it need not be the quotient of the figures beside it.
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

RECIPES = Path(__file__).resolve().parents[1] / "recipes"
ROUNDS = int(os.environ.get("ROUNDS", 5))
LONG, SHORT = 14_000, 1_400  # steps of two runs, whose difference tells what a step costs
COMMANDS = (
    "regression.py", "regression.py --no-figure", "classification.py", "classification.py --no-figure",
    "classification.py --animate", "classification.py --trace", "classification.py --help",
    "classification.py --optimizer all", "classification.py --runs 1000", "classification.py --runs 100000")
BARE = "import tensorflow"
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
    began = time.perf_counter()
    started = subprocess.Popen([sys.executable, *map(str, words)], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(started.pid, 0)
    started.returncode = os.waitstatus_to_exitcode(status)
    assert started.returncode == 0, words
    return time.perf_counter() - began, used.ru_maxrss / 1024


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


def recipe(words, folder):
    """The words that run a recipe."""
    name, *flags = words.split()
    return [RECIPES / name, *flags, "--output-dir", folder]


def whole_processes(folder):
    """Time and memory of each command, and its time beside a bare import."""
    results = in_turn({BARE: ["-c", BARE], **{words: recipe(words, folder) for words in COMMANDS}})
    print("\n| whole process | s | of the bare import | peak MiB |\n|" + " --- |" * 4)
    bare, _ = zip(*results[BARE], strict=True)
    for words, rounds in results.items():
        seconds, memory = zip(*rounds, strict=True)
        print(f"| `{words}` | {statistics.median(seconds):.2f} | {ratio(seconds, bare)} | "
              f"{statistics.median(memory):.0f} |")


def steps(folder):
    """What one step of the classification costs, from two runs of different length."""
    ours, commands = "the recipe", {}
    for number in (SHORT, LONG):
        words = f"classification.py --no-figure --report-every 1000000 --steps {number}"
        commands[ours, number] = recipe(words, folder)
        commands["a plain `tf.Session()`", number] = ["-c", PLAIN, number]
        commands["TensorFlow 2, `@tf.function`", number] = ["-c", FUNCTION, number]
    results, cost = in_turn(commands), {}
    for name, number in commands:
        if number == SHORT:
            pairs = zip(results[name, LONG], results[name, SHORT], strict=True)
            cost[name] = [(long[0] - short[0]) / (LONG - SHORT) * 1e6 for long, short in pairs]
    print("\n| one step of the classification | µs | the recipe's of it |\n|" + " --- |" * 3)
    for name, micros in cost.items():
        print(f"| {name} | {statistics.median(micros):.0f} | {ratio(cost[ours], micros)} |")


if __name__ == "__main__":
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("tensorflow", "numpy"))
    print(f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, "
          f"{versions}; medians of {ROUNDS}, {time.strftime('%Y-%m-%d')}")
    with tempfile.TemporaryDirectory() as outputs:
        whole_processes(outputs)
        steps(outputs)
