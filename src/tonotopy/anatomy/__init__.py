"""What an architecture can express: views, limits, first filters, alias classes.

In the order in which they are put together:

- ``limits``, ``resolvable``: what a view and a hop rule out, before any weight
- ``operators``, ``measured``, ``layers``: the table of sites, predicted and measured
- ``response``, ``passband``, ``order``, ``folding``, ``first_layer``: the first convolution, from its weights
- ``alias_pairs``, ``answers``, ``aliases``: what strides fold together, predicted and observed
- ``ambiguity``: how far a fragment of sound decides the spectrum around it, from audio alone
- ``linear_ceiling``: what filters of the first layer's length could report of music, in closed form
- ``record``, ``render``: the whole, as a record and on a terminal
"""

from tonotopy.anatomy.record import Anatomy as Anatomy
from tonotopy.anatomy.record import anatomy_of as anatomy_of
from tonotopy.anatomy.resolvable import resolvable as resolvable
