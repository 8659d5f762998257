"""Large language models behind one Protocol: OpenAI-compatible, Anthropic, and offline."""
