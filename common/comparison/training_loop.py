"""Many runs at once: the script's own training operation, executed with a vector of all runs in place of each number.

No optimizer is made here. What the script's step executes is executed again, in the same order. What all runs have in
common, as a step counter or a learning rate, stays one number.
"""

import tensorflow

from common import tf1 as tf
from common.comparison.step import UPDATES
from common.graph import copies, structure
from common.report import NEAR

GRADIENTS = ("delta", "grad", "value")  # those of their inputs that have a number for each of the variable's


class Loop:
    """The training loop for some runs, in a graph and a session of its own.

    start  {operation of a variable: its value before the first step}
    shape  (steps of a block, runs, samples)
    """

    def __init__(self, step, parts, start, shape, xla):
        length, runs, size = shape
        self._step, self._parts, self._shape = step, parts, shape[1:]
        with tf.Graph().as_default():
            own = {op: tf.placeholder(value.dtype, [runs]) for op, value in start.items() if op in step.own}
            samples = [tf.placeholder(each.dtype, self._shape) for each in parts[:2]]
            self._places, self._first = [*samples, *own.values()], list(own)
            self._variables = {op: tf.Variable(own.get(op, value)) for op, value in start.items()}
            self._samples = [tf.Variable(each) for each in samples]
            state = [tf.Variable(tf.zeros([runs], dtype)) for dtype in (tf.int32, tf.bool)]
            numbers = [tf.placeholder(dtype, []) for dtype in (tf.int32, tf.int32, tf.int32, tf.float32)]
            self._fed = [tf.placeholder(tf.int32, [length, runs]), *numbers]
            train = tensorflow.function(self._train, jit_compile=True, autograph=False) if xla else self._train
            after = train(*self._fed, *(each.read_value() for each in state))
            with tf.control_dependencies([old.assign(new) for old, new in zip(state, after, strict=True)]):
                self._after = [self._variables[parts.A.op].read_value(), *after]
            x, y = (tf.reshape(each, [-1]) for each in self._samples)
            mean_loss = tf.reduce_mean(tf.reshape(self._loss(x, y, size), self._shape), axis=1)
            self.mean_loss = lambda: self._session.run(mean_loss)  # over the samples of each run: [runs]
            self._init = tf.global_variables_initializer()
            self._session = tf.load().Session(config=tf.threads(2 if xla else -1))  # in one, XLA of 2.12 waits for ever

    def reset(self, x, y, start):
        """Begin with samples x, y [runs, samples] and the variables' values {operation: [runs]}."""
        values = [x, y, *(start[op] for op in self._first)]
        self._session.run(self._init, dict(zip(self._places, values, strict=True)))

    def advance(self, indices, before, first, end, target):
        """Train on a block's sample indices [steps, runs], from `first` to `end`; so many steps come before the block.

        Returns, [runs] each: `A`; the step at which it first was near the target, or 0; and whether `A` or the loss was
        not finite after a step.
        """
        return self._session.run(self._after, dict(zip(self._fed, (indices, before, first, end, target), strict=True)))

    def _train(self, indices, before, first, end, target, arrived, lost):
        def step(i, arrived, lost):
            place = tf.range(self._shape[0]) * self._shape[1] + indices[i]
            x, y = (tf.gather(tf.reshape(each, [-1]), place) for each in self._samples)
            with tf.control_dependencies(self._execute(x, y)):
                A, loss = self._variables[self._parts.A.op].read_value(), self._loss(x, y)
            near = (tf.abs(tf.cast(A, tf.float32) - target) < NEAR) & tf.equal(arrived, 0)
            arrived = tf.where(near, tf.fill(arrived.shape, before + i + 1), arrived)
            return i + 1, arrived, lost | ~(tf.math.is_finite(A) & tf.math.is_finite(loss))

        return tf.while_loop(lambda i, *_: i < end, step, [first, arrived, lost], parallel_iterations=1)[1:]

    def _execute(self, x, y):
        """Execute the script's step on samples x, y [runs]; returns the last operation that changes a variable."""
        own, common, last = {self._parts.x_data: x, self._parts.y_target: y}, {}, []
        for op in self._step.order:
            with tf.control_dependencies(last):
                if op.type == "ReadVariableOp":
                    self._read(op.outputs[0], own, common)
                elif op.type.startswith(UPDATES):
                    last = [self._update(op, own, common)]
        return last

    def _read(self, read, own, common, repeated=1):
        """Put a variable's value into `own`, {tensor: a number for each run}, or into `common`."""
        variable = read.op.inputs[0].op
        value = self._variables[variable].read_value()
        if variable not in self._step.own:
            common[read] = value
        else:
            own[read] = tf.repeat(value, repeated) if repeated > 1 else value

    def _update(self, op, own, common):
        """Change a variable as the script's operation does, given what was read."""
        arguments, many = {}, op.inputs[0].op in self._step.own
        for name, tensor in structure.arguments(op).items():
            if tensor.dtype == tf.resource:
                arguments[name] = self._variables[tensor.op].handle
            elif many and name in GRADIENTS:
                arguments[name] = copies.batch(tensor, own, fixed=common)
            elif self._step.differs(tensor):
                raise structure.Unknown(f"{name} of {op.type} is another one in each run")
            else:
                arguments[name], = copies.copy([tensor], common)
        options = {each.name: op.get_attr(each.name) for each in op.op_def.attr if each.type == "bool"}
        return getattr(tf.raw_ops, op.type)(**arguments, **options)

    def _loss(self, x, y, repeated=1):
        """The loss on samples x, y, of which each run has so many, with the variables as they are."""
        own, common = {self._parts.x_data: x, self._parts.y_target: y}, {}
        for read in structure.reads([self._parts.loss]):
            self._read(read, own, common, repeated)
        return copies.batch(self._parts.loss, own, fixed=common)
