"""How the note data of the source ``scores`` are made: melodies, harmony by rule, JSON."""
