"""The log of a run: a session that notes each training step."""

import csv
import io

import numpy as np

from common import signals
from common import tf1 as tf
from common.graph import structure

MOST_WAITING = 4096  # steps that wait in the graph's queue
MANY = ("a step is noted as one number each for x, y, A and the loss: feed one sample a step, and take the mean or the sum "
        "of a loss of more numbers")


class Diverged(ArithmeticError):
    """`A` or the loss is no longer finite."""


class Log:
    """What a run's sessions note: after each training step the sample that was fed, and `A` and the loss as they are then.

    x, y, loss  [steps], and A [steps + 1] with the starting value in front; float32 in the recipes
    session     the session that noted the steps, or None
    unknown     why the steps are not noted, or nothing more is to be told of them: a sentence without its full stop
    watcher     an object that each step is told to, by before(session, step) and after(session, step)
    """

    current = None  # the log of the run that is under way

    def __init__(self, watcher=None):
        self.session, self.unknown, self.watcher, self.steps, self.start = None, None, watcher, 0, None
        self._parts = []

    def append(self, columns):
        """Add some steps: x, y, `A` and the loss, [steps, ...] each."""
        self._parts.append(np.stack([np.ravel(column) for column in columns], axis=1, dtype=self.start.dtype,
                                    casting="unsafe"))

    @property
    def rows(self):
        """x, y, `A` and the loss of all steps, [steps, 4]."""
        if self.session:
            self.session.drain()
        self._parts = [np.concatenate(self._parts)] if self._parts else [np.empty((0, 4), np.float32)]
        return self._parts[0]

    x, y, loss = (property(lambda self, column=column: self.rows[:, column]) for column in (0, 1, 3))

    @property
    def A(self):
        return np.append(self.start, self.rows[:, 2])

    def __len__(self):
        return len(self.rows)

    def __repr__(self):
        return f"<{len(self):,} step{'s' * (len(self) != 1)}: x, y, A, loss; the last A is {self.A[-1]!s}>"

    def write(self, file):
        """Write CSV into a file that is open for bytes: step, x, y, A, loss. Read back, they are the same numbers."""
        text = io.TextIOWrapper(file, encoding="ascii", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([("step", "x", "y", "A", "loss"), (0, "", "", self.start, "")])
        writer.writerows((step, *row) for step, row in enumerate(self.rows, 1))
        text.detach()


class Session(tf.load().Session):
    """A session that keeps the log of the run, and is quick with small graphs.

    An execution that is fed and fetches a training operation (one that changes `A`) is a step, and noted. All others
    go straight through. Raises `Diverged` once `A` or the loss is not finite.

    parts   the `structure.Parts` of the graph, once a step was taken
    others  {tensor: value} of the variables beside `A` that the loss or the output reads, at the end
    steps   the training operations that were executed
    """

    def __init__(self, target="", graph=None, config=None):
        super().__init__(target, graph, config or tf.threads(-1))
        self.parts, self.others, self.steps = None, {}, set()
        self._log, self._rows, self._queue, self._drain = Log.current, {}, None, None

    def run(self, fetches, feed_dict=None, options=None, run_metadata=None):
        row = None if self._log is None else self._row(fetches, feed_dict)
        if not row:
            return super().run(fetches, feed_dict, options, run_metadata)
        log = self._log
        if log.watcher:
            log.watcher.before(self, log.steps + 1)
        try:
            if row == "afterwards":
                result = self._run_and_note(fetches, feed_dict, options, run_metadata)
            elif isinstance(fetches, tf.Operation):
                result = super().run(row, feed_dict, options, run_metadata)
            else:
                result = super().run([fetches, row], feed_dict, options, run_metadata)[0]
        except tf.errors.InvalidArgumentError:
            if len(log) == 0 or np.isfinite(log.rows[-1]).all():
                raise
            raise Diverged from None
        log.steps += 1
        if log.steps % MOST_WAITING == 0:
            self.drain()
        if log.watcher:
            log.watcher.after(self, log.steps)
        return result

    def _row(self, fetches, feed_dict):
        """What notes the step that such an execution is: an operation, or "afterwards"; None if it is no step."""
        if isinstance(fetches, tf.Operation) and feed_dict and fetches in self._rows:
            return self._rows[fetches]
        log = self._log
        try:
            if not feed_dict:  # as for the initialization
                if self.steps and self._training(fetches):
                    log.unknown = "A was also changed by an execution that fed no sample"
                return None
            self.parts = self.parts or structure.parts(self.graph)
            steps = tuple(self._training(fetches))
            key = fetches if isinstance(fetches, tf.Operation) else steps
            if key not in self._rows:
                self._rows[key] = self._prepare(steps) if steps else None
            return self._rows[key]
        except structure.Unknown as error:
            log.unknown, self._log = str(error), None
            return None

    def _training(self, fetches):
        """The operations and tensors among `fetches` that change `A`."""
        elements = [self.graph.as_graph_element(each) for each in tf.nest.flatten(fetches)]
        return [each for each in elements if structure.changes(each, self.parts.A)]

    def _prepare(self, steps):
        """What notes a step by such training operations."""
        log, row = self._log, self.parts[:4]
        if not self.steps:
            if log.session:
                log.session.drain()
                log.unknown = "two sessions were trained; the log has the steps of both"
            log.session, log.start = self, super().run(self.parts.A).reshape(-1)[0]
        sizes = {(each.shape.num_elements(), each.dtype.is_floating) for each in row}
        if any(size not in (None, 1) for size, _ in sizes):
            raise structure.Unknown(MANY)
        self.steps.update(steps)
        if self.graph.finalized or (None in dict(sizes)) or not structure.is_plain(self.parts.loss):
            return "afterwards"
        with self.graph.as_default(), tf.name_scope("log"):
            if not self._queue:
                self._queue = tf.FIFOQueue(-1, [each.dtype.base_dtype for each in row], [each.shape for each in row])
                self._drain = self._queue.dequeue_many(self._queue.size())
            fed = {each: each for each in structure.placeholders(self.graph)}
            with tf.control_dependencies(steps):
                after = {read: tf.raw_ops.ReadVariableOp(resource=read.op.inputs[0], dtype=read.dtype)
                         for read in structure.reads([self.parts.loss])}
                A, loss = self.parts.A.read_value(), structure.copy([self.parts.loss], {**fed, **after})[0]
            with tf.control_dependencies([self._queue.enqueue([*row[:2], A, loss])]):
                return tf.group(tf.check_numerics(A, "A"), tf.check_numerics(loss, "loss"))

    def _run_and_note(self, *execution):
        """Execute a step, and fetch what is noted in a second execution: twice as slow, and right with any graph."""
        with signals.held():
            result = super().run(*execution)
            columns = super().run(list(self.parts[:4]), execution[1])
            if any(np.size(column) != 1 for column in columns):
                self._log.unknown, self._log = MANY, None
                return result
            self._log.append([np.reshape(column, 1) for column in columns])
        if not np.isfinite(self._log.rows[-1]).all():
            raise Diverged
        return result

    def drain(self):
        """Move what waits in the graph's queue into the log."""
        if self._drain is not None:
            with signals.held():
                self._log.append(super().run(self._drain))

    def finish(self):
        """Note the last steps and what else is told of the run; from now on nothing more is noted."""
        if self.parts and self._log is not None:
            self.drain()
            tensors = [tensor for tensor in (self.parts.loss, self.parts.output) if tensor is not None]
            reads = [read for read in structure.reads(tensors) if structure.read_variable(read) is not self.parts.A.op]
            self.others = dict(zip(reads, super().run(reads), strict=True))
        self._log = self._drain = None

    def close(self):
        self.finish()
        super().close()
