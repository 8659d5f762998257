import threading

import pytest

from watchkeeper.errors import OverloadError
from watchkeeper.server.answers import Refusal
from watchkeeper.server.threads import Threads

pytestmark = pytest.mark.anyio


async def test_a_call_runs_off_the_event_loop() -> None:
    threads = Threads("test", threads=1, waiting=0)
    assert await threads.run(threading.current_thread) is not threading.current_thread()


async def test_what_a_call_raises_reaches_its_caller() -> None:
    def fail() -> None:
        raise KeyError("here")

    with pytest.raises(KeyError, match="here"):
        await Threads("test", threads=1, waiting=0).run(fail)


async def test_a_full_line_refuses_and_takes_again_once_there_is_room() -> None:
    threads = Threads("test", threads=1, waiting=0)
    release = threading.Event()
    with pytest.raises(Refusal) as refusal:
        await threads.run(release.wait, timeout_seconds=0.01)
    assert refusal.value.status_code == 503
    with pytest.raises(OverloadError, match="1 calls to test"):
        await threads.run(int)
    release.set()
    while threads.taken:
        await threads_turn()
    assert await threads.run(int) == 0


async def threads_turn() -> None:
    import asyncio

    await asyncio.sleep(0)
