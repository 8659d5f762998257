"""PromQL: text and arrays in, arrays out."""
