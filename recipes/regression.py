"""Regression by back propagation: find A in x * A = 10, one random sample a step.

The first recipe of the page, in TensorFlow 1.x graph mode. Run it:

    python recipes/regression.py
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # `common` lies beside this script's folder

from common import script
import numpy as np
from common import tf1 as tf


def draw_samples(rng):
    """The data: 100 numbers x ~ N(1, 0.1), and the target 10 for each; float64 [100]."""
    x_vals = rng.normal(1, 0.1, 100)
    y_vals = np.repeat(10., 100)
    return x_vals, y_vals


def draw_start(rng, shape):
    """The starting value of A: standard normal, float64 of the given shape."""
    return rng.normal(size=shape)


def graph(x_data, y_target, A):
    """The graph: the output x * A and its L2 loss, tensors of the shape and dtype of x_data and A."""
    my_output = tf.multiply(x_data, A, name="my_output")
    loss = tf.square(my_output - y_target, name="loss")
    return my_output, loss


def train(run, *, learning_rate=0.02, steps=100, report_every=25):
    """The page's program. `run` draws the random numbers, logs the steps and knows what the flags ask for."""
    # Start a graph session.
    tf.reset_default_graph()
    sess = tf.Session()

    # Create the data, the placeholders and the variable A.
    x_vals, y_vals = draw_samples(run.samples)
    x_data = tf.placeholder(shape=[1], dtype=tf.float32, name="x_data")
    y_target = tf.placeholder(shape=[1], dtype=tf.float32, name="y_target")
    A = tf.Variable(draw_start(run.start, shape=[1]), dtype=tf.float32, name="A")

    # Add the multiplication and the L2 loss to the graph.
    my_output, loss = graph(x_data, y_target, A)

    # Declare the optimizer: minimize() adds the gradients and the update of A to the graph.
    my_opt = run.optimizer or tf.train.GradientDescentOptimizer(learning_rate=learning_rate)
    train_step = run.logged(my_opt.minimize(loss), x_vals, y_vals, x_data, y_target, A, loss)

    # Initialize the variable.
    init = tf.global_variables_initializer()
    sess.run(init)

    # Train: feed a randomly chosen sample at each step.
    for i in run.steps(sess, steps):
        rand_index = run.picks.choice(len(x_vals))
        rand_x = [x_vals[rand_index]]
        rand_y = [y_vals[rand_index]]
        sess.run(train_step, feed_dict={x_data: rand_x, y_target: rand_y})
        if (i + 1) % report_every == 0:
            print('Step #' + str(i + 1) + ' A = ' + str(sess.run(A)))
            print('Loss = ' + str(sess.run(loss, feed_dict={x_data: rand_x, y_target: rand_y})))


main = script.Recipe("regression", "Regression: find A in x · A = 10",
                     train, graph, draw_samples, draw_start, target=10)

if __name__ == "__main__":
    run = main(sys.argv[1:])
