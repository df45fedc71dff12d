"""Classification by back propagation: find the shift A in sigmoid(x + A) that splits N(-1, 1) from N(3, 1).

The second recipe of the page, in TensorFlow 1.x graph mode. Run it:

    python recipes/classification.py
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # `common` lies beside this script's folder

from common import script
import numpy as np
from common import tf1 as tf


def draw_samples(rng):
    """The data: 50 numbers x ~ N(-1, 1) with label 0 and 50 ~ N(3, 1) with label 1; float64 [100]."""
    x_vals = np.concatenate((rng.normal(-1, 1, 50), rng.normal(3, 1, 50)))
    y_vals = np.concatenate((np.repeat(0., 50), np.repeat(1., 50)))
    return x_vals, y_vals


def draw_start(rng, shape):
    """The starting value of A: around 10, far from -1; float64 of the given shape."""
    return rng.normal(10, size=shape)


def graph(x_data, y_target, A):
    """The graph: the model's sigmoid(x + A), shaped as x_data and A, and its cross entropy, with one more dimension.

    The loss gets x + A without the sigmoid, because it applies it itself.
    """
    my_output = tf.add(x_data, A, name="my_output")
    my_output_expanded = tf.expand_dims(my_output, 0, name="my_output_expanded")
    y_target_expanded = tf.expand_dims(y_target, 0, name="y_target_expanded")
    xentropy = tf.nn.sigmoid_cross_entropy_with_logits(
        logits=my_output_expanded, labels=y_target_expanded, name="xentropy")
    return tf.sigmoid(my_output), xentropy


def train(run, *, learning_rate=0.05, steps=1400, report_every=200):
    """The page's program. `run` draws the random numbers, logs the steps and knows what the flags ask for."""
    # Reset the graph and start a graph session.
    tf.reset_default_graph()
    sess = tf.Session()

    # Create the data, the placeholders and the variable A.
    x_vals, y_vals = draw_samples(run.samples)
    x_data = tf.placeholder(shape=[1], dtype=tf.float32, name="x_data")
    y_target = tf.placeholder(shape=[1], dtype=tf.float32, name="y_target")
    A = tf.Variable(draw_start(run.start, shape=[1]), dtype=tf.float32, name="A")

    # Add the shift, the batch dimension and the cross entropy to the graph.
    _, xentropy = graph(x_data, y_target, A)

    # Declare the optimizer: minimize() adds the gradients and the update of A to the graph.
    my_opt = run.optimizer or tf.train.GradientDescentOptimizer(learning_rate)
    train_step = run.logged(my_opt.minimize(xentropy), x_vals, y_vals, x_data, y_target, A, xentropy)

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
            print('Loss = ' + str(sess.run(xentropy, feed_dict={x_data: rand_x, y_target: rand_y})))


main = script.Recipe("classification", "Classification: find A in sigmoid(x + A)",
                     train, graph, draw_samples, draw_start, target=-1, threshold=0.5)

if __name__ == "__main__":
    run = main(sys.argv[1:])
