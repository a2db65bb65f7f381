"""Interventions: change what is at a site, and see what becomes of sound, outputs and later sites (SPEC § 7).

In the order data flow::

    direction     what is read off a site, and what moving along it adds; random directions alike
    controls      a direction beside those that should do nothing
    actions       steer, turn, ablate, substitute: changes for `Encoder.changed`
    altered       an encoder with a change built in
    decoder       from sounds, through a change, to the latent and to sound
    doses         what a curve of effect over dose says
    pairs         pieces of music without a target and with it
    sound_change  what changed between two decoded sounds
    quality       spectral distance of many sounds from a few
    steering      doses, decoded and analysed again; sufficiency, necessity
    outputs       the same on a head's outputs
    reuse         what later sites lose when a direction is projected out
    composition   whether pitches and chords lose what partial directions lose
    listening     sounds of a chosen set, equally loud
    rows          the same as columns of tables
    pieces        means and intervals over pieces, p
    null          the own direction beside random ones
    output_rows   steering of outputs as columns of tables
    pieces        means and intervals over pieces, p against random directions
"""

from tonotopy.interventions.actions import ablate as ablate
from tonotopy.interventions.actions import steer as steer
from tonotopy.interventions.actions import substitute as substitute
from tonotopy.interventions.actions import turn as turn
from tonotopy.interventions.altered import Altered as Altered
from tonotopy.interventions.composition import composition as composition
from tonotopy.interventions.composition import harmonics_hz as harmonics_hz
from tonotopy.interventions.composition import partial_directions as partial_directions
from tonotopy.interventions.controls import with_controls as with_controls
from tonotopy.interventions.direction import Direction as Direction
from tonotopy.interventions.direction import of_readout as of_readout
from tonotopy.interventions.direction import random_like as random_like
from tonotopy.interventions.direction import stacked as stacked
from tonotopy.interventions.listening import Listening as Listening
from tonotopy.interventions.listening import matched as matched
from tonotopy.interventions.listening import steered_sounds as steered_sounds
from tonotopy.interventions.output_rows import output_rows as output_rows
from tonotopy.interventions.outputs import OutputSteering as OutputSteering
from tonotopy.interventions.outputs import output_steering as output_steering
from tonotopy.interventions.pairs import Pairs as Pairs
from tonotopy.interventions.pairs import pairs as pairs
from tonotopy.interventions.reuse import Reuse as Reuse
from tonotopy.interventions.reuse import reuse as reuse
from tonotopy.interventions.rows import reuse_rows as reuse_rows
from tonotopy.interventions.rows import steering_rows as steering_rows
from tonotopy.interventions.steering import Steering as Steering
from tonotopy.interventions.steering import steering as steering
