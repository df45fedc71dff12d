"""Whatever standard output and standard error are, or are not: a run goes on, and its files are whole."""

import io
import json
import shlex
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest
from conftest import FILES, WHOLE, command, names, read_log, start, train

from common import tf1 as tf


def test_a_closed_pipe_ends_the_script_quietly_with_its_files_whole(tmp_path):
    flags = ["--report-every", 1, "--steps", 10**8, "--no-figure", "--output-dir", tmp_path]
    script = start(command("regression", *flags))
    assert script.stdout.readline().startswith("Step #1 ")
    script.stdout.close()
    assert script.stderr.read() == ""
    assert script.wait(60) == 128 + signal.SIGPIPE
    steps, *_ = read_log(tmp_path / "regression.csv")
    assert steps == list(range(1, steps[-1] + 1))
    record = json.loads((tmp_path / "regression.json").read_text(encoding="ascii"))
    assert record["result"]["ended_early"] == f"stopped after step {steps[-1]}, as it could not print"


@pytest.mark.parametrize(("steps", "logged"), [(100, 25), (20, 20)])  # at the first report, and behind the training
def test_a_full_standard_output_gets_one_sentence_and_status_1(steps, logged, tmp_path, monkeypatch, capsys):
    with open("/dev/full", "w", encoding="ascii") as full:
        monkeypatch.setattr(sys, "stdout", full)
        log = train(tmp_path, "--steps", steps)
        monkeypatch.undo()
    assert (log.status, len(log), names(tmp_path)) == (1, logged, FILES)
    assert read_log(tmp_path / "regression.csv")[0][-1] == logged
    assert capsys.readouterr().err == "regression.py: cannot write to standard output (No space left on device).\n"


def test_closed_standard_streams_change_nothing(tmp_path):
    words = shlex.join(command("regression", "--output-dir", tmp_path))
    for more, status in ("", 0), (" --steps 0", 2):
        assert subprocess.run(f"{words}{more} <&- >&- 2>&-", shell=True, timeout=60).returncode == status
    assert names(tmp_path) == WHOLE
    assert len(read_log(tmp_path / "regression.csv")[0]) == 100


def bare():
    """A standard output as an IDE may have it: it can be written, and no more."""
    stream = io.StringIO()
    return SimpleNamespace(write=stream.write, flush=stream.flush, getvalue=stream.getvalue)


@pytest.mark.parametrize("stream", [bare, io.StringIO, lambda: None], ids=["bare", "StringIO", "None"])
def test_it_prints_to_whatever_stands_for_standard_output(stream, tmp_path, monkeypatch):
    tf.load()  # whose logging keeps the standard error that it finds
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, stream())
    assert train(tmp_path, "--steps", 25).status == 0
    assert train(tmp_path, "--learning-rate", 5).status == 1
    for flag, status in (("--steps=0", 2), ("--help", 0)):
        with pytest.raises(SystemExit) as end:
            train(tmp_path, flag)
        assert (end.value.code or 0) == status
    if sys.stdout:
        assert sys.stdout.getvalue().startswith("Step #25 A = [6.147373]\n")
        assert sys.stderr.getvalue().count("\n") == 2


def test_without_a_standard_error_no_sentence_gets_into_standard_output(tmp_path, monkeypatch, capsys):
    tf.load()
    monkeypatch.setattr(sys, "stderr", None)
    with pytest.raises(SystemExit):
        train(tmp_path, "--steps", 0)
    train(tmp_path, "--learning-rate", 5)
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} == {"Step", "Loss", "Wrote"}
