"""Many runs at once: the script's own training operation, executed with a vector of all runs in place of each number.

No optimizer is made here: a copy of the script's step is the body of a loop. What all runs have in common, as a step
counter or a learning rate, stays one number.
"""

import numpy as np

from common import signals
from common import tf1 as tf
from common.graph import copies, structure
from common.report import NEAR


class Loop:
    """The training loop for some runs, in a graph and a session of its own.

    start  {operation of a variable: its value before the first step, run 1's}
    shape  (steps of a block, runs, samples)
    """

    def __init__(self, step, start, shape, target, xla):
        length, runs, size = shape
        self._step, self._target, (x_data, y_target, A, loss, *_) = step, target, step.parts
        with tf.Graph().as_default():
            self._starts = {op: tf.placeholder(start[op].dtype, [runs]) for op in start if op in step.own}
            self._variables = {op: tf.Variable(self._starts.get(op, value)) for op, value in start.items()}
            samples = [tf.placeholder(each.dtype, [runs, size]) for each in (x_data, y_target)]
            numbers = [tf.placeholder(tf.int32, []) for _ in range(3)]
            state = [tf.placeholder(dtype, [runs]) for dtype in (tf.int32, tf.bool)]
            self._fed = [*samples, tf.placeholder(tf.int32, [length, runs]), *numbers, *state]
            train = tf.function(self._train, jit_compile=True, autograph=False) if xla else self._train
            after = train(*self._fed)
            with tf.control_dependencies(after):
                self._after = [self._variables[A.op].read_value(), *after]
            wide = {read: tf.repeat(self._variables[read.op.inputs[0].op].read_value(), size)
                    for read in structure.reads([loss]) if read.op in step.own}
            every = self._copy(loss, *(tf.reshape(each, [-1]) for each in samples), wide)
            self._mean_loss = tf.reduce_mean(tf.reshape(every, [runs, size]), axis=1)
            self._init = tf.global_variables_initializer()
            self._session = tf.load().Session(config=tf.threads(2 if xla else -1))  # in one, XLA of 2.12 waits for ever

    def reset(self, x, y, start):
        """Begin with samples x, y [runs, samples] and the variables' values {operation: [runs]}."""
        self._samples, self._state = (x, y), [np.zeros(len(x), dtype) for dtype in (np.int32, bool)]
        self._session.run(self._init, {place: start[op] for op, place in self._starts.items()})

    def advance(self, indices, before, first, end):
        """Train from the step `first` to `end` on a block's sample indices [steps, runs], which has so many `before`.

        Returns, [runs] each: `A`; the step at which it first was near the target, or 0; and whether `A` or the loss was
        not finite after a step.
        """
        given = *self._samples, indices, before, first, end, *self._state
        with signals.held():
            A, *self._state = self._session.run(self._after, dict(zip(self._fed, given, strict=True)))
        return A, *self._state

    def mean_loss(self):
        """The mean loss of each run over its samples: [runs]."""
        return self._session.run(self._mean_loss, dict(zip(self._fed, self._samples, strict=False)))

    def _train(self, x, y, indices, before, first, end, arrived, lost):
        (runs, size), places, parts = x.shape, [tf.reshape(each, [-1]) for each in (x, y)], self._step.parts

        def step(i, arrived, lost):
            sample = [tf.gather(each, tf.range(runs) * size + indices[i - before]) for each in places]
            with tf.control_dependencies([self._copy(self._step.operation, *sample)]):
                A, loss = self._variables[parts.A.op].read_value(), self._copy(parts.loss, *sample)
            near = (tf.abs(tf.cast(A, tf.float32) - self._target) < NEAR) & tf.equal(arrived, 0)
            arrived = tf.where(near, tf.fill(arrived.shape, i + 1), arrived)
            return i + 1, arrived, lost | ~(tf.math.is_finite(A) & tf.math.is_finite(loss))

        return tf.while_loop(lambda i, *_: i < end, step, [first, arrived, lost], parallel_iterations=1)[1:]

    def _copy(self, wanted, x, y, reads=None):
        """Compute a tensor (or have an operation) of the script's graph for samples x, y and the variables here."""
        handles = {op.outputs[0]: variable.handle for op, variable in self._variables.items()}
        places = {**handles, self._step.parts.x_data: x, self._step.parts.y_target: y, **(reads or {})}
        return copies.copy([wanted], places, many=self._step.own, size=tf.shape(x), control=True)[0]
