"""Jaeger's sampling strategies: what its remote sampling answers to SDKs that ask.

Watchkeeper's own tracer decides by the contract and does not ask; services beside it may.
"""

from __future__ import annotations

from watchkeeper.contract import Contract
from watchkeeper.render.document import Document, json_document


def sampling(contract: Contract) -> Document:
    """Return the file that `remote_sampling.file.path` names."""
    strategy = {"type": "probabilistic", "param": contract.trace_sampling_ratio}
    return json_document(
        "jaeger/sampling.json",
        {
            "service_strategies": [{"service": contract.service, **strategy}],
            "default_strategy": strategy,
        },
    )
