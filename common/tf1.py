"""TensorFlow's 1.x API under the name the page gives it, loaded when first used, quietly, and in half the time.

    from common import tf1 as tf
    x_data = tf.placeholder(shape=[1], dtype=tf.float32)

Every name of `tf.compat.v1` is an attribute of this module. Only `tf.Session` is another: one that keeps a log.
"""

import contextlib
import functools
import gc
import os
import tempfile
import warnings

INSTALL = "python -m pip install 'tensorflow>=2.12'"


def __getattr__(name):
    if name.startswith("__"):  # what Python and its tools ask of any module must not load TensorFlow
        raise AttributeError(name)
    if name == "Session":
        from common.session import Session as value
    else:
        value = getattr(load(), name)
    globals()[name] = value
    return value


@functools.cache
def load():
    """Return the module `tf.compat.v1` in graph mode; SystemExit with one sentence where that cannot be."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what fails raises an exception all the same
    wanted = os.environ.get("TF_USE_LEGACY_KERAS")
    os.environ["TF_USE_LEGACY_KERAS"] = wanted or "1"  # Keras 3 would be a quarter of the loading time, unused
    gc.disable()  # loading creates objects by the million, and hardly ever drops one
    try:
        with _stderr_held_back(), quiet(".*"):
            import tensorflow
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise SystemExit(f"TensorFlow does not load ({reason}): `{INSTALL}` installs it.") from None
    finally:
        gc.freeze()  # nor need they be swept when Python ends
        gc.enable()
        if not wanted:
            del os.environ["TF_USE_LEGACY_KERAS"]  # a script that asks for tf.keras shall get it
    if tuple(map(int, tensorflow.__version__.split(".")[:2])) < (2, 12):
        raise SystemExit(f"TensorFlow {tensorflow.__version__} is older than 2.12: `{INSTALL}` installs a newer one.")
    with contextlib.suppress(ImportError):  # not in 2.12; it parses numpy's version, a sixth of the time of a step
        from tensorflow.python.util import numpy_compat

        numpy_compat.np_asarray = numpy_compat.np.asarray
    tf = tensorflow.compat.v1
    tf.disable_eager_execution()
    tf.disable_control_flow_v2()  # loops as the 1.x executor ran them
    tf.logging.set_verbosity(tf.logging.ERROR)
    return tf


def threads(number):
    """The configuration of a session that runs its graph in so many threads (-1: the calling one), without a GPU.

    Handing the few operations of a scalar model to other threads costs more than computing them.
    """
    return load().ConfigProto(
        inter_op_parallelism_threads=number, intra_op_parallelism_threads=1, device_count={"GPU": 0})


@contextlib.contextmanager
def quiet(modules="tensorflow|numpy|google|keras"):
    """Keep the Python warnings of some modules silent, under `-W error` too."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=modules)
        yield


@contextlib.contextmanager
def _stderr_held_back():
    """Keep from the terminal what C++ code writes to file descriptor 2; show it if the block fails."""
    try:
        shown, held_back = os.dup(2), tempfile.TemporaryFile()  # noqa: SIM115 (closed below)
    except OSError:  # no standard error to keep clean, or nowhere to keep what is written
        yield
        return
    os.dup2(held_back.fileno(), 2)
    try:
        yield
    except Exception:
        held_back.seek(0)
        os.write(shown, held_back.read())
        raise
    finally:
        os.dup2(shown, 2)
        os.close(shown)
        held_back.close()
