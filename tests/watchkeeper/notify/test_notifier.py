"""What people are told, when, and what they are not told twice."""

from __future__ import annotations

import asyncio

import anyio
import anyio.lowlevel
import pytest

from watchkeeper.errors import ConfigError, StorageError
from watchkeeper.model import FiringAlert, labels
from watchkeeper.notify import MutingSettings
from watchkeeper.notify.state_file import State, StateFile

pytestmark = pytest.mark.anyio

CONFIG = """
route:
  receiver: team
  group_by: [service]
  group_wait: 10s
  group_interval: 1m
  repeat_interval: 1h
receivers:
  - name: team
    webhook_configs: [{url: "http://127.0.0.1:1/hook"}]
"""


async def test_the_first_notification_waits_for_the_group_to_gather(start_watch) -> None:
    watch = start_watch(CONFIG)
    watch.fire("Slow", service="api")
    assert await watch.after(9) == []
    watch.fire("Failing", service="api")
    [told] = await watch.after(1)
    assert (told.status, told.firing) == ("firing", ["Slow", "Failing"])


async def test_an_alert_that_began_long_ago_is_told_at_once(start_watch) -> None:
    watch = start_watch(CONFIG)
    watch.clock.advance(-60)
    began = watch.clock.time_ns()
    watch.clock.advance(60)
    watch.notifier.put([FiringAlert(labels({"alertname": "Old"}), (), began, None)])
    assert len(await watch.after(0)) == 1


async def test_nothing_new_is_nothing_told_until_the_repeat_interval(start_watch) -> None:
    watch = start_watch(CONFIG)
    watch.fire("Slow", service="api")
    assert len(await watch.after(10)) == 1
    for _ in range(59):
        watch.fire("Slow", service="api")
        assert await watch.after(60) == []
    watch.fire("Slow", service="api")
    assert [told.firing for told in await watch.after(120)] == [["Slow"]]


async def test_groups_are_told_apart_by_their_labels(start_watch) -> None:
    watch = start_watch(CONFIG)
    watch.fire("Slow", service="api")
    watch.fire("Slow", service="worker")
    told = await watch.after(10)
    assert sorted(each.body["groupLabels"]["service"] for each in told) == ["api", "worker"]


async def test_recovery_is_told_once_at_the_next_look(start_watch) -> None:
    watch = start_watch(CONFIG)
    watch.fire("Slow", service="api")
    await watch.after(10)
    watch.resolve("Slow", service="api")
    [told] = await watch.after(60)
    assert (told.status, told.resolved) == ("resolved", ["Slow"])
    watch.resolve("Slow", service="api")
    assert await watch.after(3600) == []
    assert watch.notifier.groups() == ()


async def test_an_alert_that_nobody_renews_resolves_after_the_timeout(start_watch) -> None:
    watch = start_watch(CONFIG)
    watch.fire("Slow", service="api")
    told = await watch.after(7 * 60)
    assert [each.status for each in told] == ["firing", "resolved"]


async def test_an_alert_that_ends_before_the_group_speaks_is_never_told(start_watch) -> None:
    watch = start_watch(CONFIG)
    watch.fire("Blip", service="api")
    watch.clock.advance(5)
    watch.resolve("Blip", service="api")
    assert await watch.after(600) == []


async def test_a_failed_delivery_is_tried_again_and_its_recovery_is_not_lost(start_watch) -> None:
    watch = start_watch(CONFIG)
    watch.fire("Slow", service="api")
    await watch.after(10)
    watch.resolve("Slow", service="api")
    watch.answer = 503
    assert await watch.after(180) == []
    watch.answer = 200
    [told] = await watch.after(120)
    assert told.status == "resolved"
    failed = [each for each in watch.notifier.history() if each.outcome == "failed"]
    assert failed[0].attempts > 2
    assert "503" in failed[0].detail
    assert watch.notifier.deliveries() == {
        ("webhook", "delivered"): 2,
        ("webhook", "failed"): len(failed),
    }


async def test_a_silenced_alert_is_not_told(start_watch) -> None:
    watch = start_watch(CONFIG)
    watch.silence('alertname="Slow"', 600)
    watch.fire("Slow", service="api")
    watch.fire("Failing", service="api")
    [told] = await watch.after(10)
    assert told.firing == ["Failing"]
    [status] = [each for each in watch.notifier.alerts() if each.alert.name == "Slow"]
    assert status.state == "suppressed"


async def test_an_alert_is_told_when_its_silence_is_lifted(start_watch) -> None:
    watch = start_watch(CONFIG)
    silence = watch.silence('alertname="Slow"', 600)
    watch.fire("Slow", service="api")
    assert await watch.after(10) == []
    watch.notifier.expire_silence(silence)
    [told] = await watch.after(60)
    assert told.firing == ["Slow"]


async def test_who_was_told_of_an_alert_hears_of_its_end_although_it_is_silenced(
    start_watch,
) -> None:
    watch = start_watch(CONFIG)
    watch.fire("Slow", service="api")
    await watch.after(10)
    watch.silence('alertname="Slow"', 3600)
    watch.resolve("Slow", service="api")
    [told] = await watch.after(60)
    assert (told.status, told.resolved) == ("resolved", ["Slow"])


async def test_the_original_says_nothing_of_an_end_under_a_silence(start_watch) -> None:
    watch = start_watch(CONFIG, muting=MutingSettings(tell_recovery_of_muted=False))
    watch.fire("Slow", service="api")
    await watch.after(10)
    watch.silence('alertname="Slow"', 3600)
    watch.resolve("Slow", service="api")
    assert await watch.after(600) == []


async def test_a_group_still_fires_while_its_silenced_alert_does(start_watch) -> None:
    watch = start_watch(CONFIG)
    watch.fire("Slow", service="api")
    watch.fire("Failing", service="api")
    await watch.after(10)
    watch.silence('alertname="Slow"', 3600)
    watch.resolve("Failing", service="api")
    [told] = await watch.after(60)
    assert (told.status, told.firing, told.resolved) == ("firing", ["Slow"], ["Failing"])
    watch.resolve("Slow", service="api")
    [told] = await watch.after(60)
    assert (told.status, told.resolved) == ("resolved", ["Slow"])


async def test_the_original_calls_a_group_resolved_of_which_one_is_silenced(start_watch) -> None:
    watch = start_watch(CONFIG, muting=MutingSettings(count_muted_as_firing=False))
    watch.fire("Slow", service="api")
    watch.fire("Failing", service="api")
    await watch.after(10)
    watch.silence('alertname="Slow"', 3600)
    watch.resolve("Failing", service="api")
    [told] = await watch.after(60)
    assert (told.status, told.firing) == ("resolved", [])


async def test_a_silenced_alert_is_not_repeated(start_watch) -> None:
    watch = start_watch(CONFIG)
    watch.fire("Slow", service="api")
    await watch.after(10)
    watch.silence('alertname="Slow"', 4 * 3600)
    for _ in range(40):
        watch.fire("Slow", service="api")
        assert await watch.after(240) == []


async def test_a_restart_repeats_nothing(start_watch) -> None:
    watch = start_watch(CONFIG)
    watch.fire("Slow", service="api")
    await watch.after(10)
    again = start_watch(CONFIG, clock=watch.clock)
    again.fire("Slow", service="api")
    assert await again.after(120) == []


async def test_a_restart_loses_no_recovery(start_watch) -> None:
    watch = start_watch(CONFIG)
    watch.fire("Slow", service="api")
    await watch.after(10)
    again = start_watch(CONFIG, clock=watch.clock)
    again.resolve("Slow", service="api")
    [told] = await again.after(60)
    assert told.status == "resolved"


async def test_a_restart_tells_a_recovery_that_came_just_before_it(start_watch) -> None:
    watch = start_watch(CONFIG)
    watch.fire("Slow", service="api")
    await watch.after(10)
    watch.clock.advance(20)
    watch.resolve("Slow", service="api")
    watch.notifier.save()
    again = start_watch(CONFIG, clock=watch.clock)
    [told] = await again.after(60)
    assert (told.status, told.resolved) == ("resolved", ["Slow"])
    assert again.notifier.groups() == ()


async def test_after_a_long_stop_an_alert_gets_time_to_be_renewed(start_watch) -> None:
    watch = start_watch(CONFIG)
    watch.fire("Slow", service="api")
    await watch.after(10)
    watch.clock.advance(3600 * 0.9)
    again = start_watch(CONFIG, clock=watch.clock)
    assert await again.after(60) == []
    again.fire("Slow", service="api")
    assert await again.after(60) == []


async def test_a_kill_at_any_moment_brings_nothing_back(start_watch, monkeypatch) -> None:
    kept: list[State] = []
    monkeypatch.setattr(StateFile, "save", lambda _, state: kept.append(state))
    watch = start_watch(CONFIG)
    watch.fire("Slow", service="api")
    await watch.after(480)
    assert [told.status for told in watch.told] == ["firing", "resolved"]
    for state in kept:
        if any(entry.resolved for _, entry in state.log):
            monkeypatch.setattr(StateFile, "load", lambda _, state=state: state)
            again = start_watch(CONFIG, clock=watch.clock)
            assert await again.after(600) == []


async def test_a_disk_that_fails_keeps_nobody_from_being_told(start_watch, tmp_path) -> None:
    (tmp_path / "state").write_text("a file where the directory should be")
    watch = start_watch(CONFIG)
    watch.fire("Slow", service="api")
    assert len(await watch.after(10)) == 1
    with pytest.raises(StorageError, match="cannot be written"):
        watch.silence('alertname="Slow"', 600)


async def test_the_loop_tells_as_soon_as_it_is_time(start_watch) -> None:
    watch = start_watch(CONFIG.replace("group_wait: 10s", "group_wait: 0s"))
    running = asyncio.create_task(watch.notifier.run())
    try:
        await asyncio.to_thread(watch.fire, "Slow", service="api")
        with anyio.fail_after(5):
            while not watch.notifier.history():
                await anyio.lowlevel.checkpoint()
        assert watch.told[0].firing == ["Slow"]
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert watch.notifier.history()[0].summary == "firing: Slow"


async def test_a_restart_keeps_silences(start_watch) -> None:
    watch = start_watch(CONFIG)
    kept = watch.silence('alertname="Slow"', 600)
    again = start_watch(CONFIG, clock=watch.clock)
    assert [silence.id for silence in again.notifier.silences()] == [kept]
    again.fire("Slow", service="api")
    assert await again.after(60) == []


@pytest.mark.parametrize(("answer", "outcome"), [(200, "delivered"), (400, "failed")])
async def test_a_restart_keeps_what_was_delivered_and_what_failed(
    start_watch, answer: int, outcome: str
) -> None:
    watch = start_watch(CONFIG)
    watch.answer = answer
    watch.fire("Slow", service="api")
    await watch.after(10)
    [record] = watch.notifier.history()
    assert record.outcome == outcome
    again = start_watch(CONFIG, clock=watch.clock)
    assert again.notifier.history() == (record,)
    assert again.notifier.deliveries() == {}


async def test_damaged_state_is_set_aside_and_the_watch_goes_on(start_watch, tmp_path) -> None:
    watch = start_watch(CONFIG)
    watch.silence('alertname="Slow"', 600)
    (tmp_path / "state" / "notifier.json").write_bytes(b'{"version": 1, "silences": [{')
    again = start_watch(CONFIG, clock=watch.clock)
    assert again.notifier.silences() == ()
    assert (tmp_path / "state" / "notifier.damaged").exists()


INHIBITION = (
    CONFIG
    + """
inhibit_rules:
  - source_matchers: ['alertname="DatabaseDown"']
    target_matchers: ['severity="warning"']
    equal: [site]
"""
)


async def test_an_alert_that_another_explains_is_not_told(start_watch) -> None:
    watch = start_watch(INHIBITION)
    watch.fire("DatabaseDown", service="db", site="a")
    watch.fire("Slow", service="api", severity="warning", site="a")
    watch.fire("Slow", service="web", severity="warning", site="b")
    told = await watch.after(10)
    assert sorted(each.body["groupLabels"]["service"] for each in told) == ["db", "web"]


async def test_inhibition_ends_with_its_source(start_watch) -> None:
    watch = start_watch(INHIBITION)
    watch.fire("DatabaseDown", service="db")
    watch.fire("Slow", service="api", severity="warning")
    await watch.after(10)
    watch.resolve("DatabaseDown", service="db")
    told = await watch.after(120)
    assert [each.firing for each in told if each.status == "firing"] == [["Slow"]]


MUTED = (
    CONFIG.replace(
        "repeat_interval: 1h",
        "repeat_interval: 1h\n  routes: [{receiver: team, mute_time_intervals: [night]}]",
    )
    + """
time_intervals:
  - name: night
    time_intervals: [{times: [{start_time: "00:00", end_time: "06:00"}]}]
"""
)


async def test_a_muted_time_puts_off_what_is_to_be_told(start_watch) -> None:
    watch = start_watch(MUTED)
    watch.fire("Slow", service="api")
    for _ in range(6 * 20 - 1):
        assert await watch.after(180) == []
        watch.fire("Slow", service="api")
    [told] = await watch.after(300)
    assert told.firing == ["Slow"]


async def test_a_recovery_in_a_muted_time_is_told_after_it(start_watch) -> None:
    watch = start_watch(MUTED)
    watch.clock.advance(23 * 3600 + 59 * 60)
    watch.fire("Slow", service="api")
    assert len(await watch.after(30)) == 1
    watch.clock.advance(60)
    watch.resolve("Slow", service="api")
    assert await watch.after(5 * 3600) == []
    [told] = await watch.after(2 * 3600)
    assert told.status == "resolved"


async def test_who_wants_no_recovery_gets_none(start_watch) -> None:
    watch = start_watch(CONFIG.replace('/hook"}', '/hook", send_resolved: false}'))
    watch.fire("Slow", service="api")
    await watch.after(10)
    watch.resolve("Slow", service="api")
    assert await watch.after(600) == []
    watch.fire("Slow", service="api")
    assert len(await watch.after(10)) == 1


async def test_where_an_alert_would_go_can_be_asked(start_watch) -> None:
    assert start_watch(CONFIG).notifier.route({"alertname": "Slow"}) == ["team"]


async def test_a_silence_of_everything_is_refused(start_watch) -> None:
    with pytest.raises(ConfigError, match="empty string"):
        start_watch(CONFIG).silence('service=~".*"', 600)


async def test_the_configuration_is_shown_without_secrets(start_watch) -> None:
    shown = start_watch(CONFIG).notifier.status_yaml()
    assert "url: http://127.0.0.1:1/<secret>" in shown
    assert "hook" not in shown.replace("webhook_configs", "")
