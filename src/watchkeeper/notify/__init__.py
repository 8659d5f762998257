"""Routes, groups, inhibition, silences and receivers: the Alertmanager half."""
