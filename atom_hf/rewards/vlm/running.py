"""Asynchronous work from anywhere: plain code, a running event loop, a notebook, a thread of Gradio.

verdicts = run(judge._score(items))          # blocks, also where a loop is running
verdicts = await run_async(judge._score(items))

All of it runs in one event loop in a thread of its own, so that connections outlive a call and belong to one loop.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_process = 0


def run(work: Coroutine[Any, Any, T], on_interrupt: Callable[[], None] | None = None, grace: float = 30.0) -> T:
    """Do the work and wait for it.

    Args:
        work (`Coroutine`): what to do.
        on_interrupt (`Callable`, *optional*): called at Ctrl-C, to have the work end soon; a second Ctrl-C ends it at
            once.
        grace (`float`, *optional*, defaults to 30.0): seconds that it has to end after Ctrl-C.

    Returns:
        what the work returns.

    Raises:
        RuntimeError: if it is called from the work itself, which would wait for ever.
    """
    loop = background_loop()
    if _running_loop() is loop:
        work.close()
        raise RuntimeError("Called from inside of a judge's own event loop; await the asynchronous method there.")
    future = asyncio.run_coroutine_threadsafe(work, loop)
    try:
        return future.result()
    except KeyboardInterrupt:
        if on_interrupt is not None:
            loop.call_soon_threadsafe(on_interrupt)
            try:
                future.result(grace)
            except Exception:
                pass
        raise
    finally:
        future.cancel()  # does nothing to work that is done


async def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Do the work without keeping the caller's loop from its own.

    Args:
        work (`Coroutine`): what to do; cancelled if the caller is.

    Returns:
        what the work returns.
    """
    loop = background_loop()
    if _running_loop() is loop:
        return await work
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, loop))


def background_loop() -> asyncio.AbstractEventLoop:
    """The loop that all judges share, started at the first use, and anew in a forked process.

    Returns:
        `asyncio.AbstractEventLoop`: running, in a daemon thread.
    """
    global _loop, _process
    with _lock:
        if _loop is None or _process != os.getpid():
            _loop, _process = asyncio.new_event_loop(), os.getpid()
            threading.Thread(target=_loop.run_forever, name="atom_hf-judge", daemon=True).start()
        return _loop


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
