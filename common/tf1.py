"""TensorFlow's 1.x API under the name the page gives it, loaded quietly, quickly and only when first used.

    from common import tf1 as tf
    x_data = tf.placeholder(shape=[1], dtype=tf.float32)

Every name of `tf.compat.v1` is an attribute of this module; the first one asked for loads TensorFlow. Only
`tf.Session` is another: one that runs these small graphs in half the time.
"""

import contextlib
import functools
import gc
import os
import sys
import tempfile
import warnings

OLDEST = (2, 12)
frozen_here = False  # the collector leaves out what has been loaded here, and nothing else
INSTALL = f"python -m pip install 'tensorflow>={OLDEST[0]}.{OLDEST[1]}'"


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
    try:
        with _collector_asleep(), _stderr_held_back(), _no_warnings():
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
        again = "" if isinstance(error, OSError) else f"; install it again with `{INSTALL}`"  # no temporary folder, say
        raise SystemExit(f"TensorFlow does not load: {reason}{again}.") from None
    tf.logging.set_verbosity(tf.logging.ERROR)
    return tf


def Session(target="", graph=None, config=None):  # the name that it stands in for
    """A `tf.Session` that runs each graph in the calling thread, on the processor, unless `config` says otherwise.

    Handing the few operations of a scalar model to a thread pool costs more than computing them, and the GPU,
    which would only slow it, announces itself on standard error.
    """
    return load().Session(target, graph, config or threads(-1))


def threads(number, rewritten=True):
    """The configuration of a session that runs a graph in so many threads (-1: in the calling one), without a GPU.

    TensorFlow rewrites a graph into a faster one before its first run. Some numbers of the classification are rounded
    as TensorFlow 1.15.5 rounds them only then; but a graph of which nobody needs the last bit starts sooner without.
    """
    config = load().ConfigProto(
        inter_op_parallelism_threads=number, intra_op_parallelism_threads=1, device_count={"GPU": 0})
    rewriting = config.graph_options.rewrite_options
    rewriting.disable_meta_optimizer = not rewritten
    rewriting.meta_optimizer_iterations = rewriting.ONE  # a second one finds nothing more in these small graphs
    return config


def xla(function):
    """Return `function`, from tensors to tensors, such that XLA compiles it into the graph that calls it.

    Its session needs two threads: with TensorFlow 2.12 compiling in the calling thread waits for ever.
    """
    load()
    import tensorflow

    return tensorflow.function(function, jit_compile=True, autograph=False)


def quiet():
    """A context in which the later Python warnings of TensorFlow and numpy stay silent, under `-W error` too."""
    return _no_warnings(module="tensorflow|numpy|google|keras")


def _check_version(version):
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise SystemExit(f"TensorFlow {version} is older than {oldest}: install a newer one with `{INSTALL}`.")


@contextlib.contextmanager
def _no_warnings(**which):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", **which)
        yield


@contextlib.contextmanager
def _collector_asleep():
    """Keep the garbage collector from sweeping what loading creates, by the million, and hardly ever drops.

    It would take a third of the time. Afterwards it leaves those objects out, also when Python ends.
    """
    global frozen_here
    collecting, frozen_here = gc.isenabled(), gc.get_freeze_count() < 10_000  # Python 3.12 starts with some hundred
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if collecting:
            gc.enable()


@contextlib.contextmanager
def _stderr_held_back():
    """Keep what is written to file descriptor 2, by C++ code too, and show it only if the block fails."""
    with contextlib.ExitStack() as stack:
        try:
            shown = os.dup(2)
            stack.callback(os.close, shown)
            caught = stack.enter_context(tempfile.TemporaryFile())
        except OSError:  # no standard error to keep clean, or nowhere to keep what is caught
            yield
            return
        os.dup2(caught.fileno(), 2)
        failed = False
        try:
            yield
        except Exception:
            failed = True
            raise
        finally:
            with contextlib.suppress(OSError, ValueError, AttributeError):
                sys.stderr.flush()
            os.dup2(shown, 2)
            if failed:
                caught.seek(0)
                with contextlib.suppress(OSError):
                    os.write(2, caught.read())
