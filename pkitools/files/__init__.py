"""Files: reading with caps, atomic writing with modes."""
