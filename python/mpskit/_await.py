"""What `await completion` does. Apart, because asyncio is loaded only by those who use it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from ._core import Completion


async def wait(completion: Completion[Any]) -> Any:
    """The result of the work, without blocking the event loop. Cancelling the task leaves the work running."""
    if not completion.done():
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()

        def end() -> None:
            if not ended.done():
                ended.set_result(None)

        def tell(_: Completion[Any]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile: nobody listens
                loop.call_soon_threadsafe(end)

        completion.add_done_callback(tell)
        await ended
    return completion.result()
