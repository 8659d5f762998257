"""Recording and alerting rules over a querier."""
