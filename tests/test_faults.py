"""What can go wrong does so in one sentence, costs no file that was there, and no step that was logged."""

import errno
import json
import os
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import regression
from conftest import CHECKOUT, SCRIPTS, command, one_sentence, read_log, run

from common import data, tf1
from common import run as one_run
from common.backprop import tensorboard
from common.ending import files, model, output
from common.pictures import process, training

INSTALL = "python -m pip install"
WHOLE = ["regression.csv", "regression.json", "regression.png"]


def main(folder, *flags, recipe="regression", **parts):
    """Run a recipe in this process, with some `parts` of it replaced; returns what `main` returns."""
    return SCRIPTS[recipe].main._replace(**parts)([*flags, "--output-dir", folder])


def names(folder):
    return sorted(path.name for path in folder.iterdir())


class Broken(Exception):
    """A defect."""


def broken(*arguments, **named):
    raise Broken


def broken_train(run, *, learning_rate=0.02, steps=100, report_every=25):
    """The recipe's own, but with a defect in its end; it must not even begin where it cannot end well."""
    regression.train(run, learning_rate=learning_rate, steps=steps, report_every=report_every)
    raise Broken


# --- packages ---

@pytest.mark.parametrize(("package", "code", "says"), [
    ("numpy", "raise ModuleNotFoundError(name='numpy')", "The recipes need tensorflow, numpy and matplotlib"),
    ("tensorflow", "raise ModuleNotFoundError(name='tensorflow')", "TensorFlow is not installed"),
    ("tensorflow", "import os; os.write(2, b'from C++'); __version__ = '2.11.1'", "TensorFlow 2.11.1 is older than 2."),
])
def test_a_missing_or_old_package_is_named_with_the_command_that_installs_it(package, code, says, tmp_path):
    (tmp_path / f"{package}.py").write_text(code, encoding="ascii")
    done = run("regression", "--no-figure", "--output-dir", tmp_path / "out", env={"PYTHONPATH": str(tmp_path)})
    assert (done.returncode, done.stdout) == (1, "")
    assert one_sentence(done.stderr)
    assert says in done.stderr
    assert INSTALL in done.stderr


def test_if_tensorflow_fails_to_load_all_that_it_printed_is_shown(tmp_path):
    code = "import os; os.write(2, b'from C++\\n'); raise ImportError('a library is\\nmissing')"
    (tmp_path / "tensorflow.py").write_text(code, encoding="ascii")
    done = run("regression", "--no-figure", "--output-dir", tmp_path / "out", env={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 1
    printed, sentence = done.stderr.splitlines()
    assert printed == "from C++"
    assert sentence.startswith("TensorFlow does not load: a library is missing; install it again with ")


def test_without_a_temporary_folder_it_is_not_tensorflow_that_is_to_be_installed(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import tempfile\n"
        "def none(*arguments): raise FileNotFoundError(2, 'No usable temporary directory found')\n"
        "tempfile._get_default_tempdir = none\n", encoding="ascii")
    (tmp_path / "tensorflow.py").write_text("import tempfile; tempfile.gettempdir()", encoding="ascii")  # as it does
    done = run("regression", "--no-figure", "--output-dir", tmp_path / "out", env={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 1
    assert done.stderr == "TensorFlow does not load: [Errno 2] No usable temporary directory found.\n"


def test_without_matplotlib_a_run_says_so_before_it_trains(tmp_path, monkeypatch):
    monkeypatch.setattr(process.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=f"matplotlib is not installed: .*{INSTALL}.*--no-figure"):
        main(tmp_path / "out", train=broken_train)
    assert names(tmp_path / "out") == []


def test_a_process_that_cannot_be_started_is_told_before_the_run_trains(tmp_path, monkeypatch):
    def full(*words, **options):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(process.subprocess, "Popen", full)
    with pytest.raises(SystemExit, match=r"process that draws cannot be started: Too many open files; .*--no-figure"):
        main(tmp_path / "out", train=broken_train)


# --- pictures that cannot be drawn ---

def test_a_matplotlib_that_does_not_load_costs_only_the_pictures(tmp_path, monkeypatch, capsys):
    (tmp_path / "matplotlib.py").write_text("raise ImportError('broken')", encoding="ascii")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    made = main(tmp_path / "out")
    assert made.status == 1
    errors = capsys.readouterr().err
    assert one_sentence(errors)
    assert "regression.py: the picture cannot be drawn (ImportError: broken); --no-figure leaves it out." in errors
    assert names(tmp_path / "out") == WHOLE[:2]
    assert len(read_log(tmp_path / "out/regression.csv")[0]) == 100


@pytest.mark.parametrize("how", ["killed", "garbled", "cut short"])
def test_a_drawing_process_that_gives_no_picture_costs_only_the_picture(how, tmp_path, monkeypatch, capsys):
    if how == "killed":
        ask = process.Drawing.ask
        monkeypatch.setattr(process.Drawing, "ask", lambda self, *rest: (self._process.kill(), ask(self, *rest)))
    else:
        code = {"garbled": "print('hello', flush=True)",  # which the process that draws does not expect
                "cut short": "import os, pickle; os.write(1, pickle.dumps(b'x' * 9)[:9]); raise SystemExit"}
        (tmp_path / "sitecustomize.py").write_text(code[how], encoding="ascii")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    made = main(tmp_path / "out", "--animate")  # asks for a second one all the same, and must not wait for ever
    printed, errors = capsys.readouterr()
    assert made.status == 1
    assert [line.partition(" (")[2] for line in errors.splitlines()] == [
        "its process was stopped); --no-figure leaves it out."] * 2
    assert names(tmp_path / "out") == WHOLE[:2]
    assert "png" not in printed


# --- the output folder ---

@pytest.mark.parametrize(("flag", "status"), [("--output-dir", 1), ("--tensorboard", 2)])
@pytest.mark.parametrize("place", ["locked", "shut/in", "n" * 300, "a\0b"])
def test_a_folder_that_cannot_be_written_gets_one_sentence(flag, status, place, tmp_path, capsys):
    folder = tmp_path / place.partition("/")[0]
    if folder.name in ("locked", "shut"):
        folder.mkdir(mode=0o555 if place == "locked" else 0o000)
        if os.access(folder, os.W_OK):  # root may write anywhere but here
            place = f"/proc/{place}"
    words = [flag, tmp_path / place]
    with pytest.raises(SystemExit) as end:
        regression.main([*words, *(["--output-dir", tmp_path / "out"] if flag == "--tensorboard" else [])])
    printed, errors = capsys.readouterr()
    assert (end.value.code, printed) == (status, "")
    assert one_sentence(errors)
    assert errors.startswith(f"regression.py: cannot write in the folder '{tmp_path / place}' (")
    assert errors.endswith(f"): name another one with {flag}.\n")


def test_names_that_are_not_utf_8_are_names_too(tmp_path, capsys):
    folder = tmp_path / os.fsdecode(b"\xff")
    made = main(folder, "--no-figure", "--tensorboard", folder / "board")
    assert made.status == 0
    printed, errors = capsys.readouterr()
    assert errors == ""
    assert r"\udcff/regression.csv" in printed
    assert names(folder) == ["board", *WHOLE[:2]]
    assert [path.name for path in (folder / "board").iterdir()] == [made.files[-1].name]


@pytest.mark.parametrize("ending", [".csv", ".json", ".png"])
def test_a_file_that_cannot_be_written_is_named_and_the_others_are_written(ending, tmp_path, undrawn, capsys):
    (tmp_path / f"regression{ending}").mkdir()
    others = [tmp_path / name for name in WHOLE if not name.endswith(ending)]
    for path in others:
        path.write_text("earlier", encoding="ascii")
    made = main(tmp_path)
    printed, errors = capsys.readouterr()
    assert made.status == 1
    assert errors == (f"regression.py: cannot write '{tmp_path}/regression{ending}' (Is a directory); what was there "
                      "before is as it was.\n")
    assert [line for line in printed.splitlines() if line.startswith("Wrote")] == [f"Wrote {path}" for path in others]
    assert made.files == others
    assert all(path.read_bytes() != b"earlier" for path in others)
    assert names(tmp_path) == WHOLE


def test_a_folder_that_is_removed_during_the_run_is_made_again(tmp_path, undrawn, monkeypatch):
    choice = data.Picks.choice

    def remove(self, size):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        return choice(self, size)

    monkeypatch.setattr(data.Picks, "choice", remove)
    made = main(tmp_path / "out", "--steps", 3)
    assert made.status == 0
    assert names(tmp_path / "out") == WHOLE


def test_a_disk_with_room_for_the_log_only_keeps_the_log_and_the_earlier_picture(
        undrawn, tmp_path, monkeypatch, capsys):
    (tmp_path / "regression.png").write_text("earlier", encoding="ascii")
    monkeypatch.setattr(undrawn, "answer", lambda self, progress=None: bytes(30_000))
    least, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, most))  # as a full disk
    try:
        made = main(tmp_path, "--tensorboard", tmp_path / "board", "--steps", 150)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (least, most))
    assert made.status == 1
    printed, errors = capsys.readouterr()
    picture, board = errors.splitlines()
    assert picture == (f"regression.py: cannot write '{tmp_path}/regression.png' (File too large); what was there "
                       "before is as it was.")
    assert board.startswith(f"regression.py: cannot write for TensorBoard in '{tmp_path}/board' (")
    assert printed.splitlines()[-2:] == [f"Wrote {tmp_path}/{name}" for name in WHOLE[:2]]
    assert names(tmp_path) == ["board", *WHOLE]
    assert (tmp_path / "regression.png").read_text(encoding="ascii") == "earlier"
    assert len(read_log(tmp_path / "regression.csv")[0]) == 150


def test_a_disk_without_room_for_the_log_keeps_the_earlier_one(tmp_path, monkeypatch, capsys):
    def full(number):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    (tmp_path / "regression.csv").write_text("earlier", encoding="ascii")
    assert main(tmp_path, "--no-figure").status == 1
    log, record = capsys.readouterr().err.splitlines()
    assert "regression.csv' (No space left on device); what was there before is as it was" in log
    assert "regression.json' (No space left on device)" in record
    assert names(tmp_path) == ["regression.csv"]
    assert (tmp_path / "regression.csv").read_text(encoding="ascii") == "earlier"


def test_a_file_system_that_turns_read_only_gets_a_sentence_a_file(tmp_path, monkeypatch, capsys):
    def read_only(*arguments, **options):
        raise OSError(errno.EROFS, "Read-only file system")

    choice = data.Picks.choice

    def turn(self, size):
        monkeypatch.setattr(files, "open", read_only, raising=False)
        for name in ("mkdir", "unlink"):
            monkeypatch.setattr(files.Path, name, read_only)
        return choice(self, size)

    monkeypatch.setattr(data.Picks, "choice", turn)
    assert main(tmp_path, "--no-figure").status == 1
    printed, errors = capsys.readouterr()
    assert [line.partition(" (")[2] for line in errors.splitlines()] == [
        "Read-only file system); what was there before is as it was."] * 2
    assert "Wrote" not in printed


# --- whole or not at all ---

def test_a_file_that_another_program_keeps_open_is_kept_beside_and_named(tmp_path, monkeypatch):
    def held(whole, path):  # as Windows says while a spreadsheet shows the log
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(files.os, "replace", held)
    path = tmp_path / "log"
    path.write_text("earlier", encoding="ascii")
    with pytest.raises(files.CannotWrite) as error:
        files.save(path, lambda file: file.write(b"later"))
    beside, = set(tmp_path.iterdir()) - {path}
    assert str(error.value) == f"cannot write '{path}' (Permission denied); it is kept as '{beside}'"
    assert beside.read_bytes() == b"later"
    assert path.read_text(encoding="ascii") == "earlier"


def test_a_name_as_long_as_names_may_be_is_written(tmp_path):
    path = tmp_path / ("n" * 255)
    files.save(path, lambda file: file.write(b"whole"))
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"whole"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, ValueError])
def test_an_error_while_a_file_is_written_leaves_the_earlier_one_and_nothing_beside(error, tmp_path):
    path = tmp_path / "log"
    path.write_text("earlier", encoding="ascii")

    def write(file):
        file.write(b"half")
        raise error

    with pytest.raises(error):
        files.save(path, write)
    assert [path.read_text(encoding="ascii") for path in tmp_path.iterdir()] == ["earlier"]


def test_files_are_whole_under_kill_9_and_with_two_writers_at_once(tmp_path):
    path = tmp_path / "log"
    writer = ("import sys; from pathlib import Path; from common.ending import files\n"
              "while True: files.save(Path(sys.argv[1]), lambda file: file.write(sys.argv[2].encode() * 10**6))")
    contents, deadline, writers = set(), time.monotonic() + 30, []
    try:
        writers += [subprocess.Popen([sys.executable, "-c", writer, path, letter], cwd=CHECKOUT) for letter in "ab"]
        while len(contents) < 2 and time.monotonic() < deadline:
            if path.exists():
                content = path.read_bytes()
                assert len(content) == 10**6
                assert len(set(content)) == 1
                contents.add(content[:1])
    finally:
        for each in writers:
            each.kill()
            each.wait()
    assert contents == {b"a", b"b"}
    content = path.read_bytes()
    assert len(content) == 10**6
    assert len(set(content)) == 1


# --- errors in any part ---

@pytest.mark.parametrize(("part", "kept"), [
    ("train", WHOLE), ("model", WHOLE[:1]), ("record", WHOLE[:1]), ("picture", WHOLE[:2]), ("board", WHOLE)])
def test_a_defect_in_any_part_shows_its_traceback_after_what_can_be_written_is(
        part, kept, tmp_path, undrawn, monkeypatch, capsys):
    flags = []
    if part == "model":
        monkeypatch.setattr(model.Model, "__init__", broken)
    elif part == "record":
        monkeypatch.setattr(output.json, "dumps", broken)
    elif part == "picture":
        monkeypatch.setattr(undrawn, "answer", broken)
    elif part == "board":
        monkeypatch.setattr(tensorboard.Board, "_write", broken)
        flags = ["--tensorboard", tmp_path / "board"]
    with pytest.raises(Broken):
        main(tmp_path / "out", *flags, **({"train": broken_train} if part == "train" else {}))
    printed = capsys.readouterr().out
    assert names(tmp_path / "out") == kept
    for name in kept:
        assert f"Wrote {tmp_path}/out/{name}\n" in printed
    assert "In theory" not in printed or part in ("picture", "record")
    assert len(read_log(tmp_path / "out/regression.csv")[0]) == 100


def test_a_run_without_memory_for_more_steps_says_so_and_keeps_those_it_has(tmp_path, monkeypatch, capsys):
    taken, choice = [], data.Picks.choice

    def no_memory(self, size):
        taken.append(size)
        if len(taken) == 8:
            raise MemoryError
        return choice(self, size)

    monkeypatch.setattr(data.Picks, "choice", no_memory)
    made = main(tmp_path, "--no-figure")
    assert made.status == 1
    assert capsys.readouterr().err == "regression.py: there is not enough memory for more than 7 steps.\n"
    assert read_log(tmp_path / "regression.csv")[0] == list(range(1, 8))


def test_a_record_is_json_for_any_reader_also_of_a_run_that_diverged(tmp_path, capsys):
    main(tmp_path, "--learning-rate", 5, "--no-figure")
    text = (tmp_path / "regression.json").read_text(encoding="ascii")
    result = json.loads(text, parse_constant=broken)["result"]
    assert result["loss"] == "inf"
    assert f"regression.py: {result['ended_early']}.\n" == capsys.readouterr().err


def test_the_log_takes_at_most_60_bytes_a_step_up_to_its_picture():
    """Measured over the whole process, from 200,000 to 2,000,000 steps, it is 31."""
    steps = 16 * one_run.HELD
    made = one_run.Run(type("Flags", (), {"seed": 18}))
    made._A_start = np.float32(0)
    rows = np.random.default_rng(1).normal(size=(one_run.HELD, 4)).astype(np.float32)
    tracemalloc.start()
    try:
        made._rows = [rows.copy() for _ in range(16)]
        with open(os.devnull, "wb") as file:
            made.csv(file)
        training.summary(made.A, made.loss)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(made) == steps
    assert most < 60 * steps


# --- divergence ---

def test_the_classification_cannot_diverge_since_its_gradient_stays_within_1(tmp_path):
    made = main(tmp_path, "--learning-rate", "0.07", "--steps", 1400, "--no-figure", recipe="classification")
    assert made.status == 0
    with np.errstate(all="ignore"):
        assert np.max(np.abs(np.diff(made.A))) <= 0.07 * 1.0001


# --- standard output ---

def test_a_closed_pipe_ends_the_script_quietly_with_its_files_whole(tmp_path):
    script = subprocess.Popen(
        command("regression", "--output-dir", tmp_path, "--report-every", 1, "--steps", 10**8, "--no-figure"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8")
    try:
        assert script.stdout.readline().startswith("Step #1 ")
        script.stdout.close()
        assert script.stderr.read() == ""
        script.wait(60)
    finally:
        script.kill()
        script.stderr.close()
        script.wait()
    steps, *_ = read_log(tmp_path / "regression.csv")
    assert script.returncode == 128 + signal.SIGPIPE
    assert steps == list(range(1, steps[-1] + 1))
    record = json.loads((tmp_path / "regression.json").read_text(encoding="ascii"))
    assert record["result"]["ended_early"] == f"stopped after step {steps[-1]}, as it could not print"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
@pytest.mark.parametrize("flags", [["--help"], [], ["--steps", 20], ["--runs", 3]], ids=str)
def test_a_full_standard_output_gets_one_sentence_and_status_1(flags, tmp_path, monkeypatch, capsys):
    with open("/dev/full", "w", encoding="ascii") as full:
        monkeypatch.setattr(sys, "stdout", full)
        try:
            status = main(tmp_path, "--no-figure", *flags).status
        except SystemExit as end:
            status = end.code
        assert status == 1
        monkeypatch.undo()
    assert capsys.readouterr().err == "Cannot write to standard output: No space left on device.\n"
    if flags != ["--help"] and "--runs" not in flags:
        assert read_log(tmp_path / "regression.csv")[0][-1] == (25 if not flags else 20)


def test_closed_standard_streams_change_nothing(tmp_path):
    words = shlex.join(command("regression", "--output-dir", tmp_path))
    for more, status in ("", 0), (" --steps 0", 2):
        assert subprocess.run(f"{words}{more} <&- >&- 2>&-", shell=True, timeout=60).returncode == status
    assert names(tmp_path) == WHOLE
    assert len(read_log(tmp_path / "regression.csv")[0]) == 100


def test_where_there_is_no_standard_error_to_hold_back_loading_goes_on(monkeypatch):
    def closed(number):
        raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr(tf1.os, "dup", closed)
    with tf1._stderr_held_back():
        loaded = True
    assert loaded


def test_what_was_written_is_named_as_one_would_type_it_from_here(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    made = main(Path("out"), "--steps", 2, "--no-figure")
    assert capsys.readouterr().out.splitlines()[-2:] == ["Wrote out/regression.csv", "Wrote out/regression.json"]
    assert files.shown(Path("/nowhere/log")) == Path("/nowhere/log")
    assert files.shown(made.files[0].resolve()) == Path("out/regression.csv")
