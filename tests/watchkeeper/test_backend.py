import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from watchkeeper import backend as module
from watchkeeper.backend import Backend, Places
from watchkeeper.clock import SystemClock
from watchkeeper.errors import ConfigError, StorageError
from watchkeeper.notify import DeliveryRecord
from watchkeeper.notify.notification_log import LogKey
from watchkeeper.storage import Store

pytestmark = pytest.mark.anyio

GROUP = "groups: [{{name: {name}, interval: 1s, rules: [{{alert: A, expr: '{expression}'}}]}}]\n"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "prometheus.yml").write_text("rule_files: [rules.yml]\n")
    (tmp_path / "rules.yml").write_text(GROUP.format(name="first", expression="vector(1)"))
    (tmp_path / "alertmanager.yml").write_text("route: {receiver: n}\nreceivers: [{name: n}]\n")
    return Places(
        prometheus=tmp_path / "prometheus.yml",
        alertmanager=tmp_path / "alertmanager.yml",
        data=tmp_path / "data",
        external_url="http://127.0.0.1:9400",
    )


@pytest.fixture
async def backend(places: Places) -> AsyncIterator[Backend]:
    backend = Backend.open(places, clock=SystemClock())
    await backend.start()
    yield backend
    await backend.stop()


async def eventually(look: Callable[[], object]) -> None:
    for _ in range(6000):
        if look():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come about in time")


def running_parts() -> set[str]:
    names = {task.get_name() for task in asyncio.all_tasks()}
    return names & {"notifier", "evaluator", "scraper"}


async def test_what_a_rule_finds_reaches_the_notifier(backend: Backend) -> None:
    await eventually(backend.notifier.alerts)
    (status,) = backend.notifier.alerts()
    assert status.alert.name == "A"
    assert status.alert.generator_url.startswith("http://127.0.0.1:9400/graph?")


async def test_a_reload_takes_new_rules_and_keeps_what_is_stored(
    backend: Backend, places: Places
) -> None:
    store = backend.store
    rules = places.prometheus.with_name("rules.yml")
    rules.write_text(GROUP.format(name="second", expression="vector(2)"))
    await backend.reload()
    assert [group.name for group in backend.groups()] == ["second"]
    assert backend.store is store
    await eventually(lambda: backend.groups()[0].last_evaluation_ns)


async def test_a_reload_keeps_what_was_told(backend: Backend) -> None:
    told = DeliveryRecord(1, "n", "webhook", "firing", 1, "delivered", "", "firing: A", "first", 1)
    backend.notifier._ledger.note_delivery(LogKey("{}:{}", "n", "webhook", 0), told)
    before = backend.notifier
    await backend.reload()
    assert backend.notifier is not before
    assert backend.notifier.history() == (told,)


async def test_a_broken_file_changes_nothing_and_is_remembered(
    backend: Backend, places: Places
) -> None:
    rules = places.prometheus.with_name("rules.yml")
    rules.write_text(GROUP.format(name="broken", expression="sum("))
    with pytest.raises(ConfigError, match=r"rules.yml.*expr"):
        await backend.reload()
    assert [group.name for group in backend.groups()] == ["first"]
    assert "rules.yml" in backend.reload_error
    rules.write_text(GROUP.format(name="mended", expression="vector(1)"))
    await backend.reload()
    assert backend.reload_error == ""


async def test_a_part_that_fails_is_started_again_and_told(
    places: Places, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    backend = Backend.open(places, clock=SystemClock())
    runs = 0

    async def fail_once() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise RuntimeError("the evaluator broke")

    monkeypatch.setattr(module, "RESTART_SECONDS", 0.0)
    monkeypatch.setattr(backend.evaluator, "run", fail_once)
    with caplog.at_level(logging.ERROR):
        await backend.start()
        await eventually(lambda: runs == 2)
    await backend.stop()
    assert "the evaluator broke" in backend.failures["evaluator"]
    assert "the evaluator broke" in caplog.text


async def test_a_reload_forgets_the_failures_of_the_parts_that_it_replaces(
    backend: Backend,
) -> None:
    backend.failures["scraper"] = "it broke"
    await backend.reload()
    assert backend.failures == {}


async def test_a_reload_that_breaks_half_way_leaves_the_watch_running(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(configuration: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(backend, "_configure", broken)
    with pytest.raises(OSError, match="the disk is gone"):
        await backend.reload()
    assert running_parts() == {"notifier", "evaluator", "scraper"}


async def test_a_stop_during_a_reload_leaves_nothing_running(places: Places) -> None:
    backend = Backend.open(places, clock=SystemClock())
    await backend.start()
    reload = asyncio.create_task(backend.reload())
    await asyncio.sleep(0)
    await backend.stop()
    assert reload.done()
    assert running_parts() == set()


async def test_after_a_stop_the_directory_is_free(places: Places) -> None:
    backend = Backend.open(places, clock=SystemClock())
    with pytest.raises(StorageError):
        Store.open(places.data)
    await backend.start()
    await backend.stop()
    Store.open(places.data).close()


@pytest.mark.parametrize("missing", ["prometheus", "alertmanager"])
def test_a_missing_file_is_named(places: Places, missing: str) -> None:
    path: Path = getattr(places, missing)
    path.unlink()
    with pytest.raises(ConfigError, match=path.name):
        Backend.open(places, clock=SystemClock())


def test_a_data_directory_that_is_a_file_is_told(places: Places) -> None:
    places.data.write_text("")
    with pytest.raises(StorageError, match=re.escape(str(places.data))):
        Backend.open(places, clock=SystemClock())
