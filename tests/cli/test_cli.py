"""The command line as people meet it: options, exit codes, words, signals."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import numpy as np
import pytest

import mpskit as mps
from mpskit import cli, io

pillow = pytest.importorskip("PIL.Image", reason="needs Pillow: pip install 'mpskit[io]'")

BLUR = "gaussian_blur(sigma=1)"


@pytest.fixture
def photos(tmp_path: Path, rng: np.random.Generator) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(4):
        io.save(folder / f"{i}.png", rng.integers(0, 256, (20, 30, 3), dtype=np.uint8))
    return folder


def call(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """Exit code, standard output, standard error of a command, run in this process."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        code = cli.main([str(a) for a in arguments])
    except SystemExit as exit:  # argparse
        code = exit.code if isinstance(exit.code, int) else 1
    assert signal.getsignal(signal.SIGTERM) is before, "the handler of SIGTERM stayed"
    said = capsys.readouterr()
    return code, said.out, said.err


def test_run(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "run", BLUR, photos, "--out", tmp_path / "a")
    assert (code, err) == (0, "")
    assert out.startswith("4 pictures in ")
    assert "images/s) on " in out
    assert out.endswith(f", into {tmp_path / 'a'}\n")
    for i in range(4):
        x = io.load(photos / f"{i}.png").array
        assert np.array_equal(io.load(tmp_path / "a" / f"{i}.png").array, mps.image.GaussianBlur(sigma=1)(x))


def test_every_option(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--device", "cpu", "--threads", "2", "--in-flight", "1", "--format", "jpeg", "--quality", "40"]
    command = ["run", f"{BLUR} | {BLUR}", str(photos / "0.png"), str(photos / "1.png"), "--out", str(tmp_path / "a")]
    code, out, _ = call(capsys, *command, *options, "--strict", "--json", "--quiet")
    assert code == 0
    summary = json.loads(out)
    assert (summary["images"], summary["failed"], summary["existing"]) == (2, [], 0)
    assert (summary["device"], summary["threads"]) == ("cpu", 2)
    assert summary["images_per_second"] > 0
    assert summary["megapixels_per_second"] > 0
    assert set(summary["stage_seconds"]) == {"read", "decode", "kernels", "encode"}
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["0.jpg", "1.jpg"]

    code, out, err = call(capsys, *command, "--format", "jpeg")
    assert (code, out) == (2, "")
    assert "2 of the results exist" in err
    assert "--force" in err
    assert "--skip-existing" in err
    (tmp_path / "a" / "1.jpg").unlink()
    code, out, _ = call(capsys, *command, "--format", "jpeg", "--skip-existing")
    assert code == 0
    assert out.startswith("1 picture in")
    assert "; 1 existed" in out
    assert call(capsys, *command, "--format", "jpeg", "--force")[0] == 0
    assert call(capsys, *command, "--force", "--skip-existing")[0] == 2


def test_bad_files(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (photos / "1.png").write_bytes((photos / "1.png").read_bytes()[:-900])
    code, out, err = call(capsys, "run", BLUR, photos, tmp_path / "nowhere", "--out", tmp_path / "a")
    assert code == 1
    assert f"failed: {photos / '1.png'}: cannot be decoded: image file is truncated" in err
    assert f"failed: {tmp_path / 'nowhere'}: there is no such file or folder" in err
    assert out.startswith("3 pictures")
    assert "; 2 failed" in out
    code, out, _ = call(capsys, "run", BLUR, photos, "--out", tmp_path / "b", "--json")
    assert code == 1
    assert json.loads(out)["failed"][0]["file"] == str(photos / "1.png")
    code, out, err = call(capsys, "run", BLUR, photos, "--out", tmp_path / "c", "--strict")
    assert (code, out) == (1, "")
    assert err.count("1.png") == 1
    assert "stopped at the first bad file (--strict); finished results are whole" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: command"),
        (["walk"], "invalid choice: 'walk'"),
        (["run", BLUR], "the following arguments are required: PHOTOS, --out"),
        (
            ["run", "gausian_blur", "photos", "--out", "a"],
            "there is no kernel 'gausian_blur'; allowed: .* Did you mean 'gaussian_blur'?",
        ),
        (["run", "gaussian_blur(sigma=-1)", "photos", "--out", "a"], "GaussianBlur: sigma is -1"),
        (["run", "gaussian_blur(sigam=1)", "photos", "--out", "a"], "sigam"),
        (["run", "gaussian_blur(sigma=1", "photos", "--out", "a"], "is not a chain of kernels"),
        (["run", BLUR, "empty", "--out", "a"], "no pictures in empty; allowed: files with .jpg"),
        (["run", BLUR, "photos", "--out", "photos"], "would be replaced by its own result"),
        (["run", BLUR, "photos", "--out", "photos/0.png"], "out is photos/0.png, which is a file; allowed: a folder"),
        (["run", BLUR, "photos", "--out", "a", "--device", "vulkan"], "there is no 'vulkan'"),
        (["run", BLUR, "photos", "--out", "a", "--threads", "0"], "threads is 0; allowed: an integer, 1 <= threads"),
        (["run", BLUR, "photos", "--out", "a", "--threads", "two"], "invalid int value: 'two'"),
        (["run", BLUR, "photos", "--out", "a", "--in-flight", "-1"], "in_flight is -1"),
        (["run", BLUR, "photos", "--out", "a", "--quality", "0"], "quality is 0; allowed: an integer, 1 <= quality"),
        (["run", BLUR, "photos", "--out", "a", "--format", "gif"], "invalid choice: 'gif'"),
        (
            ["run", "blur", "photos", "--out", "a"],
            "there is no kernel 'blur'; allowed: .* Did you mean 'gaussian_blur'?",
        ),
        (
            ["run", "histogram", "photos", "--out", "a"],
            "Histogram gives a matrix; allowed: a last kernel that gives one image",
        ),
        (["demo", "--device", "vulkan"], "there is no 'vulkan'"),
        (["demo", "--out", "a/b.png"], "demo: there is no folder a. Make it first"),
        (
            ["gallery", "--out", "photos"],
            "gallery: photos is a folder; allowed: a file. Pass --out photos/mpskit-gallery.png",
        ),
        (["gallery", "--out", "photos/a.gif"], "gallery: a.gif has no known suffix; allowed: .jpg, "),
        (["gallery", "--device", "vulkan"], "there is no 'vulkan'"),
    ],
)
def test_wrong_use(
    photos: Path,
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(photos.parent)
    (photos.parent / "empty").mkdir()
    code, out, err = call(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert re.search(message, err), err
    assert "Traceback" not in err
    assert sorted(p.name for p in photos.parent.iterdir()) == ["empty", "photos"], "nothing was done"


def test_info(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, _ = call(capsys, "info")
    assert code == 0
    for line in (
        f"mpskit {mps.__version__}, Python ",
        "devices:",
        "  cpu: CPU engine, ",
        "CPU engine: ",
        "extras:",
        "  Pillow: ",
    ):
        assert line in out
    facts = json.loads(call(capsys, "info", "--json")[1])
    assert facts["devices"]
    assert facts["isa"] in facts["isas"]
    assert "metal" in facts["missing"] or "metal" in [d["name"] for d in facts["devices"]]
    assert facts["threads"] == mps.num_threads()
    import importlib.metadata

    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert "  tqdm: not installed: pip install 'mpskit[io]'" in call(capsys, "info")[1]


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, "--version") == (0, f"mpskit {mps.__version__}\n", "")
    for command in ((), ("run",), ("demo",), ("gallery",), ("info",)):
        code, out, _ = call(capsys, *command, "--help")
        assert code == 0
        assert out.startswith("usage: mpskit")


def test_the_bar_goes_to_terminals_only(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pseudo-terminal shows count, share, speed and time left, and each failure once."""
    pytest.importorskip("tqdm", reason="needs tqdm: pip install 'mpskit[io]'")
    (photos / "2.png").write_bytes(b"nothing")
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 100, 0, 0))
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        assert cli.main(["run", BLUR, str(photos), "--out", str(tmp_path / "a")]) == 1
        monkeypatch.undo()
    shown = ""
    while True:
        try:
            piece = os.read(ours, 65536).decode()
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    assert "100%" in shown
    assert "4/4" in shown
    assert "images/s" in shown
    assert "<" in shown, "no time left"
    assert shown.count("failed: ") == 1


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "mpskit", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.process
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_no_half_written_file(
    tmp_path: Path, rng: np.random.Generator, number: signal.Signals, code: int
) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    picture = rng.integers(0, 256, (150, 200, 3), dtype=np.uint8)
    io.save(photos / "00.png", picture)
    for i in range(1, 300):
        os.link(photos / "00.png", photos / f"{i:03}.png")
    process = start("run", "gaussian_blur(sigma=2)", photos, "--out", out, "--quiet")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (out.exists() and any(p.suffix == ".png" for p in out.iterdir())):
        time.sleep(0.01)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code, errors
    assert "mpskit: stopped; finished results are whole, none is half-written." in errors
    assert "Traceback" not in errors
    written = list(out.iterdir())
    assert 0 < len(written) < 300, "it was stopped too late or too early to tell"
    assert all(p.suffix == ".png" and not p.name.startswith(".") for p in written)
    for path in written:
        assert io.load(path).array.shape == (150, 200, 3)


@pytest.mark.process
def test_a_reader_that_goes_away_is_no_crash() -> None:
    process = start("info")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(timeout=60) in (0, 1)


@pytest.mark.process
def test_demo(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    process = start("demo", "--quick", "--out", sheet, "--pictures", tmp_path / "photos")
    said, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    picture = io.load(sheet).array
    assert picture.shape[1] == 2 * 480 + 3 * 16
    below = range(picture.shape[0] - 280, 0, -300)  # every row of pictures, from the last one up
    cells = [picture[top : top + 200, left : left + 400].std() for top in below for left in (30, 530)]
    assert len(cells) == 8
    assert min(cells) > 20, f"a picture of the contact sheet shows next to nothing: {cells}"
    assert len(list((tmp_path / "photos").glob("*.jpg"))) == 10
    for word in ("GaussianBlur", "LanczosScale", "Sobel", "MatrixMultiplication", "graph", "LSTM", "device: "):
        assert word in said


def test_demo_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sheet.png").write_bytes(b"precious")
    code, out, err = call(capsys, "demo", "--out", tmp_path / "sheet.png")
    assert (code, out) == (2, "")
    assert "nothing is overwritten. Pass --force" in err
    assert (tmp_path / "sheet.png").read_bytes() == b"precious"
