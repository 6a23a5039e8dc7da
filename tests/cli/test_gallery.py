"""`mpskit gallery`: no image kernel is missing, and each shows something."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mpskit as mps
from mpskit import cli, io

pytest.importorskip("PIL.Image", reason="needs Pillow: pip install 'mpskit[io]'")

from mpskit.demos import gallery, sheet

KERNELS = [name for name in mps.image.__all__ if issubclass(getattr(mps.image, name), mps.Kernel)]


@pytest.fixture
def device(request: pytest.FixtureRequest) -> Iterator[mps.Device]:
    """That of --device, or the best there is, made current."""
    with mps.device(request.config.getoption("--device") or mps.default_device()) as chosen:
        yield chosen


@pytest.fixture(scope="module", params=["photographs", "drawn"])
def album(request: pytest.FixtureRequest) -> gallery.Album:
    album = gallery.Album()
    if request.param == "drawn":
        album.folder = None
    elif album.folder is None:
        pytest.skip("needs scikit-image: pip install 'mpskit[gallery]'")
    return album


def test_every_kernel_is_found() -> None:
    assert sorted(gallery.kernels()) == sorted(KERNELS)
    unknown = set(gallery.SHOTS) - set(KERNELS)
    assert not unknown, f"python/mpskit/demos/gallery.py: SHOTS has {unknown}, which are no kernels"


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_is_shown(device: mps.Device, album: gallery.Album, name: str) -> None:
    try:
        cell = gallery.shoot(name, album)
    except mps.UnsupportedError as error:
        pytest.skip(str(error))
    except (ValueError, TypeError) as error:
        pytest.fail(f"{name} needs a line in SHOTS of python/mpskit/demos/gallery.py: pictures and parameters. {error}")
    assert cell.title == name
    assert cell.tag
    for picture in cell.pictures:
        assert picture.shape == (gallery.HEIGHT, gallery.WIDTH, 3)
        assert picture.dtype == np.uint8
        assert picture.std() > 2, "it shows nothing"


def test_captions_say_what_was_done(album: gallery.Album) -> None:
    def note(name: str) -> str:
        return gallery.shoot(name, album).note

    assert note("GaussianBlur") == "sigma=5.0"
    assert note("Add") == "primary_scale=0.5, secondary_scale=0.5"
    assert note("Integral").startswith("shown from ")
    assert note("Histogram") == "counts"
    assert re.fullmatch(r"counts, and [01][.\d]* [01][.\d]*", note("NormalizedHistogram"))


def call(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    code = cli.main(["gallery", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = call(capsys, "--device", "cpu")
    assert (code, err) == (0, "")
    pixels = io.load(tmp_path / "mpskit-gallery.png").array
    for line in (
        "device: cpu: ",
        "pictures: ",
        f"{len(KERNELS)} kernels in ",
        f"contact sheet: mpskit-gallery.png, {pixels.shape[1]} x {pixels.shape[0]} pixels",
    ):
        assert line in out
    code, out, err = call(capsys)
    assert (code, out) == (2, "")
    assert "gallery: mpskit-gallery.png exists; nothing is overwritten. Pass --force to replace it." in err


def test_a_kernel_that_fails_is_named_and_the_rest_is_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*_: object, **__: object) -> None:
        raise mps.UnsupportedError("Median: no kernel for this; allowed: that.")

    kernels = {name: kernel for name, kernel in gallery.kernels().items() if name in ("AreaMax", "Box", "Median")}
    monkeypatch.setattr(gallery, "kernels", lambda: kernels)
    monkeypatch.setitem(gallery.SHOTS, "Box", gallery.shot("cat", kernel_width=-1))
    shoot = gallery.shoot
    monkeypatch.setattr(gallery, "shoot", lambda name, album: unsupported() if name == "Median" else shoot(name, album))
    code, out, _ = call(capsys, "--out", tmp_path / "a.png")
    assert code == 1
    assert "  Box: failed: Box: kernel_width is -1; allowed: " in out
    assert "  Median: not here: Median: no kernel for this" in out
    assert "3 kernels in " in out
    monkeypatch.delitem(gallery.SHOTS, "Box")
    assert call(capsys, "--out", tmp_path / "a.png", "--force")[0] == 0, "what a device lacks is no failure"


def test_without_scikit_image_pictures_are_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "skimage" else find(name, *a))
    monkeypatch.setattr(gallery, "kernels", lambda: {"Sobel": mps.image.Sobel})
    code, out, _ = call(capsys, "--out", tmp_path / "a.png")
    assert code == 0
    assert "pictures: drawn by code; for photographs: pip install 'mpskit[gallery]'" in out


def view(x: Any) -> tuple[np.ndarray, str]:
    return gallery._view(x)


def test_what_is_no_picture_is_drawn(rng: np.random.Generator) -> None:
    counts, note = view(np.uint32([[1, 5, 2]]))
    assert note == "counts"
    assert np.ptp(counts) > 50
    numbers, _ = view(np.float32([[[0.25, 0.5, 1], [1, 2, 3]]]))
    assert np.ptp(numbers) > 50
    row, note = view(np.linspace(-1, 3, 50, dtype=np.float32).reshape(1, 50, 1))
    assert note == "shown from -1 to 3"
    ink = np.argwhere(row.max(axis=2) < 120)
    assert np.corrcoef(ink.T)[0, 1] < -0.9, "it does not rise to the right"
    column, _ = view(np.linspace(-1, 3, 50, dtype=np.float32).reshape(50, 1, 1))
    ink = np.argwhere(column.max(axis=2) < 120)
    assert np.corrcoef(ink.T)[0, 1] > 0.9, "larger values do not lie to the right"
    signed, note = view(np.float32([[-2, 2], [0, 1], [0, 1]]).repeat(60, 1).repeat(60, 0))
    assert note == "shown from -2 to 2"
    assert (signed.min(), signed.max()) == (0, 255)
    flat, _ = view(np.full((50, 60), 7, np.float32))
    assert flat.shape == signed.shape
    two, _ = view((rng.random((50, 60), dtype=np.float32), rng.random((30, 20), dtype=np.float32)))
    assert two.shape == signed.shape


def test_long_words_are_cut_or_broken() -> None:
    cell = sheet.Cell("a", [sheet.words(["word " * 60], 100, 80)], note="note " * 60)
    assert sheet.contact_sheet([cell], 1, "heading").shape[1] == 100 + 2 * sheet.MARGIN
