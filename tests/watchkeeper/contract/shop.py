"""A shop's contract with one of each kind of objective; its rules are kept in golden/."""

from watchkeeper.contract import (
    SLO,
    Contract,
    CostBudget,
    Counter,
    Events,
    Histogram,
    Label,
    Latency,
    Ratio,
    Signals,
)

ORDERS = Counter(
    name="orders_total",
    help="Orders by how they ended.",
    labels=(Label("outcome", values=("paid", "declined", "failed")),),
)
CHECKOUT = Histogram(
    name="checkout_duration_seconds", help="Time to check out.", buckets=(0.1, 0.5, 1.0, 2.5)
)
COST = Counter(
    name="model_cost_usd_total",
    help="Cost of models.",
    labels=(Label("feature", values=("search", "chat")),),
)
ORDERS_SLO = SLO(
    name="orders",
    description="An order does not fail.",
    objective=0.99,
    indicator=Ratio(total=Events(ORDERS), bad=Events(ORDERS, ('outcome="failed"',))),
)
LATENCY_SLO = SLO(
    name="checkout-latency",
    description="A checkout takes no longer than a second.",
    objective=0.95,
    indicator=Latency(histogram=CHECKOUT, threshold_seconds=1),
)
BUDGET = CostBudget(
    name="models-daily",
    description="language models by feature",
    cost=Events(COST),
    amount=12,
    by=("feature",),
)
SHOP = Contract(
    service="shop",
    version="1.0.0",
    signals=Signals(metrics=(ORDERS, CHECKOUT, COST)),
    slos=(ORDERS_SLO, LATENCY_SLO),
    budgets=(BUDGET,),
)
