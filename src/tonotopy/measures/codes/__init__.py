"""Measures on a discretised latent (SPEC § 6): what codes are, and what they know of partials.

On natural sound, one piece at a time, in bounded memory, parts computed apart merge::

    usage         which codes come, how often, and what earlier stages tell of them
    peaks         information between a code and whether a band carries a partial
    spectra       the mean spectrum of the frames of each code
    rsa           whether codes that lie near in the codebook lie near in spectrum

On trials::

    present       information between a code and whether a partial was added; AUC on held-out pieces
    agreement     whether the same partial changes codes to the same code
    flip          the lowest level of a partial that changes the code

With a decoder::

    substitution  one code swapped for another, decoded and analysed again

Conventions: codes are whole numbers, ``[frame, stage]`` or ``[trial, frame, stage]``; information is in bits; every
estimate stands beside the same estimate on codes that keep all but what is asked for.
"""
