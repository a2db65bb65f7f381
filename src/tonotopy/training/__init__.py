"""Models trained here, each by one recipe, and the loop that all of them share: exact resume, snapshots, metrics."""

from tonotopy.training.recipes import train

__all__ = ["train"]
