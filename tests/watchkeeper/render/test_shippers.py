"""Filebeat, Logstash, the Collector, Kibana and Jaeger are told the same names."""

import json

import yaml

from resume_optimizer.telemetry import CONTRACT
from watchkeeper.render import elasticsearch, jaeger, kibana, shippers


def texts():
    return {str(document.path): document.text for document in shippers.documents(CONTRACT)}


def test_filebeat_writes_to_the_data_stream_and_leaves_the_template_alone():
    config = yaml.safe_load(texts()["filebeat/filebeat.yml"])
    assert config["output.elasticsearch"]["index"] == elasticsearch.data_stream(CONTRACT)
    assert config["setup.template.enabled"] is False
    [source] = config["filebeat.inputs"]
    assert source["parsers"][-1]["ndjson"]["target"] == ""


def test_logstash_writes_to_the_data_stream():
    text = texts()["logstash/pipeline/resume-optimizer.conf"]
    assert 'data_stream_dataset => "resume_optimizer"' in text
    assert text.replace("^\\{", "").count("{") == text.count("}")


def test_the_collector_uses_all_that_it_configures_and_no_more():
    config = yaml.safe_load(texts()["collector/collector.yml"])
    for kind in ("receivers", "processors", "exporters"):
        used = {name for one in config["service"]["pipelines"].values() for name in one[kind]}
        assert used == set(config[kind])
    assert config["service"]["extensions"] == list(config["extensions"])
    assert set(config["service"]["pipelines"]) == {"traces", "logs", "metrics"}


def test_no_secret_is_written_but_the_name_of_its_variable():
    for text in texts().values():
        for line in text.splitlines():
            if "password" in line.lower() or "authorization" in line.lower():
                assert "${" in line


def test_kibana_has_a_view_of_the_data_stream_and_a_search_for_every_event():
    lines = kibana.saved_objects(CONTRACT).text.splitlines()
    objects = [json.loads(line) for line in lines]
    [view] = [one for one in objects if one["type"] == "index-pattern"]
    assert elasticsearch.data_stream(CONTRACT).startswith(
        view["attributes"]["title"].removesuffix("*")
    )
    searches = [one for one in objects if one["type"] == "search"]
    known = {*elasticsearch.properties(CONTRACT), "exception.type"}
    for search in searches:
        assert [reference["id"] for reference in search["references"]] == [view["id"]]
        assert set(search["attributes"]["columns"]) <= known
    assert len(searches) == len(CONTRACT.signals.events) + 2
    assert len({one["id"] for one in objects}) == len(objects)


def test_jaeger_samples_as_the_contract_says():
    strategies = json.loads(jaeger.sampling(CONTRACT).text)
    [own] = strategies["service_strategies"]
    assert own["service"] == CONTRACT.service
    assert own["param"] == CONTRACT.trace_sampling_ratio
