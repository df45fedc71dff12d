"""One run of a recipe: its random numbers, the log that its graph writes, and what happens between its steps."""

import contextlib
import csv
import io

import numpy as np

from common import data, graphs
from common import tf1 as tf

HELD = 4096  # steps from one emptying of the graph's queue to the next
UNLOGGED = ("train() logs no step: let it loop over run.steps(sess, …) and execute there what run.logged(…) returns, "
            "as the recipes do.")
FAR = 100.0  # ten times as far from its target as `A` starts


class Run:
    """What `train` is given, and what it leaves behind.

    samples, start, picks  its streams of random numbers
    optimizer              the optimizer that --optimizer names, or None for the script's own
    x, y, A, loss          the log, float32 [steps]: the sample fed at each step, and `A` and the loss after it; `A`
                           [steps + 1] has the starting value in front
    x_vals, y_vals         the samples, as `train` drew them
    session                the session, in which the graph goes on to live
    files                  the paths of what was written
    """

    def __init__(self, args, make_optimizer=None, watchers=(), signals=None):
        self.args, self.status, self.files = args, 0, []
        self.samples, self.start, picks = data.streams(args.seed)
        self.picks = data.Picks(picks)
        self._make_optimizer, self._watchers, self._signals = make_optimizer, list(watchers), signals
        self._rows, self._drain, self.session, self._open = [], None, None, False

    @property
    def optimizer(self):
        return self._make_optimizer and self._make_optimizer()

    def logged(self, train_step, x_vals, y_vals, x_data, y_target, A, loss):
        """Return an operation that does `train_step` and then puts x, y, `A` and the loss into the log.

        The log waits in a queue of the graph, as TensorFlow 1 programs kept theirs, so that the training loop need not
        fetch it. The operation fails where `A` or the loss is no longer finite, once that is logged.
        """
        self.x_vals, self.y_vals = np.asarray(x_vals), np.asarray(y_vals)
        self.x_data, self.y_target, self.variable, self.minimized, self.update = x_data, y_target, A, loss, train_step
        row = [x_data, y_target, A, loss]
        if any(tensor.shape.num_elements() != 1 for tensor in row):
            raise SystemExit("A step is logged as one number each for x, y, A and the loss: feed one sample a step, "
                             "and take the mean or the sum of the loss if it has more numbers.")
        queue = tf.FIFOQueue(-1, [tensor.dtype.base_dtype for tensor in row], [tensor.shape for tensor in row])
        self._drain = queue.dequeue_many(queue.size())
        with tf.name_scope("after_the_step"), tf.control_dependencies([train_step]):
            A_after = A.read_value()
            replaced = {read.outputs[0]: tf.raw_ops.ReadVariableOp(resource=read.inputs[0], dtype=read.outputs[0].dtype)
                        for read in graphs.reads(loss.op)}
        loss_after = graphs.copy(loss, {x_data: x_data, y_target: y_target, **replaced}, "after_the_step")
        with tf.name_scope("after_the_step"):
            logged = queue.enqueue([x_data, y_target, A_after, loss_after])
            with tf.control_dependencies([logged]):
                return tf.group(tf.check_numerics(A_after, "A"), tf.check_numerics(loss_after, "loss"), name="logged")

    def steps(self, sess, steps):
        """Count the steps like `range(steps)`; ends early when a signal asks to stop."""
        if self._drain is None:
            raise SystemExit(UNLOGGED)
        if self.session is None:
            self._A_start = sess.run(self.variable).item()
        if self.session is not sess:
            self.session, self._open, sess.close = sess, True, self._close
        for i in range(steps):
            for watcher in self._watchers:
                watcher.before(self, i + 1)
            yield i
            for watcher in self._watchers:
                watcher.after(self, i + 1)
            if (i + 1) % HELD == 0:
                self.drain()
            if self._signals and self._signals.noted:
                return

    def _close(self):
        """Stands in for the session's `close`, with which the queue would be gone."""
        self.drain()
        self.let_go()
        self.session.close()

    def let_go(self):
        """Log no more; the session's `close` is its own again."""
        self._open = False
        if self.session:
            vars(self.session).pop("close", None)

    def drain(self):
        """Move what waits in the graph's queue into the log."""
        if not self._open:
            return
        with self._signals.put_off() if self._signals else contextlib.nullcontext():  # or rows in between were lost
            self._take()

    def _take(self):
        columns = self.session.run(self._drain)
        rows = np.stack([np.reshape(column, -1) for column in columns], axis=1)
        if len(rows):
            self._rows.append(rows)
            for watcher in self._watchers:
                watcher.drained(self, rows)

    def __len__(self):
        """The number of steps in the log."""
        return sum(map(len, self._rows))

    @property
    def _log(self):
        if len(self._rows) > 1:
            self._rows = [np.concatenate(self._rows)]
        return self._rows[0] if self._rows else np.empty((0, 4), np.float32)

    x, y, loss = (property(lambda self, column=column: self._log[:, column]) for column in (0, 1, 3))

    @property
    def A(self):
        return np.concatenate([[self._A_start], self._log[:, 2]], dtype=self._log.dtype)

    @property
    def last(self):
        """x, y, `A` and the loss of the step that the log holds last."""
        return self._rows[-1][-1]

    def csv(self, file):
        """Write the log as CSV: step, x, y, A, loss. Read back, they are the same float32 numbers."""
        text = io.TextIOWrapper(file, encoding="ascii", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([("step", "x", "y", "A", "loss"), (0, "", "", self.A[0], "")])
        step = 1
        for rows in self._rows:
            for first in range(0, len(rows), HELD):
                part = rows[first : first + HELD]
                writer.writerows(zip(range(step, step + len(part)), *part.T, strict=True))
                step += len(part)
        text.detach()

    def made_by(self):
        """The optimizer by its name here and its learning rate, both read from the graph; None where not known."""
        for update in graphs.updates(self.update, self.variable):
            return graphs.optimizer_name(update), graphs.learning_rate(update)
        return None, None

    def __repr__(self):
        return f"<{count(len(self), 'step')}: x, y, A, loss; the last A is {self.A[-1]!s}>"


def count(number, word):
    """A number of things in words: 1 step, 1,400 steps."""
    return f"{number:,} {word}{'s' * (number != 1)}"


def diverged(A, loss, target, start):
    """Whether a run that ends with `A` and `loss` diverged: one of them is not finite, or `A` is far from its target.

    Far is more than 100 away, and farther than at the start. Works element by element. A run also diverged if `A` or
    the loss was not finite at any step before.
    """
    near = np.abs(A - target) <= np.maximum(FAR, np.abs(start - target))
    return ~(np.isfinite(A) & np.isfinite(loss) & near)
