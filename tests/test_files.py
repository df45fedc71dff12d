"""A file appears whole or not at all; one that cannot be written costs a sentence, no other file and no earlier one."""

import errno
import os
import resource
import shutil
import subprocess
import sys
import time
from unittest.mock import Mock

import numpy as np
import pytest
from conftest import CHECKOUT, FILES, at_call, names, train, wrote

from common import output

KEPT = "; what was there before is as it was.\n"


@pytest.mark.parametrize("ending", [".csv", ".json"])
def test_a_file_that_cannot_be_written_is_named_and_the_others_are_written(ending, tmp_path, capsys):
    (tmp_path / f"regression{ending}").mkdir()
    other, = (tmp_path / name for name in FILES if not name.endswith(ending))
    other.write_text("earlier", encoding="ascii")
    log = train(tmp_path)
    printed, errors = capsys.readouterr()
    assert (log.status, log.files) == (1, [other])
    assert errors == f"regression.py: cannot write '{tmp_path}/regression{ending}' (that is no file){KEPT}"
    assert wrote(printed) == [other.name]
    assert other.read_bytes() != b"earlier"
    assert names(tmp_path) == FILES


def test_names_that_are_not_utf_8_are_names_too(tmp_path, capsys):
    folder = tmp_path / os.fsdecode(b"\xff")
    assert train(folder).status == 0
    printed, errors = capsys.readouterr()
    assert errors == ""
    assert r"\udcff/regression.csv" in printed
    assert names(folder) == FILES
    assert "udcff" in (folder / "regression.json").read_text("ascii")


def test_a_folder_that_is_removed_during_the_run_is_made_again(tmp_path, monkeypatch):
    at_call(monkeypatch, np.random, "choice", 3, lambda: shutil.rmtree(tmp_path / "out"))
    assert train(tmp_path / "out").status == 0
    assert names(tmp_path / "out") == FILES


def test_a_disk_with_room_for_the_record_only_keeps_the_earlier_log(tmp_path, capsys):
    (tmp_path / "regression.csv").write_text("earlier", encoding="ascii")
    least, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, most))  # as a full disk
    try:
        log = train(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (least, most))
    printed, errors = capsys.readouterr()
    assert log.status == 1
    assert errors == f"regression.py: cannot write '{tmp_path}/regression.csv' (File too large){KEPT}"
    assert wrote(printed) == FILES[1:]
    assert names(tmp_path) == FILES
    assert (tmp_path / "regression.csv").read_text(encoding="ascii") == "earlier"


@pytest.mark.parametrize(("owner", "name", "number"), [
    (output.os, "fsync", errno.ENOSPC), (output.os, "replace", errno.EACCES), (output.Path, "mkdir", errno.EROFS)])
def test_a_disk_that_fails_in_the_run_gets_a_sentence_a_file(owner, name, number, tmp_path, monkeypatch, capsys):
    (tmp_path / "regression.csv").write_text("earlier", encoding="ascii")
    fault = Mock(side_effect=OSError(number, os.strerror(number)))
    at_call(monkeypatch, np.random, "choice", 9, lambda: monkeypatch.setattr(owner, name, fault))
    assert train(tmp_path).status == 1
    printed, errors = capsys.readouterr()
    assert [line.partition("' (")[2] + "\n" for line in errors.splitlines()] == [f"{os.strerror(number)}){KEPT}"] * 2
    assert "Wrote" not in printed
    assert names(tmp_path) == FILES[:1]
    assert (tmp_path / "regression.csv").read_text(encoding="ascii") == "earlier"


@pytest.mark.parametrize("name", ["n" * 255, "习" * 85])
def test_a_name_as_long_as_names_may_be_is_written(name, tmp_path):
    output.save(tmp_path / name, lambda file: file.write("whole"))
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"whole"]


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real" / "log")
    output.save(tmp_path / "link", lambda file: file.write("whole"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "log").read_bytes() == b"whole"
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    output.save(tmp_path / "loop", lambda file: file.write("whole"))
    assert (tmp_path / "loop").read_bytes() == b"whole"


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, ValueError])
def test_an_error_while_a_file_is_written_leaves_the_earlier_one_and_nothing_beside(error, tmp_path):
    path = tmp_path / "log"
    path.write_text("earlier", encoding="ascii")
    with pytest.raises(error):
        output.save(path, lambda file: file.write("half") and Mock(side_effect=error)())
    assert [path.read_text(encoding="ascii") for path in tmp_path.iterdir()] == ["earlier"]


def test_files_are_whole_under_kill_9_and_with_two_writers_at_once(tmp_path):
    path = tmp_path / "log"
    writer = ("import sys; from pathlib import Path; from common import output\n"
              "while True: output.save(Path(sys.argv[1]), lambda file: file.write(sys.argv[2] * 10**6))")
    contents, deadline, writers = set(), time.monotonic() + 100, []
    try:
        writers += [subprocess.Popen([sys.executable, "-c", writer, path, letter], cwd=CHECKOUT) for letter in "ab"]
        while len(contents) < 2 and time.monotonic() < deadline:
            if path.exists():
                contents.add(content := path.read_bytes())
                assert content in (b"a" * 10**6, b"b" * 10**6)
    finally:
        for each in writers:
            each.kill()
            each.wait()
    assert len(contents) == 2
    assert path.read_bytes() in contents
