"""Figures, one file each; the registry finds them by listing this folder.

`_contract` says what a figure offers. A figure's name is what ``tonotopy figure NAME`` takes.
"""
