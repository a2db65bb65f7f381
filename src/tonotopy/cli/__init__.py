"""The command line: one thin file a verb, no logic.

Conventions
-----------
Results go to stdout, everything else (progress, remarks, errors) to stderr; ``--json`` prints exactly one
JSON document. A user's mistake is one line. Verbs are imported when they are asked for, so that
``tonotopy --help`` loads nothing heavy.

=====  ====================================================================================
exit   meaning
=====  ====================================================================================
0      done
1      done, and a measurement says no: a phantom does not read what it must
2      a user's mistake, or something that the machine refuses (no such file, disk full)
3      a fault of tonotopy itself; ``TONOTOPY_DEBUG=1`` shows where
130    interrupted
141    whoever read the output went away
=====  ====================================================================================
"""

from __future__ import annotations

import click

from tonotopy.cli._door import Door
from tonotopy.cli._options import examples

#: Verbs in the order of the help: measure first, then look.
VERBS = (
    "demo",
    "study",
    "calibrate",
    "anatomy",
    "encoders",
    "music",
    "train",
    "fetch",
    "convert",
    "show",
    "compare",
    "figure",
    "report",
)


@click.group(
    "tonotopy",
    cls=Door,
    verbs=VERBS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples(
        "tonotopy demo                                     a small study, from sound to report",
        "tonotopy study ENCODER --music folder:MUSIC       a verdict for each site and frequency",
        "tonotopy show RUN                                 read it again",
        "tonotopy VERB --help                              which question it answers, with examples",
    ),
)
@click.version_option(package_name="tonotopy", message="%(prog)s %(version)s")
def main() -> None:
    """Do partials become stable features inside neural audio models?"""
