"""Records, errors and the registry: what travels between the stages."""
