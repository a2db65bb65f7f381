"""Phantoms: encoders built by hand, whose right answer is known (SPEC § 8), one family a file.

A phantom file declares ``NAMES``, ``CITATION``, ``LICENCE``, ``EXPECTED`` (what each must read) and
``open_encoder(name, *, seed, sample_rate_hz)``.
"""
