"""Figures of a sound, one file each: found by listing this folder, drawn by `tonotopy.views.clips.front`.

In the order in which they build on one another: ``_sound`` (the stretch that is shown), ``_spectrogram``,
``_features`` and ``_prose`` (what is computed of it), ``_contract`` (what a figure offers), ``_audio`` and ``_page``
(the interactive page), then the figures.
"""
