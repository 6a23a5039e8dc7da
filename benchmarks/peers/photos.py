"""The main job as other libraries do it: decode, Gaussian blur with sigma 2, 299 x 299, encode; one picture a thread.

    python -m benchmarks.peers.photos NAME PHOTOS OUT THREADS

prints the seconds between the first file and the last, without the imports. Each does what its users would: one picture a
thread from a pool, its own threads off, buffers kept where the interface has a place for them.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SIGMA, SIDE, QUALITY = 2, 299, 90
RADIUS = 8  # ours: ceil(3.7 sigma)

Job = Callable[[str, str], None]  # source, target


@dataclass(frozen=True)
class Peer:
    make: Callable[[], Job]
    needs: tuple[str, ...]  # modules
    distribution: str  # whose version is told
    is_exact: bool  # the same blur and an antialiased Lanczos, as ours


def _opencv(resize: str) -> Callable[[], Job]:
    def make() -> Job:
        import cv2

        cv2.setNumThreads(1)
        interpolation = getattr(cv2, resize)
        kept = threading.local()

        def job(source: str, target: str) -> None:
            picture = cv2.imread(source)
            size = 2 * RADIUS + 1
            kept.blurred = cv2.GaussianBlur(
                picture, (size, size), SIGMA, dst=getattr(kept, "blurred", None), borderType=cv2.BORDER_REPLICATE
            )
            small = cv2.resize(kept.blurred, (SIDE, SIDE), interpolation=interpolation)
            cv2.imwrite(target, small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])

        return job

    return make


def _opencv_and_pillow() -> Job:
    import cv2
    from PIL import Image

    cv2.setNumThreads(1)
    kept = threading.local()

    def job(source: str, target: str) -> None:
        picture = cv2.imread(source, cv2.IMREAD_COLOR_RGB)
        size = 2 * RADIUS + 1
        kept.blurred = cv2.GaussianBlur(
            picture, (size, size), SIGMA, dst=getattr(kept, "blurred", None), borderType=cv2.BORDER_REPLICATE
        )
        small = Image.fromarray(kept.blurred).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        small.save(target, quality=QUALITY)

    return job


def _pillow() -> Job:
    from PIL import Image, ImageFilter

    def job(source: str, target: str) -> None:
        with Image.open(source) as picture:
            blurred = picture.filter(ImageFilter.GaussianBlur(SIGMA))  # three box blurs
        blurred.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(target, quality=QUALITY)

    return job


def _pyvips() -> Job:
    import pyvips

    pyvips.concurrency_set(1)
    pyvips.cache_set_max(0)

    def job(source: str, target: str) -> None:
        picture = pyvips.Image.new_from_file(source, access="sequential")
        blurred = picture.gaussblur(SIGMA, min_ampl=0.001, precision="integer")
        small = blurred.resize(SIDE / picture.width, vscale=SIDE / picture.height, kernel="lanczos3")
        small.write_to_file(target, Q=QUALITY)

    return job


def _decode_only() -> Job:
    import numpy as np
    import simplejpeg

    kept = threading.local()

    def job(source: str, target: str) -> None:
        if not hasattr(kept, "picture"):
            kept.picture = np.empty((1080, 1920, 3), np.uint8)
        simplejpeg.decode_jpeg(Path(source).read_bytes(), "RGB", buffer=kept.picture)

    return job


LIMIT = "decoding alone (libjpeg-turbo)"
PEERS = {
    "OpenCV, INTER_AREA": Peer(_opencv("INTER_AREA"), ("cv2",), "opencv-python-headless", False),
    "OpenCV, INTER_LANCZOS4": Peer(_opencv("INTER_LANCZOS4"), ("cv2",), "opencv-python-headless", False),
    "OpenCV, then Pillow's Lanczos": Peer(_opencv_and_pillow, ("cv2", "PIL"), "opencv-python-headless", True),
    "Pillow": Peer(_pillow, ("PIL",), "pillow", False),
    "pyvips": Peer(_pyvips, ("pyvips",), "pyvips", True),
    LIMIT: Peer(_decode_only, ("simplejpeg",), "simplejpeg", False),
}


def installed() -> dict[str, str]:
    """Names of the peers that are here, with their versions."""
    return {
        name: importlib.metadata.version(peer.distribution)
        for name, peer in PEERS.items()
        if all(importlib.util.find_spec(module) for module in peer.needs)
    }


def main() -> int:
    name, photos, out, threads = sys.argv[1:]
    job = PEERS[name].make()
    files = sorted(Path(photos).iterdir())
    begin = time.perf_counter()

    def process(path: Path) -> Any:
        job(str(path), str(Path(out) / path.name))

    with ThreadPoolExecutor(int(threads)) as pool:
        list(pool.map(process, files))
    print(json.dumps({"seconds": time.perf_counter() - begin, "images": len(files)}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
