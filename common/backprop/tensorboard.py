"""What a run leaves for TensorBoard: the graph, the samples, and `A`, the loss and the gradient of every step."""

import os
import time

import numpy as np

from common import graphs
from common import tf1 as tf


class Board:
    """Writes one run's events into the folder `args.tensorboard`, as the log is filled, into a file of its own.

    path    of that file, once there is one
    broken  why it cannot be written, if so: the run goes on without
    """

    def __init__(self, args):
        self._folder, self._writer, self._step = args.tensorboard, None, 0
        self.path, self.broken = None, None

    def before(self, run, step):
        """Nothing to do between steps."""

    after = before

    def drained(self, run, rows):
        """Take down the steps that `rows`, float32 [steps, 4] of x, y, A and the loss, add to the log."""
        self._try(lambda: self._take(run, rows))

    def close(self):
        """Finish the file."""
        if self._writer:
            self._try(self._writer.close)
            if not self.broken and not self.path.exists():
                self.broken = "the file was removed"

    def _try(self, write):
        if not self.broken:
            try:
                write()
            except (tf.errors.OpError, OSError, ValueError) as error:
                self.broken = getattr(error, "message", None) or str(error)

    def _take(self, run, rows):
        if not self._writer:
            self._open(run)
        for x, y, A, loss in rows:
            numbers = {"A": A, "loss": loss}
            if self._gradient is not None:
                feed = {tensor: np.reshape(number, tensor.shape) for tensor, number in (
                    *((read, self._A) for read in self._reads), (run.x_data, x), (run.y_target, y))}
                numbers["gradient"] = run.session.run(self._gradient, feed).item()
            self._step, self._A = self._step + 1, A
            self._write(summary=tf.Summary(value=[
                tf.Summary.Value(tag=name, simple_value=number) for name, number in numbers.items()]))

    def _open(self, run):
        name = f"events.out.tfevents.{time.time():.0f}.{run.args.name}.{os.getpid()}.{os.urandom(4).hex()}"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._writer = tf.python_io.TFRecordWriter(os.fsencode(self._folder / name))
        self.path, self._A = self._folder / name, run.A[0]
        self._reads = [op.outputs[0] for op in graphs.reads(run.minimized.op)]
        self._gradient = None  # where other variables take part, whose values the log does not hold
        if all(read.op.inputs[0] is run.variable.handle for read in self._reads):
            with run.session.graph.as_default():
                self._gradient = tf.gradients(run.minimized, [run.variable], name="tensorboard")[0]
        with tf.Graph().as_default(), tf.Session() as sess:
            samples = sess.run(tf.summary.histogram("x_vals", tf.constant(run.x_vals)))
        self._write(file_version="brain.Event:2")
        self._write(graph_def=run.session.graph.as_graph_def(add_shapes=True).SerializeToString())
        self._write(summary=tf.Summary.FromString(samples))

    def _write(self, **what):
        event = tf.Event(wall_time=time.time(), step=self._step, **what)
        self._writer.write(event.SerializeToString())
