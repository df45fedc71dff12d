"""What can go wrong does so in one sentence, and costs no file that was there."""

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import regression
from conftest import CHECKOUT, command, one_sentence, read_log, run

from common import data, drawing, runlog

INSTALL = "python -m pip install"


# --- packages ---

@pytest.mark.parametrize(("package", "code", "says"), [
    ("numpy", "raise ModuleNotFoundError(name='numpy')", "The recipes need tensorflow, numpy and matplotlib"),
    ("tensorflow", "raise ModuleNotFoundError(name='tensorflow')", "TensorFlow is not installed"),
    ("tensorflow", "__version__ = '2.11.1'", "TensorFlow 2.11.1 is older than 2.12"),
])
def test_a_missing_or_old_package_is_named_with_the_command_that_installs_it(package, code, says, tmp_path):
    (tmp_path / f"{package}.py").write_text(code)
    done = run("regression", "--no-figure", "--output-dir", tmp_path / "out", env={"PYTHONPATH": str(tmp_path)})
    assert (done.returncode, done.stdout) == (1, "")
    assert one_sentence(done.stderr)
    assert says in done.stderr
    assert INSTALL in done.stderr


def test_if_tensorflow_fails_to_load_all_that_it_printed_is_shown(tmp_path):
    code = "import os; os.write(2, b'from C++\\n'); raise ImportError('a library is\\nmissing')"
    (tmp_path / "tensorflow.py").write_text(code)
    done = run("regression", "--no-figure", "--output-dir", tmp_path / "out", env={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 1
    printed, sentence = done.stderr.splitlines()
    assert printed == "from C++"
    assert sentence.startswith("TensorFlow does not load: a library is missing; ")


def test_without_matplotlib_the_script_says_so_before_it_trains(monkeypatch):
    monkeypatch.setattr(drawing.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=f"matplotlib is not installed: .*{INSTALL}.*--no-figure"):
        drawing.Drawing()


def test_a_picture_that_cannot_be_drawn_costs_only_the_picture(tmp_path):
    (tmp_path / "matplotlib.py").write_text("raise ImportError('broken')")
    done = run("regression", "--output-dir", tmp_path / "out", env={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 1
    assert one_sentence(done.stderr)
    assert "The picture cannot be drawn: ImportError: broken" in done.stderr
    assert len(read_log(tmp_path / "out/regression.csv")[0]) == 100


# --- the output folder ---

def test_a_folder_that_cannot_be_written_gets_one_sentence_and_status_1(tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    if os.access(folder, os.W_OK):  # root may write anywhere but here
        folder = "/proc/locked"
    done = run("regression", "--output-dir", folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert one_sentence(done.stderr)
    assert f"Cannot write in the folder '{folder}'" in done.stderr


def test_a_full_disk_leaves_the_earlier_files_as_they_were(tmp_path):
    for kind in ("csv", "png"):
        (tmp_path / f"regression.{kind}").write_text("earlier")
    # A limit on the size of a file stops the log in the middle, as a full disk does.
    done = run("regression", "--output-dir", tmp_path,
               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)))
    assert done.returncode == 1
    assert one_sentence(done.stderr)
    assert "Cannot write" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["regression.csv", "regression.png"]
    assert all(path.read_text() == "earlier" for path in tmp_path.iterdir())


def test_if_the_second_file_does_not_fit_the_first_is_not_replaced_either(tmp_path, monkeypatch):
    log, picture = tmp_path / "log", tmp_path / "picture"
    log.write_text("earlier")
    synced = []

    def full_at_the_second(number):
        synced.append(number)
        if len(synced) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(runlog.os, "fsync", full_at_the_second)
    with pytest.raises(SystemExit, match=f"Cannot write '{picture}': No space left on device"):
        runlog.save({log: b"later", picture: b"later"})
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("log", "earlier")]


def test_files_are_whole_under_kill_9_and_with_two_writers_at_once(tmp_path):
    path = tmp_path / "log"
    writer = ("import sys, pathlib; from common import runlog\n"
              "while True: runlog.save({pathlib.Path(sys.argv[1]): sys.argv[2].encode() * 4_000_000})")
    writers = [subprocess.Popen([sys.executable, "-c", writer, path, letter], cwd=CHECKOUT) for letter in "ab"]
    contents = set()
    deadline = time.monotonic() + 30
    while len(contents) < 2 and time.monotonic() < deadline:
        if path.exists():
            content = path.read_bytes()
            assert len(content) == 4_000_000
            assert len(set(content)) == 1
            contents.add(content[:1])
    for process in writers:
        process.kill()
        process.wait()
    assert contents == {b"a", b"b"}
    content = path.read_bytes()
    assert len(content) == 4_000_000
    assert len(set(content)) == 1


# --- divergence ---

def test_a_run_that_diverges_stops_at_that_step_and_keeps_its_log_and_picture(tmp_path):
    done = run("regression", "--learning-rate", 5, "--output-dir", tmp_path)
    assert done.returncode == 1
    assert one_sentence(done.stderr)
    step = int(re.search(r"diverged at step (\d+) with learning rate 5.0 ", done.stderr)[1])
    assert "try a smaller one" in done.stderr
    _, x, _, A, loss = read_log(tmp_path / "regression.csv")
    assert len(x) == step
    finite = np.isfinite(A[1:]) & np.isfinite(loss)
    assert list(finite) == [True] * (step - 1) + [False]
    assert (tmp_path / "regression.png").stat().st_size > 10_000
    x_vals, _ = regression.draw_samples(data.streams(18).samples)
    assert f"in theory below {np.mean(x_vals**2) / np.mean(x_vals**4):.3f} here" in done.stderr


def test_the_classification_cannot_diverge_since_its_gradient_stays_within_1(tmp_path):
    done = run("classification", "--learning-rate", 3e38, "--no-figure", "--output-dir", tmp_path)
    assert done.returncode == 0


# --- signals and standard output ---

@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_a_long_run_keeps_what_was_recorded(number, tmp_path):
    flags = ["--steps", 10**9, "--report-every", 50, "--output-dir", tmp_path]
    process = subprocess.Popen(command("regression", *flags), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    printed = [process.stdout.readline() for _ in range(4)]
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert one_sentence(errors)
    assert number.name in errors
    steps, _, _, A, _ = read_log(tmp_path / "regression.csv")
    assert f"after step {steps[-1]};" in errors
    assert printed[2] == f"Step #100 A = {np.array([A[100]])}\n"
    assert (tmp_path / "regression.png").stat().st_size > 10_000


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_tensorflow_loads_ends_the_script_without_a_word(number, tmp_path):
    (tmp_path / "tensorflow.py").write_text("import time; print('loading', flush=True); time.sleep(60)")
    process = subprocess.Popen(command("regression", "--output-dir", tmp_path / "out"), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    process.stdout.readline()
    process.send_signal(number)
    assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == 128 + number


def test_a_closed_pipe_ends_the_script_quietly_with_its_files_whole(tmp_path):
    script = subprocess.Popen(command("regression", "--output-dir", tmp_path, "--report-every", 1),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert script.stdout.readline().startswith("Step #1 ")
    script.stdout.close()
    assert script.stderr.read() == ""
    script.wait(60)
    steps, *_ = read_log(tmp_path / "regression.csv")
    assert script.returncode == 128 + signal.SIGPIPE
    assert steps == list(range(1, steps[-1] + 1))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
@pytest.mark.parametrize("flags", [[], ["--help"]])
def test_a_full_standard_output_gets_one_sentence_and_status_1(flags, tmp_path):
    with open("/dev/full", "w") as full:
        done = run("regression", *flags, "--output-dir", tmp_path, capture_output=False, stdout=full,
                   stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert one_sentence(done.stderr)
    assert done.stderr.startswith("Cannot write to standard output: ")


# --- surroundings ---

@pytest.fixture
def copy(tmp_path):
    """A copy of the scripts in a folder whose name has spaces and letters beyond ASCII."""
    checkout = tmp_path / "Übung für 反向传播"
    for room in ("recipes", "common"):
        shutil.copytree(CHECKOUT / room, checkout / room, ignore=shutil.ignore_patterns("__pycache__"))
    return checkout


@pytest.mark.parametrize("surroundings", [
    {"env": {"LANG": "C", "LC_ALL": "C"}},
    {"env": {"PYTHONIOENCODING": "ascii"}},
    {"env": {"MPLBACKEND": "TkAgg", "DISPLAY": ""}},
    {"env": {"HOME": "/nonexistent", "MPLCONFIGDIR": "/nonexistent"}},
    {"python": ["-W", "error"]},
    {"env": {"PYTHONWARNINGS": "error"}},
    {"python": ["-O"]},
], ids=str)
def test_it_runs_in_any_surroundings(surroundings, copy, tmp_path):
    done = run("regression", checkout=copy, cwd=tmp_path, **surroundings)
    assert (done.returncode, done.stderr) == (0, "")
    reference = CHECKOUT / "outputs/reference/regression.csv"
    assert (copy / "outputs/regression.csv").read_bytes() == reference.read_bytes()
    assert (copy / "outputs/regression.png").exists()


def test_it_runs_through_a_symbolic_link_from_any_working_folder(copy, tmp_path):
    (tmp_path / "link.py").symlink_to(copy / "recipes" / "regression.py")
    done = subprocess.run([sys.executable, "link.py", "--no-figure"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.name for path in (copy / "outputs").iterdir()] == ["regression.csv"]


def test_with_an_output_folder_elsewhere_nothing_is_written_in_the_checkout(copy, tmp_path):
    before = sorted(copy.rglob("*"))
    for path in (copy, *before):
        path.chmod(0o555)
    done = run("regression", "--output-dir", tmp_path / "out", checkout=copy, python=["-B"])
    for path in (copy, *before):
        path.chmod(0o755)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(copy.rglob("*")) == before


def test_it_opens_no_network_connection(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "def watch(event, args):\n"
        "    if event.startswith('socket.'): raise RuntimeError(event)\n"
        "sys.addaudithook(watch)\n")
    done = run("regression", "--output-dir", tmp_path / "out", env={"PYTHONPATH": str(tmp_path)})
    assert (done.returncode, done.stderr) == (0, "")
