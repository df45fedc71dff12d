"""What a run leaves for TensorBoard: the graph, the samples, and `A`, the loss and the gradient of every step."""

import os

from common import graphs
from common import tf1 as tf


class Board:
    """Writes one run's events into `args.tensorboard`, as the log is filled, into a file of its own."""

    def __init__(self, args):
        self._folder, self._writer, self._step = args.tensorboard, None, 0

    def before(self, run, step):
        """Nothing to do between steps."""

    after = before

    def drained(self, run, rows):
        """Take down the steps that `rows`, float32 [steps, 4] of x, y, A and the loss, add to the log."""
        if not self._writer:
            self._open(run)
        for x, y, A, loss in rows:
            feed = dict.fromkeys(self._reads, [self._A])
            gradient = run.session.run(self._gradient, {**feed, run.x_data: [x], run.y_target: [y]})
            self._step, self._A = self._step + 1, A
            self._add({"A": A, "loss": loss, "gradient": gradient.item()})

    def close(self):
        """Finish the file; returns its path in a list, or an empty list if there is none."""
        if not self._writer:
            return []
        self._writer.close()
        return sorted(self._folder.glob(f"*{self._mark}"))

    def _open(self, run):
        self._mark = f".{run.args.name}.{os.getpid()}.{os.urandom(4).hex()}"
        self._writer = tf.summary.FileWriter(str(self._folder), run.session.graph, filename_suffix=self._mark)
        self._A = run.A[0]
        self._reads = [op.outputs[0] for op in graphs.reads(run.minimized.op)]
        with run.session.graph.as_default():
            self._gradient = tf.gradients(run.minimized, [run.variable], name="tensorboard")[0]
        with tf.Graph().as_default(), tf.Session() as sess:
            self._writer.add_summary(sess.run(tf.summary.histogram("x_vals", tf.constant(run.x_vals))), 0)

    def _add(self, scalars):
        self._writer.add_summary(tf.Summary(
            value=[tf.Summary.Value(tag=name, simple_value=value) for name, value in scalars.items()]), self._step)
