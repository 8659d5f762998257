import pytest

from watchkeeper.contract import Label
from watchkeeper.errors import ContractError


def test_a_closed_label_can_take_its_values_and_other():
    assert Label("status", values=("completed", "failed")).most_values == 3


def test_an_open_label_can_take_its_limit_and_other():
    assert Label("endpoint", limit=10).most_values == 11


@pytest.mark.parametrize("name", ["", "1st", "with-dash", "__name__", "a b"])
def test_a_name_that_prometheus_would_refuse_is_refused(name):
    with pytest.raises(ContractError, match="name is letters"):
        Label(name)


def test_values_and_a_pattern_together_are_refused():
    with pytest.raises(ContractError, match="not both"):
        Label("status", values=("a",), pattern="b")


def test_a_value_listed_twice_is_refused():
    with pytest.raises(ContractError, match="twice"):
        Label("status", values=("a", "a"))


def test_a_label_needs_room_for_one_value():
    with pytest.raises(ContractError, match="at least 1"):
        Label("status", limit=0)
