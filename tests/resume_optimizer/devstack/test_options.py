import pytest

from resume_optimizer.devstack.options import OptionError, Options, options


def test_without_any_setting_the_defaults_hold():
    assert options({}) == Options()


def test_every_port_has_a_variable_of_its_name():
    assert options({"API_PORT": "18000"}).ports.api_port == 18000
    assert options({"DATABASE_PORT": "15432"}).ports.database_port == 15432


def test_traffic_a_fault_and_a_load_balancer_can_be_asked_for():
    chosen = options({"TRAFFIC": "20", "FAULT": "llm-errors", "LB": "1"})
    assert (chosen.traffic, chosen.fault, chosen.load_balancer) == (20, "llm-errors", True)


def test_an_unknown_fault_is_answered_with_the_known_ones():
    with pytest.raises(OptionError, match="FAULT=fire is not known; use one of database-down"):
        options({"FAULT": "fire"})


@pytest.mark.parametrize("text", ["many", "-1", "inf", "nan"])
def test_what_is_not_a_number_names_its_variable(text):
    with pytest.raises(OptionError, match="TRAFFIC"):
        options({"TRAFFIC": text})
