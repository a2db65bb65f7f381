"""Features (SPEC § 5): functions from a frame's units to a number each, whatever they were found by."""
