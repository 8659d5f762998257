"""Go templates, as the annotations of rules and the texts of notifications use them."""
