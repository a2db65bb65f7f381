"""Structures whose stability is asked about, one file each: partials (then pitches and chords)."""
