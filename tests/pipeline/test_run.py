"""Folders of files through a chain: what is read, what is written, what is refused, what is reported."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import numpy as np
import pytest

import mpskit as mps
from mpskit import io
from mpskit.pipeline import Summary
from tests.support.engine import Engine

pillow = pytest.importorskip("PIL.Image", reason="needs Pillow: pip install 'mpskit[io]'")

BLUR = "gaussian_blur(sigma=2)"


def names(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_the_main_job(engine: Engine, photos: Path, tmp_path: Path) -> None:
    kernels = [mps.image.GaussianBlur(sigma=2), mps.image.LanczosScale(width=29, height=31)]
    summary = mps.Pipeline(kernels, device=engine.device).run([photos], tmp_path / "small", format="png")
    assert summary.done == 5
    ((refused, reason),) = summary.failed
    assert refused.endswith("float.tif")
    assert "png cannot hold an array" in reason
    for name in names(photos):
        x = io.load(photos / name).array
        if x.dtype == np.float32:
            continue
        y = io.load((tmp_path / "small" / name).with_suffix(".png")).array
        assert y.shape == (31, 29, *x.shape[2:])
        assert np.array_equal(y, kernels[1](kernels[0](x)))


def test_run(engine: Engine, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    seen: list[int] = []
    counts: list[int] = []
    pipeline = mps.Pipeline(BLUR, device=engine.device)
    summary = pipeline.run([photos], out, progress=lambda s: seen.append(s.done), total=counts.append)
    assert summary.done == 6
    assert seen == [1, 2, 3, 4, 5, 6]
    assert counts == [6]
    assert not summary.failed
    assert summary.pixels == 6 * 61 * 83
    assert summary.seconds > 0
    assert all(seconds > 0 for seconds in summary.stages.values())
    assert names(out) == names(photos)
    source = io.load(photos / "deep" / "sixteen.png").array
    assert np.array_equal(io.load(out / "deep" / "sixteen.png").array, mps.image.GaussianBlur(sigma=2)(source))


def test_ctrl_c_finds_no_lock_in_the_calling_thread(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Ctrl-C between a condition's lock and its `with` leaves the lock taken: a worker that answers by it would hang, and with it the end of the run.
    caller, enter, entered = threading.current_thread(), threading.Condition.__enter__, []

    def noted(condition: threading.Condition) -> bool:
        if threading.current_thread() is caller:
            entered.append(condition)
        return enter(condition)

    def after_the_first(summary: Summary) -> None:
        if summary.done == 1:
            monkeypatch.setattr(threading.Condition, "__enter__", noted)
        elif summary.done == 6:
            monkeypatch.undo()

    assert mps.Pipeline(BLUR, threads=2).run([photos], progress=after_the_first).done == 6
    assert not entered


@pytest.mark.parametrize(("threads", "in_flight"), [(1, None), (2, 1), (3, 8)])
def test_any_number_of_threads_gives_the_same(photos: Path, threads: int, in_flight: int | None) -> None:
    summary = mps.Pipeline(BLUR, threads=threads).run([photos], in_flight=in_flight)
    wanted = mps.Pipeline(BLUR)
    assert summary.results is not None
    for path, result in zip(sorted(p for p in photos.rglob("*") if p.is_file()), summary.results, strict=True):
        assert np.array_equal(result, wanted(path))  # type: ignore[arg-type]


def test_results_without_a_folder_stay_in_memory(photos: Path) -> None:
    (photos / "broken.png").write_bytes(b"nothing")
    summary = mps.Pipeline(BLUR).run([photos / "gray.jpg", photos / "broken.png", photos / "alpha.png"])
    assert summary.results is not None
    gray, broken, alpha = summary.results
    assert gray is not None
    assert gray.shape == (61, 83)
    assert broken is None
    assert alpha is not None
    assert alpha.shape == (61, 83, 4)
    alone = mps.Pipeline(BLUR).run(str(photos / "gray.jpg"))
    assert alone.results is not None
    assert np.array_equal(alone.results[0], gray)  # type: ignore[arg-type]


def test_bad_files_are_reported_and_the_rest_completes(photos: Path, tmp_path: Path) -> None:
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    (photos / "empty.png").write_bytes(b"")
    (photos / "cut.jpg").write_bytes((photos / "colour.jpg").read_bytes()[:-300])
    pillow.new("RGBA", (4, 4)).save(photos / "see_through.webp")
    summary = mps.Pipeline(BLUR).run([photos, tmp_path / "not there"], tmp_path / "out", format="jpeg")
    reasons = {Path(name).name: reason for name, reason in summary.failed}
    assert reasons.pop("broken.jpg").startswith("is no JPEG, PNG, TIFF or WebP file")
    assert reasons.pop("empty.png").startswith("is no JPEG, PNG, TIFF or WebP file")
    assert "cannot be decoded: Premature end of JPEG file" in reasons.pop("cut.jpg")
    assert reasons.pop("not there") == "there is no such file or folder"
    for name in ("alpha.png", "see_through.webp", "sixteen.png", "float.tif"):
        assert reasons.pop(name).startswith("save: jpeg cannot hold an array of shape")
    assert not reasons
    assert summary.done == 3
    assert names(tmp_path / "out") == ["colour.jpg", "deep/picture.jpg", "gray.jpg"]


def test_strict_stops(photos: Path, tmp_path: Path) -> None:
    for i in range(40):
        (photos / f"broken{i}.jpg").write_bytes(b"nothing")
    seen: list[Summary] = []
    with pytest.raises(ValueError, match=r"Pipeline\.run: .*broken\d+\.jpg: is no JPEG"):
        mps.Pipeline(BLUR).run([photos], tmp_path / "out", strict=True, progress=seen.append)
    assert len(seen[-1].failed) == 1
    with pytest.raises(ValueError, match="nowhere: there is no such file or folder"):
        mps.Pipeline(BLUR).run([photos, "nowhere"], tmp_path / "never", strict=True)
    assert names(tmp_path / "never") == []


def test_nothing_is_overwritten(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    pipeline = mps.Pipeline(BLUR)
    pipeline.run([photos / "gray.jpg"], out)
    (out / "gray.jpg").write_bytes(b"precious")
    with pytest.raises(
        FileExistsError, match=r"1 of the results exist, the first is .*gray\.jpg; nothing is overwritten"
    ):
        pipeline.run([photos], out)
    assert names(out) == ["gray.jpg"], "nothing was begun"
    summary = pipeline.run([photos], out, skip_existing=True)
    assert (summary.done, summary.existing) == (5, 1)
    assert (out / "gray.jpg").read_bytes() == b"precious"
    assert pipeline.run([photos / "gray.jpg"], out, force=True).done == 1
    assert io.load(out / "gray.jpg").array.shape == (61, 83)


def test_names_that_meet(photos: Path, tmp_path: Path) -> None:
    pipeline = mps.Pipeline(BLUR)
    with pytest.raises(ValueError, match="would both become"):
        pipeline.run([photos / "gray.jpg", photos / "gray.jpg"], tmp_path / "twice")
    (photos / "gray.png").write_bytes((photos / "alpha.png").read_bytes())
    with pytest.raises(ValueError, match=r"gray\.jpg and .*gray\.png would both become .*gray\.webp"):
        pipeline.run([photos], tmp_path / "twice", format="webp")
    with pytest.raises(ValueError, match="would be replaced by its own result"):
        pipeline.run([photos], photos, force=True)
    (tmp_path / "link").symlink_to(photos)
    with pytest.raises(ValueError, match="would be replaced by its own result"):
        pipeline.run([photos], tmp_path / "link", force=True)


def test_results_inside_the_folder_are_no_sources(photos: Path) -> None:
    pipeline = mps.Pipeline(BLUR)
    assert pipeline.run([photos], photos / "small").done == 6
    assert pipeline.run([photos], photos / "small", force=True).done == 6
    assert not (photos / "small" / "small").exists()


def test_hidden_files_are_left_alone(photos: Path, tmp_path: Path) -> None:
    (photos / "._gray.jpg").write_bytes(b"what macOS writes beside a file")
    (photos / ".trash").mkdir()
    (photos / ".trash" / "old.png").write_bytes((photos / "alpha.png").read_bytes())
    (photos / "notes.txt").write_text("no picture")
    summary = mps.Pipeline(BLUR).run([photos], tmp_path / "out")
    assert (summary.done, summary.failed) == (6, [])


def test_a_file_without_a_known_suffix_needs_a_format(photos: Path, tmp_path: Path) -> None:
    (photos / "gray.jpg").rename(photos / "DSC1")
    summary = mps.Pipeline(BLUR).run([photos / "DSC1", photos / "alpha.png"], tmp_path / "a")
    assert summary.done == 1
    assert "names no format; allowed: .jpg" in summary.failed[0][1]
    assert mps.Pipeline(BLUR).run([photos / "DSC1"], tmp_path / "b", format="jpeg").done == 1
    assert names(tmp_path / "b") == ["DSC1.jpg"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"in_flight": 0}, "in_flight is 0; allowed: an integer"),
        ({"quality": 101}, "quality is 101; allowed: an integer, 1 <= quality <= 100"),
        ({"format": "gif"}, "format is 'gif'; allowed: 'jpeg', 'png', 'tiff', 'webp'"),
        ({"force": True, "skip_existing": True}, "force and skip_existing are both set"),
    ],
)
def test_run_refuses(photos: Path, tmp_path: Path, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mps.Pipeline(BLUR).run([photos], tmp_path / "out", **arguments)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_places_that_are_none(photos: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ValueError, match=r"no pictures in .*empty; allowed: files with \.jpg"):
        mps.Pipeline(BLUR).run([empty], tmp_path / "out")
    assert mps.Pipeline(BLUR).run([], tmp_path / "out").done == 0
    with pytest.raises(ValueError, match=r"out is .*gray\.jpg, which is a file; allowed: a folder"):
        mps.Pipeline(BLUR).run([photos], photos / "gray.jpg")
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    if not os.access(locked, os.W_OK):  # the administrator may write everywhere
        with pytest.raises(PermissionError, match="where this user may not write"):
            mps.Pipeline(BLUR).run([photos], locked)


def test_a_folder_that_cannot_be_searched_is_reported(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("deep"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    summary = mps.Pipeline(BLUR).run([photos], tmp_path / "out")
    assert summary.done == 3
    assert summary.failed == [(str(photos / "deep"), "Permission denied")]


def test_a_full_disk_is_reported(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "here")

    monkeypatch.setattr(os, "link", full)
    summary = mps.Pipeline(BLUR).run([photos], tmp_path / "out")
    assert summary.done == 0
    assert {reason for _, reason in summary.failed} == {"No space left on device: here"}
    assert names(tmp_path / "out") == [], "a partial file was left"


def test_metadata_follows(photos: Path, tmp_path: Path) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = pillow.new("RGB", (40, 30), (200, 100, 50))
    exif = image.getexif()
    exif[0x0112], exif[0x010F] = 6, "a maker"
    image.save(photos / "turned.jpg", icc_profile=profile, exif=exif)
    assert mps.Pipeline(BLUR).run([photos / "turned.jpg"], tmp_path / "out").done == 1
    with pillow.open(tmp_path / "out" / "turned.jpg") as result:
        assert result.size == (30, 40), "upright"
        assert result.info["icc_profile"] == profile
        assert result.getexif()[0x0112] == 1
        assert result.getexif()[0x010F] == "a maker"


def test_without_pillow_it_says_what_to_install(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    with pytest.raises(ImportError, match=r"pip install 'mpskit\[io\]'"):
        mps.Pipeline(BLUR).run([photos])
