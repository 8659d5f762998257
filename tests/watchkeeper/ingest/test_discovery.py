"""Targets from files come and go with the files."""

import json

import pytest

from watchkeeper.ingest.discovery import Discovery


@pytest.fixture
def discovery(configured):
    config = configured("file_sd_configs: [{files: ['targets/*.json', targets/*.yml]}]")
    return Discovery(config.scrape_configs[0], source=config.source)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "targets"
    made.mkdir()
    return made


def urls(discovery):
    return [target.url for target in discovery.targets()[0]]


def test_targets_come_from_json_and_yaml_files_with_their_labels(discovery, folder):
    (folder / "a.json").write_text(json.dumps([{"targets": ["one:1"], "labels": {"x": "1"}}]))
    (folder / "b.yml").write_text("- targets: ['two:2']\n")
    first, second = discovery.targets()[0]
    assert dict(first.labels) == {"instance": "one:1", "job": "api", "x": "1"}
    assert dict(first.discovered_labels)["__meta_filepath"] == str(folder / "a.json")
    assert second.url == "http://two:2/metrics"


def test_a_changed_file_changes_the_fingerprint(discovery, folder):
    before = discovery.fingerprint()
    (folder / "a.json").write_text("[]")
    assert discovery.fingerprint() != before
    assert discovery.fingerprint() == discovery.fingerprint()


def test_a_file_that_breaks_keeps_its_targets_and_says_so(discovery, folder):
    path = folder / "a.json"
    path.write_text('[{"targets": ["one:1"]}]')
    assert urls(discovery) == ["http://one:1/metrics"]
    path.write_text('[{"targts": ["one:1"]}]')
    targets, problems = discovery.targets()
    assert [target.url for target in targets] == ["http://one:1/metrics"]
    assert "targts" in problems[0]
    path.unlink()
    assert urls(discovery) == []
