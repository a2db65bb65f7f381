"""From a source to a pool of music: which pieces a study hears, and what was left out and why.

Pieces are drawn with the seed where a source has more than are asked for. A clip that turns out short,
silent or damaged goes to the ledger and another piece takes its place: one bad file among many stops nothing.
"""

from __future__ import annotations

import hashlib

import numpy as np

from tonotopy.core.errors import InputError, RunError, TonotopyError
from tonotopy.sound.music import EXCERPT_S, LEVEL_SEGMENT_S, SILENT_DBFS, MusicPool, Piece
from tonotopy.sound.sources._contract import Clip, Skipped, Source

#: At least this share of an excerpt's one-second segments must sound.
SOUNDING_SHARE = 0.5


def choose(
    source: Source, n_pieces: int, shortest_s: float, sample_rate_hz: int, *, seed: int
) -> tuple[list[Clip], MusicPool, list[Skipped]]:
    """One clip of each of at most ``n_pieces`` pieces, their excerpts, and what was skipped.

    Parameters
    ----------
    shortest_s : clips shorter than this cannot hold a trial
    seed : of the draw where there are more pieces
    """
    by_piece: dict[str, list[Clip]] = {}
    skipped: list[Skipped] = []
    for clip in source.clips():
        if clip.duration_s < shortest_s:
            reason = f"{clip.duration_s:.2f} s long, shorter than the {shortest_s:.2f} s needed"
            skipped.append(Skipped(clip.name, reason))
        else:
            by_piece.setdefault(clip.piece, []).append(clip)
    names = sorted(by_piece)
    if len(names) > n_pieces:
        names = np.random.default_rng([seed, 7]).permutation(names).tolist()
    found: dict[str, tuple[Clip, Piece]] = {}
    for name in names:
        if len(found) == n_pieces:
            break
        for clip in by_piece[name]:
            try:
                found[name] = clip, excerpt(source, clip, sample_rate_hz)
                break
            except TonotopyError as error:
                skipped.append(Skipped(clip.name, str(error)))
    kept = [found[name] for name in sorted(found)]
    pool = MusicPool(sample_rate_hz, tuple(piece for _, piece in kept))
    ledger = {entry.name: entry for entry in [*source.ledger(), *skipped]}
    return [clip for clip, _ in kept], pool, list(ledger.values())


def excerpt(source: Source, clip: Clip, sample_rate_hz: int) -> Piece:
    """The excerpt from the middle of a clip, mono.

    Raises
    ------
    InputError
        It cannot be read, is not finite, or is mostly silent.
    """
    start = max(0.0, (clip.duration_s - EXCERPT_S) / 2)
    audio = source.read(clip, sample_rate_hz, start_s=start, duration_s=min(EXCERPT_S, clip.duration_s))[0]
    if not np.isfinite(audio).all():
        raise InputError("finite samples", f"NaN or inf in {clip.name!r}", "a damaged recording")
    n = int(LEVEL_SEGMENT_S * sample_rate_hz)
    power = np.mean(audio[: len(audio) // n * n].reshape(-1, n).astype(np.float64) ** 2, axis=1)
    sounding = np.mean(10 * np.log10(power + 1e-30) > SILENT_DBFS)
    if sounding < SOUNDING_SHARE:
        came = f"silence in {1 - sounding:.0%} of the middle of {clip.name!r}"
        raise InputError("music that sounds", came, "long rests, or an empty recording")
    return Piece(clip.piece, clip.title, clip.artist, clip.licence, clip.group, audio)


def fingerprint(pool: MusicPool) -> str:
    """Hash of the samples of a pool."""
    digest = hashlib.sha256()
    for piece in pool.pieces:
        digest.update(np.ascontiguousarray(piece.audio).tobytes())
    return f"sha256:{digest.hexdigest()}"


def read_again(source: Source, clips: list[Clip], sample_rate_hz: int, *, expected: str) -> MusicPool:
    """The pool of clips that another process chose; the source is not gone through again.

    Raises
    ------
    RunError
        The recordings have changed since.
    """
    pool = MusicPool(sample_rate_hz, tuple(excerpt(source, clip, sample_rate_hz) for clip in clips))
    if fingerprint(pool) != expected:
        cause = "recordings changed while the study ran"
        raise RunError("the same music in every process", "other samples", cause)
    return pool
