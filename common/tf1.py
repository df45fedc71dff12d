"""TensorFlow's 1.x API under the name the page gives it, loaded quietly, quickly and only when first used.

    from common import tf1 as tf
    x_data = tf.placeholder(shape=[1], dtype=tf.float32)

Every name of `tf.compat.v1` is an attribute of this module; the first one asked for loads TensorFlow.
"""

import contextlib
import functools
import gc
import os
import sys
import tempfile
import warnings

OLDEST = (2, 12)
INSTALL = "python -m pip install 'tensorflow>=2.12'"


def __getattr__(name):
    if name.startswith("__"):  # what Python and its tools ask of any module must not load TensorFlow
        raise AttributeError(name)
    value = getattr(load(), name)
    globals()[name] = value
    return value


@functools.cache
def load():
    """Return the module `tf.compat.v1` in graph mode; TensorFlow's Python warnings and log lines stay silent.

    Raises SystemExit with one sentence if TensorFlow is missing, too old or does not load; in the last case
    all that it printed comes first.
    """
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")  # Keras 3 would be a quarter of the loading time, unused
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what fails raises an exception all the same
    # Loading creates objects by the million and drops hardly any: sweeping them again and again, also at exit,
    # would take a third of the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        with _stderr_held_back(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import tensorflow

            _check_version(tensorflow.__version__)
            tf = tensorflow.compat.v1
            tf.disable_eager_execution()
            tf.disable_control_flow_v2()  # loops as the 1.x executor ran them, and a sixth faster for it
    except ModuleNotFoundError as error:
        if error.name != "tensorflow":
            raise SystemExit(f"TensorFlow does not load: {error}; install it again with `{INSTALL}`.") from None
        raise SystemExit(f"TensorFlow is not installed: install it with `{INSTALL}`.") from None
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise SystemExit(f"TensorFlow does not load: {reason}; install it again with `{INSTALL}`.") from None
    finally:
        if collecting:
            gc.enable()
    gc.freeze()
    warnings.filterwarnings("ignore", module="tensorflow|numpy|google")  # its later ones, also under `-W error`
    tf.logging.set_verbosity(tf.logging.ERROR)
    return tf


def one_thread(inter_op=-1):
    """The configuration of a session that runs each small graph in the calling thread, on the processor.

    Handing the few operations of a scalar model to a thread pool costs more than computing them, and the GPU,
    which would only slow it, announces itself on standard error. A positive `inter_op` is the number of threads to
    run the graph instead: XLA needs two with TensorFlow 2.12, which else waits for ever when it compiles.
    """
    return load().ConfigProto(
        inter_op_parallelism_threads=inter_op, intra_op_parallelism_threads=1, device_count={"GPU": 0})


def _check_version(version):
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise SystemExit(f"TensorFlow {version} is older than {oldest}: install a newer one with `{INSTALL}`.")


@contextlib.contextmanager
def _stderr_held_back():
    """Keep what is written to file descriptor 2, by C++ code too, and show it only if the block fails."""
    try:
        shown = os.dup(2)
    except OSError:  # there is no standard error to keep clean
        yield
        return
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stderr and sys.stderr.flush()
            os.dup2(shown, 2)
            os.close(shown)
            if failed:
                caught.seek(0)
                with contextlib.suppress(OSError):
                    os.write(2, caught.read())


def xla(function):
    """Return `function`, from tensors to tensors, such that XLA compiles it into the graph that calls it."""
    load()
    import tensorflow

    return tensorflow.function(function, jit_compile=True, autograph=False)
