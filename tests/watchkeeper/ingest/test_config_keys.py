"""Every key that Prometheus documents is done, or refused by its name; promtool comes to the
same verdict on what is written into them."""

import subprocess

import pytest
import yaml

from watchkeeper.errors import ConfigError
from watchkeeper.ingest import load_config

DONE = {
    "": "global rule_files scrape_configs alerting",
    "global": (
        "scrape_interval scrape_timeout scrape_protocols evaluation_interval external_labels"
        " body_size_limit sample_limit label_limit label_name_length_limit target_limit"
        " label_value_length_limit metric_name_validation_scheme metric_name_escaping_scheme"
        " scrape_native_histograms always_scrape_classic_histograms extra_scrape_metrics"
    ),
    "job": (
        "job_name scrape_interval scrape_timeout scrape_protocols fallback_scrape_protocol"
        " scrape_native_histograms always_scrape_classic_histograms metrics_path honor_labels"
        " honor_timestamps track_timestamps_staleness scheme params enable_compression"
        " body_size_limit sample_limit label_limit label_name_length_limit target_limit"
        " label_value_length_limit metric_name_validation_scheme metric_name_escaping_scheme"
        " extra_scrape_metrics native_histogram_bucket_limit native_histogram_min_bucket_factor"
        " static_configs file_sd_configs dns_sd_configs http_sd_configs relabel_configs"
        " metric_relabel_configs basic_auth authorization tls_config follow_redirects"
        " enable_http2 proxy_url http_headers"
    ),
    "tls_config": (
        "ca_file cert_file key_file server_name insecure_skip_verify min_version max_version"
    ),
    "basic_auth": "username password password_file",
    "authorization": "type credentials credentials_file",
    "relabel_configs": "source_labels separator target_label regex modulus replacement action",
    "static_configs": "targets labels",
    "file_sd_configs": "files refresh_interval",
    "dns_sd_configs": "names type port refresh_interval",
    "http_sd_configs": (
        "url refresh_interval basic_auth authorization tls_config follow_redirects enable_http2"
        " proxy_url http_headers"
    ),
    "alerting": "alertmanagers",
}
NOT_DONE = {
    "": "scrape_config_files remote_write remote_read otlp storage tracing runtime",
    "global": (
        "rule_query_offset query_log_file scrape_failure_log_file keep_dropped_targets"
        " convert_classic_histograms_to_nhcb"
    ),
    "job": (
        "convert_classic_histograms_to_nhcb scrape_failure_log_file keep_dropped_targets oauth2"
        " no_proxy proxy_from_environment proxy_connect_header bearer_token bearer_token_file"
        " azure_sd_configs aws_sd_configs consul_sd_configs digitalocean_sd_configs"
        " docker_sd_configs dockerswarm_sd_configs ec2_sd_configs eureka_sd_configs"
        " gce_sd_configs hetzner_sd_configs ionos_sd_configs kubernetes_sd_configs"
        " kuma_sd_configs lightsail_sd_configs linode_sd_configs marathon_sd_configs"
        " nerve_sd_configs nomad_sd_configs openstack_sd_configs ovhcloud_sd_configs"
        " puppetdb_sd_configs scaleway_sd_configs serverset_sd_configs stackit_sd_configs"
        " triton_sd_configs uyuni_sd_configs vultr_sd_configs"
    ),
    "tls_config": "ca cert key ca_ref cert_ref key_ref",
    "basic_auth": "username_file username_ref password_ref",
    "authorization": "credentials_ref",
    "http_sd_configs": "oauth2 no_proxy proxy_from_environment proxy_connect_header",
    "alerting": "alert_relabel_configs",
}
"""Source: prometheus.io, "Configuration"."""

LISTS = {name for name in DONE if name.endswith("_configs")}
NEEDED = {
    "file_sd_configs": {"files": ["a.json"]},
    "dns_sd_configs": {"names": ["a"]},
    "http_sd_configs": {"url": "http://a"},
}


def document(section, key, value):
    """A file that says `key: value` in a section, and what else must be there."""
    if section == "":
        return {key: value}
    if section in ("global", "alerting"):
        return {section: {key: value}}
    content = {**NEEDED.get(section, {}), key: value}
    if section in LISTS:
        content = [content]
    job = {"job_name": "a"} | ({key: value} if section == "job" else {section: content})
    return {"scrape_configs": [job]}


def cases(of):
    return [(section, key) for section, keys in of.items() for key in keys.split()]


@pytest.fixture
def read(tmp_path):
    def load(content):
        path = tmp_path / "prometheus.yml"
        path.write_text(yaml.safe_dump(content))
        return load_config(path)

    return load


@pytest.mark.parametrize(("section", "key"), cases(DONE))
def test_a_key_that_is_done_is_looked_at(read, section, key):
    with pytest.raises(ConfigError) as caught:
        read(document(section, key, [[["nonsense"]]]))
    assert "unknown field" not in str(caught.value)
    assert key in caught.value.path or key in str(caught.value)


@pytest.mark.parametrize(("section", "key"), cases(NOT_DONE))
def test_a_key_that_is_not_done_is_refused_by_its_name(read, section, key):
    with pytest.raises(ConfigError, match=f"unknown field `{key}`"):
        read(document(section, key, {}))


JOBS = """
sample_limit: 5
sample_limit: -1
label_limit: -2
body_size_limit: 10mb
body_size_limit: 1.5GB
body_size_limit: 100
scrape_interval: 1d12h
scrape_interval: 1h1d
scrape_interval: '60'
scrape_timeout: 61s
honor_labels: 'yes'
params: {a: [b]}
params: {a: b}
http_sd_configs: [{url: 'http://x'}]
http_sd_configs: [{url: ''}]
http_sd_configs: [{url: 'ftp://x'}]
dns_sd_configs: [{names: []}]
dns_sd_configs: [{names: [x]}]
dns_sd_configs: [{names: [x], type: A}]
dns_sd_configs: [{names: [x], type: A, port: 80}]
dns_sd_configs: [{names: [x], type: TXT}]
file_sd_configs: [{files: []}]
file_sd_configs: [{files: [x.txt]}]
file_sd_configs: [{files: ['*/x.json']}]
file_sd_configs: [{files: ['x*.json', y.yml, z.yaml]}]
static_configs: [{targets: ['a:1'], labels: {b: c}}]
static_configs: [{targets: ['http://a:1']}]
static_configs: [{targets: ['a:1/x']}]
static_configs: [{targets: ['']}]
static_configs: [null]
basic_auth: {username: a, password: b, password_file: c}
basic_auth: {password: b}
authorization: {credentials: b, credentials_file: c}
authorization: {type: Basic, credentials: c}
authorization: {}
tls_config: {key_file: /dev/null}
tls_config: {cert_file: /dev/null}
relabel_configs: [{action: labelmap, target_label: x}]
relabel_configs: [{action: labeldrop, regex: x}]
relabel_configs: [{action: labeldrop, target_label: x}]
relabel_configs: [{action: labelkeep, source_labels: [x]}]
relabel_configs: [{action: lowercase, source_labels: [x]}]
relabel_configs: [{action: uppercase, target_label: x, replacement: b}]
relabel_configs: [{action: uppercase, target_label: x, regex: b}]
relabel_configs: [{action: dropequal, source_labels: [x], target_label: y, replacement: z}]
relabel_configs: [{action: dropequal, source_labels: [x], target_label: y}]
relabel_configs: [{action: hashmod, source_labels: [x], target_label: y}]
relabel_configs: [{action: hashmod, source_labels: [x], target_label: y, modulus: 2}]
relabel_configs: [{action: replace, source_labels: [x], target_label: '${1}'}]
relabel_configs: [{action: replace, source_labels: [x], target_label: '${1}-x'}]
relabel_configs: [{action: nothing}]
relabel_configs: [{target_label: x, regex: '('}]
relabel_configs: [{target_label: x, regex: '(?!a)'}]
relabel_configs: [null]
""".strip().splitlines()
FILES = """
global: {scrape_interval: 5s, scrape_timeout: 10s}
global: {scrape_interval: 5s}
global: {scrape_interval: 1m, scrape_timeout: 1m}
alerting: {zzz: 1}
alerting: {alertmanagers: [{static_configs: [{targets: ['a:9093']}]}]}
rule_files: ['rules/*/a.yml']
rule_files: ['rules/a*.yml']
scrape_configs: [{job_name: a}, {job_name: a}]
scrape_configs: [{}]
""".strip().splitlines()


@pytest.mark.parametrize(
    "text", [*(f"scrape_configs: [{{job_name: a, {job}}}]" for job in JOBS), *FILES]
)
def test_promtool_comes_to_the_same_verdict(program, tmp_path, text):
    path = tmp_path / "prometheus.yml"
    path.write_text(text)
    ran = subprocess.run(
        [program("promtool"), "check", "config", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        load_config(path)
        refusal = ""
    except ConfigError as error:
        refusal = str(error)
    assert (refusal == "") == (ran.returncode == 0), refusal or ran.stdout + ran.stderr
