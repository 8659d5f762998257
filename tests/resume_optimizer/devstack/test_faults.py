from resume_optimizer.devstack.faults import FaultPlan
from resume_optimizer.devstack.options import Options


class Recorded:
    """A fault that writes down what is done with it."""

    def __init__(self):
        self.done = []

    def put_in(self):
        self.done.append("in")

    def take_out(self):
        self.done.append("out")


def test_a_fault_goes_in_once_and_comes_out_once():
    options = Options(fault="llm-slow", fault_after_seconds=60, fault_for_seconds=120)
    fault, said = Recorded(), []
    plan = FaultPlan(options, fault, said.append, started_at=1000)

    done = []
    for now in (1059, 1060, 1100, 1179, 1180, 1300):
        plan.advance(now)
        done.append("".join(fault.done))

    assert done == ["", "in", "in", "in", "inout", "inout"]
    assert said == ["fault  llm-slow is put in", "fault  llm-slow is taken out"]
