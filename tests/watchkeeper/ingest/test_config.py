"""prometheus.yml: what is supported is read, everything else is refused by name."""

import pytest

from watchkeeper.errors import ConfigError
from watchkeeper.ingest import load_config


@pytest.fixture
def read(tmp_path):
    def load(text):
        path = tmp_path / "prometheus.yml"
        path.write_text(text)
        return load_config(path)

    return load


def test_jobs_get_what_the_global_section_says(read):
    config = read(
        """
        global:
          scrape_interval: 15s
          scrape_timeout: 10s
          evaluation_interval: 1m
          body_size_limit: 10MB
          sample_limit: 500
          external_labels: {site: here}
        scrape_configs:
        - job_name: api
          static_configs: [{targets: ["127.0.0.1:8000"], labels: {service: resume}}]
        - job_name: own
          scrape_interval: 5s
          sample_limit: 7
        """
    )
    api, own = config.scrape_configs
    assert (api.scrape_interval, api.scrape_timeout) == (15.0, 10.0)
    assert (api.body_size_limit, api.sample_limit) == (10 * 1024**2, 500)
    assert (own.scrape_interval, own.scrape_timeout, own.sample_limit) == (5.0, 5.0, 7)
    assert config.global_.evaluation_interval == 60.0
    assert config.global_.external_labels == {"site": "here"}


def test_an_empty_file_has_prometheus_defaults(read):
    config = read("")
    assert config.scrape_configs == ()
    assert (config.global_.scrape_interval, config.global_.scrape_timeout) == (60.0, 10.0)


def test_paths_belong_to_the_files_directory(read, tmp_path):
    (tmp_path / "rules").mkdir()
    for name in ("b.yml", "a.yml", "c.txt"):
        (tmp_path / "rules" / name).touch()
    config = read(
        """
        rule_files: [rules/*.yml, rules/a.yml]
        scrape_configs:
        - job_name: api
          authorization: {credentials_file: token}
          file_sd_configs: [{files: [targets/*.json]}]
        """
    )
    assert config.rule_paths() == (tmp_path / "rules/a.yml", tmp_path / "rules/b.yml")
    (job,) = config.scrape_configs
    assert job.authorization.credentials_file == str(tmp_path / "token")
    assert job.file_sd_configs[0].files == (str(tmp_path / "targets/*.json"),)


def test_secrets_are_not_shown(read):
    config = read("scrape_configs: [{job_name: a, basic_auth: {username: u, password: hunter2}}]")
    assert "hunter2" not in repr(config)


@pytest.mark.parametrize(
    ("text", "named", "place"),
    [
        ("remote_write: []", "remote_write", ""),
        ("scrape_configs: [{job_name: a, consul_sd_configs: []}]", "consul_sd_configs", "[0]"),
        ("scrape_configs: [{job_name: a, oauth2: {}}]", "oauth2", "[0]"),
        ("scrape_configs: [{job_name: a, scrape_protocols: [Protobuf]}]", "Protobuf", "[0]"),
        ("scrape_configs: [{job_name: a, scrape_protocols: []}]", "is empty", "[0]"),
        (
            "scrape_configs: [{job_name: a, dns_sd_configs: [{names: [x], type: A}]}]",
            "A records need a port",
            "[0]",
        ),
        (
            "scrape_configs: [{job_name: a, http_sd_configs: [{url: 'file:///x'}]}]",
            "no http address",
            "[0]",
        ),
        (
            "scrape_configs: [{job_name: a, http_headers: {Host: {values: [b]}}}]",
            "may not set Host",
            "[0]",
        ),
        ("scrape_configs: [{job_name: a, scrape_interval: 5x}]", "5x", "[0].scrape_interval"),
        ("scrape_configs: [{job_name: a, body_size_limit: much}]", "much", "body_size_limit"),
        ("scrape_configs: [{job_name: a, scrape_timeout: 2m}]", "longer than", "[0]"),
        ("scrape_configs: [{job_name: a, scrape_interval: 0s}]", "above zero", "[0]"),
        ("scrape_configs: [{job_name: a}, {job_name: a}]", "twice", "[1]"),
        ("scrape_configs: [{job_name: ''}]", "job_name", "[0]"),
        (
            "scrape_configs: [{job_name: a, relabel_configs: [{target_label: x, regex: '('}]}]",
            "error parsing regexp",
            "relabel_configs[0]",
        ),
        (
            "scrape_configs: [{job_name: a, metric_relabel_configs: [{action: hashmod}]}]",
            "target_label",
            "metric_relabel_configs[0]",
        ),
        (
            "scrape_configs: [{job_name: a, basic_auth: {}, authorization: {}}]",
            "not both",
            "[0]",
        ),
    ],
)
def test_what_cannot_be_done_is_an_error_that_names_it_and_its_place(read, text, named, place):
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert named in str(caught.value)
    assert place in caught.value.path
    assert caught.value.source.endswith("prometheus.yml")
