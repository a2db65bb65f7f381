"""``python -m tonotopy`` is the command line."""

from __future__ import annotations

from tonotopy.cli import main

if __name__ == "__main__":
    main(prog_name="tonotopy")
