"""How results look as text, one module per result; found by name in the command registry."""
