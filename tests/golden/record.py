"""Record what TensorFlow computes for the page's two graphs: `A` and the loss after every step, exactly.

    python record.py

runs unchanged under TensorFlow 0.12.1 (Python 3.6), 1.15.5 (Python 3.7) and 2.x, and writes beside itself
`tensorflow-VERSION.npz`: for each recipe the samples, labels, picks and the start of `A`, and for each optimizer
its rate and the float32 `A` [steps] and loss [steps] after each step. Under 0.12.1 it also runs the page's own code
and writes what that prints to `page-RECIPE.txt`.
"""

import io
import os
import sys
from contextlib import redirect_stdout

import numpy as np
import tensorflow as tf

VERSION = tf.__version__
if int(VERSION.split(".")[0]) >= 2:
    tf = tf.compat.v1
    tf.disable_eager_execution()

HERE = os.path.dirname(os.path.abspath(__file__))
SEED = 2017  # of RandomState, whose numbers numpy keeps the same for ever

RATES = {  # optimizer: rate in the regression, rate in the classification
    "gradient-descent": (0.02, 0.05),
    "momentum": (0.005, 0.005),
    "nesterov": (0.005, 0.005),
    "adagrad": (2.0, 0.5),
    "adagrad-da": (2.0, 1.0),
    "adadelta": (1000.0, 100.0),
    "adam": (0.2, 0.05),
    "rmsprop": (0.2, 0.02),
    "ftrl": (2.0, 0.5),
    "proximal-gradient-descent": (0.02, 0.05),
    "proximal-adagrad": (2.0, 0.5),
}


def optimizer(name, rate, step):
    if name == "momentum":
        return tf.train.MomentumOptimizer(rate, momentum=0.9)
    if name == "nesterov":
        return tf.train.MomentumOptimizer(rate, momentum=0.9, use_nesterov=True)
    if name == "adagrad-da":
        return tf.train.AdagradDAOptimizer(rate, step)
    return {
        "gradient-descent": tf.train.GradientDescentOptimizer,
        "adagrad": tf.train.AdagradOptimizer,
        "adadelta": tf.train.AdadeltaOptimizer,
        "adam": tf.train.AdamOptimizer,
        "rmsprop": tf.train.RMSPropOptimizer,
        "ftrl": tf.train.FtrlOptimizer,
        "proximal-gradient-descent": tf.train.ProximalGradientDescentOptimizer,
        "proximal-adagrad": tf.train.ProximalAdagradOptimizer,
    }[name](rate)


def samples(recipe):
    """Samples, targets, picks and the start of `A`, as the page draws them."""
    rng = np.random.RandomState(SEED)
    if recipe == "regression":
        x_vals, y_vals, mean, steps = rng.normal(1, 0.1, 100), np.repeat(10.0, 100), 0, 100
    else:
        x_vals = np.concatenate((rng.normal(-1, 1, 50), rng.normal(3, 1, 50)))
        y_vals, mean, steps = np.concatenate((np.repeat(0.0, 50), np.repeat(1.0, 50))), 10, 1400
    return x_vals, y_vals, rng.randint(100, size=steps), np.float32(rng.normal(mean, 1, 1))


def graph(recipe, x_data, y_target, A):
    """The page's loss."""
    if recipe == "regression":
        return tf.square(tf.multiply(x_data, A) - y_target)
    logits, labels = tf.expand_dims(tf.add(x_data, A), 0), tf.expand_dims(y_target, 0)
    if VERSION.startswith("0."):
        return tf.nn.sigmoid_cross_entropy_with_logits(logits, labels)
    return tf.nn.sigmoid_cross_entropy_with_logits(logits=logits, labels=labels)


def train(recipe, name, rate, x_vals, y_vals, picks, A_start):
    """`A` and the loss after each step, float32 [steps] each."""
    tf.reset_default_graph()
    with tf.Session() as sess:
        x_data = tf.placeholder(shape=[1], dtype=tf.float32)
        y_target = tf.placeholder(shape=[1], dtype=tf.float32)
        A = tf.Variable(A_start)
        loss = graph(recipe, x_data, y_target, A)
        step = tf.Variable(0, trainable=False, dtype=tf.int64)
        train_step = optimizer(name, rate, step).minimize(loss, global_step=step)
        sess.run(tf.global_variables_initializer())
        rows = []
        for pick in picks:
            feed = {x_data: [x_vals[pick]], y_target: [y_vals[pick]]}
            sess.run(train_step, feed_dict=feed)
            rows.append([value.item() for value in sess.run([A, loss], feed_dict=feed)])
    return np.array(rows, np.float32).T


def run_page(recipe):
    """What the page's own code prints for `SEED` when `A` starts at the recorded value."""
    A_start = samples(recipe)[3]
    drawn, tf.random_normal = tf.random_normal, lambda shape, mean=0.0: tf.constant(A_start)
    np.random.seed(SEED)
    printed = io.StringIO()
    try:
        with open(os.path.join(HERE, "page-%s.py" % recipe)) as code, redirect_stdout(printed):
            exec(code.read(), {})
    finally:
        tf.random_normal = drawn
    return printed.getvalue()


def main(folder):
    columns = {}
    for index, recipe in enumerate(("regression", "classification")):
        inputs = dict(zip(("x", "y", "picks", "start"), samples(recipe)))
        columns.update((recipe + "/" + key, value) for key, value in inputs.items())
        for name in sorted(RATES):
            A, loss = train(recipe, name, RATES[name][index], *samples(recipe))
            columns["%s/%s/rate" % (recipe, name)] = np.array(RATES[name][index])
            columns["%s/%s/A" % (recipe, name)] = A
            columns["%s/%s/loss" % (recipe, name)] = loss
        if VERSION == "0.12.1":
            with open(os.path.join(folder, "page-%s.txt" % recipe), "w") as file:
                file.write(run_page(recipe))
    np.savez_compressed(os.path.join(folder, "tensorflow-%s.npz" % VERSION), **columns)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else HERE)
