"""Record what the page's own programs print and compute. README.md says what is recorded.

    python record.py [FOLDER]

runs unchanged under TensorFlow 0.12.1 (Python 3.6), 1.15.5 (Python 3.7) and 2.x, and writes `tensorflow-VERSION.npz`
beside itself or into FOLDER.
"""

import io
import os
import re
import sys
from contextlib import redirect_stdout

import numpy as np
import tensorflow
from tensorflow.python.framework import ops

HERE = os.path.dirname(os.path.abspath(__file__))
MAJOR = int(tensorflow.__version__.split(".")[0])
SEEDS = [605, 0, 1, 2, 7, 18]  # the first is the default of the scripts
LOSSES = {"regression": "loss", "classification": "xentropy"}  # by the page's names
OPTIMIZERS = {  # name: class with its arguments, learning rate in the regression, in the classification
    "momentum": ("MomentumOptimizer(%s, momentum=0.9)", 0.005, 0.005),
    "nesterov": ("MomentumOptimizer(%s, momentum=0.9, use_nesterov=True)", 0.005, 0.005),
    "adagrad": ("AdagradOptimizer(%s)", 2.0, 0.5),
    "adagrad-da": ("AdagradDAOptimizer(%s, step)", 2.0, 1.0),
    "adadelta": ("AdadeltaOptimizer(%s)", 1000.0, 100.0),
    "adam": ("AdamOptimizer(%s)", 0.2, 0.05),
    "rmsprop": ("RMSPropOptimizer(%s)", 0.2, 0.02),
    "ftrl": ("FtrlOptimizer(%s)", 2.0, 0.5),
    "proximal-gradient-descent": ("ProximalGradientDescentOptimizer(%s)", 0.02, 0.05),
    "proximal-adagrad": ("ProximalAdagradOptimizer(%s)", 2.0, 0.5),
}


def edit(text, pattern, new):
    """Replace the one place where the pattern matches."""
    text, places = re.subn(pattern, new, text)
    assert places == 1, pattern
    return text


def program(recipe, seed):
    """The page's program with the two seeds, and with the names that this TensorFlow knows."""
    with open(os.path.join(HERE, "page-%s.py" % recipe)) as file:
        text = file.read()
    text = edit(text, r"sess = tf\.Session\(\) *\n", r"\g<0>np.random.seed(%d)\n" % seed)
    text = edit(text, r"(tf\.random_normal\(.*)\)\)", r"\1, seed=%d))" % seed)
    if MAJOR >= 1:
        text = text.replace("tf.mul(", "tf.multiply(")
        text = text.replace("( my_output_expanded, y_target", "(logits=my_output_expanded, labels=y_target")
    if MAJOR >= 2:
        text = edit(text, "import tensorflow as tf", "import tensorflow.compat.v1 as tf\ntf.disable_eager_execution()")
    return text


def exchange_optimizer(text, line):
    """Exchange the page's optimizer, and initialize below `minimize`, which creates the optimizer's own variables."""
    text = edit(text, r"my_opt = .*", "my_opt = tf.train." + line)
    if "step" in line:  # AdagradDA asks for the number of steps, which `minimize` has to count
        text = edit(text, "my_opt = ", r"step = tf.Variable(0, trainable=False, dtype=tf.int64)\n\g<0>")
        text = edit(text, r"minimize\((\w+)", r"\g<0>, global_step=step")
    initialization = re.search(r"init = .*\nsess\.run\(init\) *\n", text).group()
    return text.replace(initialization, "").replace("for i in", initialization + "for i in")


def run(text, loss):
    """What the program prints, `A` at the start and after each step, and the loss after each step."""
    text = edit(text, "for i in", r"A_start = sess.run(A)\n\g<0>")
    text = edit(text, r"    sess\.run\(train_step, (.*)\) *\n", r"\g<0>    rows.append(sess.run([A, %s], \1))\n" % loss)
    names, printed = {"rows": []}, io.StringIO()
    ops.reset_default_graph()
    with redirect_stdout(printed):
        exec(text, names)
    A, losses = np.array([[value.item() for value in row] for row in names["rows"]], np.float32).T
    return {"printed": printed.getvalue(), "A": np.append(names["A_start"], A), "loss": losses}


def main(folder):
    columns = {}
    for index, (recipe, loss) in enumerate(LOSSES.items()):
        programs = {"%s/%d" % (recipe, seed): program(recipe, seed) for seed in SEEDS}
        for name, (line, *rates) in OPTIMIZERS.items():
            text = exchange_optimizer(program(recipe, SEEDS[0]), line % rates[index])
            programs["%s/%s" % (recipe, name)] = text
        for key, text in programs.items():
            columns.update(("%s/%s" % (key, column), value) for column, value in run(text, loss).items())
    np.savez_compressed(os.path.join(folder, "tensorflow-%s.npz" % tensorflow.__version__), **columns)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else HERE)
