"""Dictionaries: sparse autoencoders trained from streams of activations.

The map, in the order data flow:

- ``conditioning``: centre and one global scale; dead, saturated and outlier units, reported before training
- ``reservoir``: shuffled batches from a stream, in bounded memory
- ``parameters``: what every variant trains; ``sparse``: the products of which only active latents are computed
- ``relu_l1``, ``topk``, ``batch_topk``, ``jumprelu``, ``matryoshka``: the mathematics of each variant
- ``revival``: dead latents, and what brings them back
- ``training``: the loop, with exact resume; ``trained``: the dictionary that comes out
- ``consistency``: what recurs over seeds
- ``saelens``, ``dictionary_learning``: checkpoints in the formats of other libraries
"""
