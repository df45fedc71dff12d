"""The session in which a recipe trains: TensorFlow's own, and it notes each training step in the log."""

import numpy as np

from common import signals
from common import tf1 as tf
from common.graph import copies, structure
from common.log import Log

MOST_WAITING = 4096  # steps that wait in the graph's queue


class Session(tf.load().Session):
    """A session that keeps the log of the run, and is quick with small graphs.

    An execution that is fed and fetches a training operation, one that changes `A`, is a step, and noted. All others
    go straight through.

    parts   the `structure.Parts` of the graph
    steps   the training operations that were executed
    """

    def __init__(self, target="", graph=None, config=None):
        super().__init__(target, graph, config or tf.threads(-1))
        self.parts, self.steps = None, set()
        self._log, self._noting, self._queue, self._drain = Log.current, {}, None, None

    @signals.held()  # an exception amid TensorFlow's own code would leave it locked, or broken
    def run(self, fetches, feed_dict=None, options=None, run_metadata=None):
        log, execution = self._log, (feed_dict, options, run_metadata)
        noting = None if log is None else self._noting_of(fetches, feed_dict)
        if noting is None:
            return super().run(fetches, *execution)
        if log.session is not self:
            self._begin()
        if log.watcher:
            log.watcher.before(self, log.steps + 1, fetches, feed_dict)
        if noting == "afterwards":
            result = self._run_and_note(fetches, *execution)
        elif isinstance(fetches, tf.Operation):
            result = super().run(noting, *execution)
        else:
            result, _ = super().run([fetches, noting], *execution)
        log.steps += 1
        if log.steps % MOST_WAITING == 0:
            self.drain()
        if log.watcher:
            log.watcher.after(self, log.steps)
        return result

    def _noting_of(self, fetches, feed_dict):
        """What executes and notes such a step: an operation, or "afterwards"; None if it is no step."""
        if not (feed_dict or self.steps):
            return None
        key = fetches if isinstance(fetches, tf.Operation) else tuple(tf.nest.flatten(fetches, expand_composites=True))
        try:
            if key not in self._noting:
                self._noting[key] = self._training(key)
            noting = self._noting[key]
            if not noting:
                return None
            if not feed_dict or any(each not in feed_dict and each.name not in feed_dict for each in self.parts[:2]):
                if self.steps:
                    self._log.unknown = "A was also changed by an execution that did not feed x and y"
                return None
            if isinstance(noting, list):
                self._noting[key] = self._prepare(noting)
            return self._noting[key]
        except structure.Unknown as error:
            self._log.unknown = str(error)
            self.finish()
            return None

    def _training(self, fetched):
        """The operations and tensors among what is fetched that change `A`."""
        elements = map(self.graph.as_graph_element, fetched if isinstance(fetched, tuple) else (fetched,))
        steps = [each for each in elements if structure.changes(each)]
        if steps and not self.parts:
            self.parts = structure.parts(self.graph)
        return [each for each in steps if structure.changes(each, self.parts.A)]

    def _prepare(self, steps):
        """What executes and notes these training operations together: an operation, or "afterwards"."""
        row = self.parts[:4]
        self.steps.update(steps)
        single = all(each.shape.num_elements() == 1 for each in row)
        reads = structure.reads([self.parts.loss])
        alone = all(read.op.inputs[0].op is self.parts.A.op for read in reads)
        if self.graph.finalized or not (single and alone) or not structure.is_plain(self.parts.loss):
            if again := structure.not_repeatable(self.parts.loss):
                raise structure.Unknown(f"the loss is not noted, as {again.name} ({again.type}) must not run twice")
            return "afterwards"
        with self.graph.as_default(), tf.name_scope("log"):
            if not self._queue:
                self._queue = tf.FIFOQueue(-1, [each.dtype.base_dtype for each in row], [each.shape for each in row])
                self._drain = self._queue.dequeue_many(self._queue.size())
            with tf.control_dependencies(steps):
                A = self.parts.A.read_value()
                loss, = copies.copy([self.parts.loss], dict.fromkeys(reads, A))
            return self._queue.enqueue([*row[:2], A, loss])

    def _begin(self):
        """Note from the next step on, behind what another session noted."""
        log = self._log
        if log.session:
            log.session.drain()
            log.unknown = "two sessions were trained, and the log has the steps of both"
        else:
            log.start = np.ravel(super().run(self.parts.A))[0]
        log.session = self

    def _run_and_note(self, *execution):
        """Execute a step, and fetch what is noted in a second execution: slower, but right with any graph."""
        self.drain()
        result = super().run(*execution)
        columns = super().run(list(self.parts[:4]), execution[1])
        sizes = [np.size(column) for column in columns]
        if max(sizes) == 1:
            self._log.append(columns)
        else:
            self._log.unknown = f"at a step x, y, A and the loss should be one number each, and have {sizes} numbers"
            self.finish()
        return result

    def drain(self):
        """Move what waits in the graph's queue into the log."""
        if self._drain is not None:
            self._log.append(super().run(self._drain))

    def finish(self):
        """Note the last steps; from now on nothing more is noted."""
        self.drain()
        self._log = self._drain = None

    @signals.held()
    def close(self):
        self.finish()
        super().close()
