"""What a run leaves for TensorBoard: the graph, the samples, and `A`, the loss and the gradient of every step."""

import os
import shutil
import time

from common import tf1 as tf
from common.output import reason


def write(output, log, model):
    """Write a run's events into a folder of its own in that of --tensorboard: `regression-1`, `regression-2`, ...

    model  the `Model` of the run; without it, neither samples nor gradients are known
    """
    number = 1
    while (folder := output.args.tensorboard / f"{output.recipe.path.stem}-{number}").exists():
        number += 1
    path = folder / "events.out.tfevents"
    try:
        folder.mkdir(parents=True)
        with tf.python_io.TFRecordWriter(os.fsencode(path)) as writer:
            for what in _events(log, model):
                writer.write(tf.Event(wall_time=time.time(), **what).SerializeToString())
        output.files.append(path)
    except (OSError, tf.errors.OpError) as error:
        why = getattr(error, "message", None) or reason(error)
        output.failed(f"cannot write for TensorBoard in '{folder}' ({why})")
    finally:
        if path not in output.files:
            shutil.rmtree(folder, ignore_errors=True)


def _events(log, model):
    """What TensorBoard is told, event by event: {the field of `tf.Event`: its value}."""
    yield {"file_version": "brain.Event:2"}
    yield {"graph_def": log.session.graph.as_graph_def(add_shapes=True).SerializeToString()}
    columns = {"A": log.A[1:], "loss": log.loss}
    if model:
        with tf.Graph().as_default(), tf.load().Session() as session:
            yield {"summary": tf.Summary.FromString(session.run(tf.summary.histogram("x_vals", model.x_vals)))}
        columns["gradient"] = model.loss(log.x, log.y, log.A[:-1], order=1)
    for step, numbers in enumerate(zip(*columns.values(), strict=True), 1):
        named = zip(columns, numbers, strict=True)
        values = [tf.Summary.Value(tag=tag, simple_value=number) for tag, number in named]
        yield {"step": step, "summary": tf.Summary(value=values)}
