"""ERB-rate scale, notch, gammatone, levels, additive synthesis: pure functions on arrays."""
