"""What a run leaves for TensorBoard: the graph, the samples, and `A`, the loss and the gradient of every step."""

from common import tf1 as tf


class Board:
    """Writes one run's events into `folder`, which it makes.

    graph   the `tf.Graph` to show
    x_vals  the samples, for a histogram
    """

    def __init__(self, folder, graph, x_vals):
        self._writer = tf.summary.FileWriter(str(folder), graph)
        with tf.Graph().as_default(), tf.Session(config=tf.one_thread()) as sess:
            self._writer.add_summary(sess.run(tf.summary.histogram("x_vals", tf.constant(x_vals))), 0)

    def add(self, step, **scalars):
        """Take down the named numbers of one step."""
        self._writer.add_summary(tf.Summary(
            value=[tf.Summary.Value(tag=name, simple_value=value) for name, value in scalars.items()]), step)

    def close(self):
        self._writer.close()
