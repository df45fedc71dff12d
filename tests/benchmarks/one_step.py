"""The cost of one training step of the classification recipe, one step a call, written for one library.

    python one_step.py LIBRARY

prints the microseconds of a step: the median of five rounds. LIBRARY is ours, session (a plain `tf.Session()`), loop,
xla (both: all steps in one call), eager, function, keras, torch or jax.
"""

import os
import sys
import time
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
RATE, STEPS = 0.05, 1400
rng = np.random.default_rng(8)
X = rng.normal(np.repeat([-1.0, 3.0], 50), 1).astype(np.float32)
Y = np.repeat([0.0, 1.0], 50).astype(np.float32)
PICKS = rng.integers(100, size=STEPS)


def session(config=None):
    sys.path[:0] = [str(Path(__file__).resolve().parents[2] / room) for room in ("recipes", ".")]
    import classification

    from common import tf1 as tf

    sess = tf.Session(config=tf.one_thread() if config else None)
    x_data, y_target = tf.placeholder(tf.float32, [1]), tf.placeholder(tf.float32, [1])
    A = tf.Variable([10.0])
    loss = classification.graph(x_data, y_target, A)[1]
    train_step = tf.train.GradientDescentOptimizer(RATE).minimize(loss)
    sess.run(tf.global_variables_initializer())
    return lambda x, y: sess.run(train_step, feed_dict={x_data: x, y_target: y})


def ours():
    return session("as the recipes do")


def all_steps(xla):
    session()
    import classification

    from common import loops

    loop = loops.Loop(classification.PROBLEM, "gradient-descent", 1, STEPS, xla)
    block = loops.Block(0, X[None], Y, np.float32([10]), np.uint8(PICKS)[:, None], 0, STEPS)
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


if __name__ == "__main__":
    made = {"loop": lambda: all_steps(False), "xla": lambda: all_steps(True)}.get(sys.argv[1]) or globals()[sys.argv[1]]
    step, times = made(), []
    whole = sys.argv[1] in ("loop", "xla", "keras")  # one call for all steps
    for _ in range(6):
        began = time.perf_counter()
        if whole:
            step()
        else:
            for pick in PICKS:
                step([X[pick]], [Y[pick]])
        times.append((time.perf_counter() - began) / STEPS * 1e6)
    print(sorted(times[1:])[2])
