"""Music sources, context families, structures, and the trials made of them."""
