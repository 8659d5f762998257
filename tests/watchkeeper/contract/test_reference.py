import pytest

from resume_optimizer.telemetry import CONTRACT
from watchkeeper.contract import load_contract
from watchkeeper.errors import ContractError


def test_a_contract_is_found_by_module_and_name():
    assert load_contract("resume_optimizer.telemetry:CONTRACT") is CONTRACT


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("resume_optimizer.telemetry", "write it as"),
        ("no_such_module:CONTRACT", "no module no_such_module"),
        ("resume_optimizer.telemetry:NOTHING", "no contract called NOTHING"),
        ("resume_optimizer.telemetry:SUCCESS_RATE", "no contract called SUCCESS_RATE"),
    ],
)
def test_what_is_not_there_is_named(reference, message):
    with pytest.raises(ContractError, match=message):
        load_contract(reference)
