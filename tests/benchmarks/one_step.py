"""The cost of one training step of the classification recipe, one step a call, written for one library.

    python one_step.py LIBRARY

prints the microseconds of a step: the median of five rounds. LIBRARY is ours (the recipe's loop with its
log), session (a plain `tf.Session()`), loop, xla (both: all steps in one call), eager, function, keras, torch or jax.
"""

import contextlib
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / room) for room in ("recipes", ".")]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
RATE, STEPS = 0.05, 1400
rng = np.random.default_rng(8)
X = rng.normal(np.repeat([-1.0, 3.0], 50), 1).astype(np.float32)
Y = np.repeat([0.0, 1.0], 50).astype(np.float32)
PICKS = rng.integers(100, size=STEPS)


def ours():
    """The recipe's own loop, its log and all; once run, it says what a step took."""
    import classification

    from common import run

    steps, classification.main.train.__kwdefaults__["steps"] = run.Run.steps, 6 * STEPS
    marks = []

    def timed(self, sess, number):
        for i in steps(self, sess, number):
            if i % STEPS == 0:
                marks.append(time.perf_counter())
            yield i
        marks.append(time.perf_counter())

    run.Run.steps = timed
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(None):
        classification.main(["--no-figure", "--report-every", str(STEPS), "--output-dir", folder])
    return [float(turn) / STEPS * 1e6 for turn in np.diff(marks)]


def session():
    """A plain `tf.Session()`."""
    import classification
    import tensorflow

    tf = tensorflow.compat.v1
    tf.disable_eager_execution()
    sess = tf.Session()
    x_data, y_target = tf.placeholder(tf.float32, [1]), tf.placeholder(tf.float32, [1])
    A = tf.Variable([10.0])
    loss = classification.graph(x_data, y_target, A)[1]
    train_step = tf.train.GradientDescentOptimizer(RATE).minimize(loss)
    sess.run(tf.global_variables_initializer())
    return lambda x, y: sess.run(train_step, feed_dict={x_data: x, y_target: y})


def all_steps(xla):
    import classification

    from common.comparison import blocks, loops

    block = blocks.Block(0, X[None], Y[None], np.float32([10]), np.uint8(PICKS)[:, None], 0, STEPS)
    loop = loops.Loop(classification.main, "gradient-descent", block, xla)
    loop.reset(block.start)
    return lambda: loop.advance(RATE, block, 0, STEPS)


def eager(wrap=lambda function: function):
    import tensorflow as tf

    A, optimizer = tf.Variable([10.0]), tf.keras.optimizers.SGD(RATE)

    @wrap
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.nn.sigmoid_cross_entropy_with_logits(logits=x + A, labels=y)
        optimizer.apply_gradients([(tape.gradient(loss, A), A)])

    return lambda x, y: step(tf.constant(x), tf.constant(y))


def function():
    import tensorflow as tf

    return eager(tf.function)


def keras():
    import tensorflow as tf

    class Shift(tf.keras.layers.Layer):
        def build(self, shape):
            self.A = self.add_weight(shape=(1,), initializer=tf.keras.initializers.Constant(10.0), name="A")

        def call(self, x):
            return x + self.A

    model = tf.keras.Sequential([tf.keras.Input((1,)), Shift()])
    model.compile(tf.keras.optimizers.SGD(RATE), tf.keras.losses.BinaryCrossentropy(from_logits=True))
    return lambda: model.fit(X[PICKS][:, None], Y[PICKS][:, None], batch_size=1, shuffle=False, verbose=0)


def torch():
    import torch

    torch.set_num_threads(1)
    A = torch.tensor([10.0], requires_grad=True)
    optimizer = torch.optim.SGD([A], RATE)

    def step(x, y):
        optimizer.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(torch.tensor(x) + A, torch.tensor(y)).backward()
        optimizer.step()

    return step


def jax():
    import jax
    import jax.numpy as jnp

    def loss(A, x, y):
        z = x + A
        return jnp.maximum(z, 0) - z * y + jnp.log1p(jnp.exp(-jnp.abs(z)))

    update = jax.jit(lambda A, x, y: A - RATE * jax.grad(loss)(A, x, y))
    state = [jnp.float32(10)]

    def step(x, y):
        state[0] = update(state[0], x[0], y[0])

    return step


def timed(step, whole):
    """The microseconds of a step in six rounds of all steps."""
    turns = []
    for _ in range(6):
        began = time.perf_counter()
        if whole:
            step()
        else:
            for pick in PICKS:
                step([X[pick]], [Y[pick]])
        turns.append((time.perf_counter() - began) / STEPS * 1e6)
    return turns


if __name__ == "__main__":
    name = sys.argv[1]
    made = {"loop": lambda: all_steps(False), "xla": lambda: all_steps(True)}.get(name) or globals()[name]
    turns = made() if name == "ours" else timed(made(), name in ("loop", "xla", "keras"))  # these: one call for all
    print(sorted(turns[1:])[2])
