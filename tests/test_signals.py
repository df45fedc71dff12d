"""Ctrl-C and its like stop a run where it is; what was trained is logged, and what was there before is kept."""

import json
import os
import signal

import numpy as np
import pytest
from conftest import FILES, at_call, command, edited, end, names, read_log, start, train, wrote
from test_session import WITH

from common import output, session
from common import tf1 as tf

pytestmark = pytest.mark.usefixtures("unoptimized")
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture
def whole(tmp_path):
    """The rows of a run of 9 steps: float32 [9, 4]."""
    return train(tmp_path, "--steps", 9).rows


SQUARE = 'tf.square(my_output - y_target, name="loss")'
ASSERTED = [(SQUARE, f"{SQUARE}\n    with tf.control_dependencies([tf.assert_less(loss, 1e6)]):\n"
                     "        loss = tf.identity(loss)")]  # which no copy does in the graph
WAYS = pytest.mark.parametrize(("waiting", "changes"), [(4096, []), (3, []), (4096, ASSERTED), (4096, WITH)], ids=ascii)


@WAYS
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_any_step_stops_the_run_there(number, waiting, changes, whole, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(session, "MOST_WAITING", waiting)
    main, before = edited(tmp_path, *changes), signal.getsignal(number)
    for step in (2, 4, 5):
        with monkeypatch.context() as patch:
            at_call(patch, np.random, "choice", step, lambda: signal.raise_signal(number))
            log = train(tmp_path, "--steps", 9, main=main)
        np.testing.assert_array_equal(log.rows, whole[:step - 1])
        assert (log.status, len(read_log(tmp_path / "mine.csv")[0])) == (128 + number, step - 1)
        said, *_ = capsys.readouterr().err.splitlines()
        assert said == f"mine.py: stopped by {signal.Signals(number).name} after step {step - 1}."
        assert signal.getsignal(number) is before


@WAYS
def test_a_signal_in_any_execution_loses_no_step_that_was_done(waiting, changes, whole, tmp_path, monkeypatch):
    monkeypatch.setattr(session, "MOST_WAITING", waiting)
    main, execute = edited(tmp_path, *changes), tf.load().Session.run
    for execution in range(3, 10):
        done = []

        def run(self, *rest, execution=execution, done=done):
            result = execute(self, *rest)
            done.append(execute(self, "A/Read/ReadVariableOp:0").item())
            if len(done) == execution:
                signal.raise_signal(signal.SIGINT)
            return result

        with monkeypatch.context() as patch:
            patch.setattr(tf.load().Session, "run", run)
            log = train(tmp_path, "--steps", 9, main=main)
        np.testing.assert_array_equal(log.rows, whole[:len(log)])
        assert log.status == 130
        assert log.A[-1] == np.float32(done[-1])


@pytest.mark.parametrize("rate", [0.02, 5])  # the second one diverges
def test_no_signal_keeps_the_log_from_being_written(rate, tmp_path, monkeypatch, capsys):
    at_call(monkeypatch, output.os, "fsync", 1, lambda: [signal.raise_signal(number) for number in SIGNALS * 2])
    log = train(tmp_path, "--learning-rate", rate)
    assert log.status == 128 + SIGNALS[-1]
    printed, errors = capsys.readouterr()
    assert errors == "regression.py: stopped by SIGHUP after step 100.\n"
    assert names(tmp_path) == wrote(printed) == FILES
    assert len(read_log(tmp_path / "regression.csv")[0]) == 100
    assert json.loads((tmp_path / "regression.json").read_text("ascii"))["result"]["ended_early"] == errors[15:-2]


def test_two_signals_one_upon_the_other_write_the_log_too(tmp_path, monkeypatch, capsys):
    at_call(monkeypatch, np.random, "choice", 8, lambda: signal.raise_signal(signal.SIGTERM))
    at_call(monkeypatch, output.os, "fsync", 1, lambda: signal.raise_signal(signal.SIGINT))
    assert train(tmp_path).status == 128 + signal.SIGTERM
    assert capsys.readouterr().err == "regression.py: stopped by SIGTERM after step 7.\n"
    assert read_log(tmp_path / "regression.csv")[0] == list(range(1, 8))


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_after_the_log_leaves_out_what_is_not_written_yet(number, tmp_path, monkeypatch, capsys):
    (tmp_path / "regression.json").write_text("earlier", encoding="ascii")
    at_call(monkeypatch, output.os, "fsync", 2, lambda: signal.raise_signal(number))
    assert train(tmp_path).status == 128 + number
    printed, errors = capsys.readouterr()
    assert errors == (f"regression.py: stopped by {signal.Signals(number).name}; what is not named as written is not "
                      "written.\n")
    assert wrote(printed) == FILES[:1]
    assert names(tmp_path) == FILES
    assert (tmp_path / "regression.json").read_text(encoding="ascii") == "earlier"


def test_a_signal_before_the_training_leaves_nothing_and_no_later_run_hears_of_it(tmp_path, monkeypatch, capsys):
    for owner, name in ((output.tempfile, "TemporaryFile"), (tf, "load"), (np.random, "seed"),
                        (output.Output, "close")):
        with monkeypatch.context() as patch:
            at_call(patch, owner, name, 1, lambda: signal.raise_signal(signal.SIGINT))
            at_call(patch, np.random, "choice", 1, lambda: signal.raise_signal(signal.SIGINT))
            with pytest.raises(SystemExit) as end:
                train(tmp_path)
        assert (end.value.code, names(tmp_path)) == (130, [])
    assert capsys.readouterr() == ("", "")
    assert train(tmp_path).status == 0


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_tensorflow_loads_ends_the_script_without_a_word(number, tmp_path):
    code = "import os, time; os.write(2, b'from C++'); print('loading', flush=True); time.sleep(60)"
    (tmp_path / "tensorflow.py").write_text(code, encoding="ascii")
    script = start(command("regression", "--no-figure", "--output-dir", tmp_path / "out"),
                   env={**os.environ, "PYTHONPATH": str(tmp_path)})
    script.stdout.readline()
    script.send_signal(number)
    ended = end(script)
    assert (ended.returncode, ended.stdout, ended.stderr) == (128 + number, "", "")
    assert names(tmp_path / "out") == []


def test_a_signal_that_is_ignored_stays_ignored(tmp_path, monkeypatch):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        at_call(monkeypatch, np.random, "choice", 5, lambda: signal.raise_signal(signal.SIGHUP))
        log = train(tmp_path)
        assert (log.status, len(log)) == (0, 100)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
