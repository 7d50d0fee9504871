"""Parameters, MACs and other operations, by our rule and by other tools'."""
