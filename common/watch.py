"""A run watched for --trace and --tensorboard: a table of each traced step, its picture, and every step's events."""

import numpy as np

from common import backprop, board, graph_figure


def table(step, optimizer, rate):
    """The step as lines of text, at most 100 characters wide, for `optimizer` at the learning rate `rate`."""
    lines = [f"Back propagation in step #{step.number}, with the values before it; [n] is the gradient at n:",
             f"{'node':<20}{'operation':<12}{'value':>12}{'gradient':>13}{'by hand':>13}{'difference':>13}"]
    for node in step.nodes:
        numbers = "".join(f"{value:>13.6g}" for value in (node.gradient, node.by_hand, node.difference))
        short = node.name.rsplit("/", 1)[-1]
        lines.append(f"{short:<20}{node.operation:<12}{node.value:>12.6g}{numbers}")
        lines.append(f"    [{short}] = {node.rule}")
    if any(abs(node.gradient - node.by_hand) > 1e-4 * abs(node.by_hand) for node in step.nodes):
        lines.append("(float32 rounds sums of numbers near 1 by up to 6e-08; it shows in gradients as small as these)")
    return "\n".join([*lines, update(step, optimizer, rate)])


def update(step, optimizer, rate):
    """How `A` moved, as arithmetic that closes to the last digit shown."""
    A = np.float32(step.A)
    if optimizer.endswith("gradient-descent"):
        gradient = np.float32(step.nodes[[node.operation for node in step.nodes].index("Variable")].gradient)
        words, left = "A - rate × gradient", f"{A!s} - {rate} × {_in_brackets(gradient)}"
        result = float(str(A)) - rate * float(str(gradient))
    else:
        taken = f"{float(str(A)) - float(str(np.float32(step.A_after))):.12g}"
        words, left = f"A - step of {optimizer}", f"{A!s} - {_in_brackets(taken)}"
        result = float(str(A)) - float(taken)
    for digits in range(9, 0, -1):  # float32 rounds the product and the difference, so not all digits agree
        if f"{result:.{digits}g}" == f"{step.A_after:.{digits}g}":
            return f"{words} = {left} = {step.A_after:.{digits}g} = new A"
    return f"{words} = {left}, new A = {np.float32(step.A_after)!s}"  # lost in rounding, as beside a huge A


def _in_brackets(number):
    return f"({number!s})" if str(number).startswith("-") else str(number)


class Watch:
    """Follows a run for --trace and --tensorboard: call it with the log after each step, inside its own context.

    `args` is what `options.parse` returned, `x_vals` the samples; the others are as for `backprop.Trace`.
    """

    def __init__(self, args, x_vals, sess, graph, x_data, y_target, A, loss):
        self._args, self._trace = args, backprop.Trace(sess, graph, x_data, y_target, A, loss)
        self._board = board.Board(args.tensorboard, sess.graph, x_vals) if args.tensorboard else None
        self.drawn = None  # the `Step` of --trace-step

    def __call__(self, log):
        step, args = len(log.loss), self._args
        if args.trace and (step in (1, args.trace_step) or step % args.report_every == 0):
            traced = self._trace.step(log)
            print(table(traced, args.optimizer, args.learning_rate))
            if step == args.trace_step:
                self.drawn = traced
        if self._board:
            self._board.add(step, A=log.A[-1], loss=log.loss[-1], gradient=self._trace.gradient(log))

    def picture(self, artist):
        """The traced step as a PNG, drawn by `artist`, a `drawing.Drawing`; None if the run did not get there."""
        if not self.drawn:
            return None
        title = f"{self._args.name.capitalize()}: step #{self.drawn.number} of back propagation"
        return artist.png(graph_figure.graph, title=title, nodes=[node._asdict() for node in self.drawn.nodes])

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self._board:
            self._board.close()
