"""The shapes of EnCodec's models, by name; the bit rates and weights that fit them."""

from __future__ import annotations

from dataclasses import replace

from tonotopy.core.errors import InputError, WeightsError
from tonotopy.encoders._seanet import Config

CONFIGS = {
    "encodec-24khz": Config(),
    "encodec-48khz": Config(
        sampling_rate=48_000,
        audio_channels=2,
        normalize=True,
        norm_type="time_group_norm",
        use_causal_conv=False,
        target_bandwidths=(3.0, 6.0, 12.0, 24.0),
        chunk_length_s=1.0,
        overlap=0.01,
    ),
}
CONFIGS["encodec-toy"] = replace(
    CONFIGS["encodec-24khz"],
    num_filters=8,
    hidden_size=64,
    num_lstm_layers=1,
    codebook_size=256,
    target_bandwidths=(1.2, 2.4, 4.8, 9.6, 19.2),
)
BANDWIDTH_KBPS = 6.0
"""Bit rate whose codebooks ``codes`` sums, where none is named: 8 stages at 24 kHz, 4 at 48 kHz."""


def bandwidth(name: str, config: Config, asked: float | None) -> float:
    """A bit rate of the model in kb/s: the one asked for, or the usual one.

    Raises
    ------
    InputError
        The model has no such bit rate.
    """
    legal = config.target_bandwidths
    if asked is None:
        return BANDWIDTH_KBPS if BANDWIDTH_KBPS in legal else legal[-1]
    if asked not in legal:
        cause = "a bit rate that the model was not trained for"
        raise InputError(
            f"a bit rate of {name} in kb/s", f"{asked:g}", cause, [f"{rate:g}" for rate in legal]
        )
    return asked


def same_kind(name: str, shape: Config) -> None:
    """Refuse weights of another rate, or for another number of channels, than the model of that name has.

    Raises
    ------
    WeightsError
        Where they differ.
    """
    wanted = CONFIGS[name]
    if (shape.sampling_rate, shape.audio_channels) != (wanted.sampling_rate, wanted.audio_channels):
        came = f"{shape.sampling_rate} Hz, {shape.audio_channels} channels"
        expected = f"{wanted.sampling_rate} Hz, {wanted.audio_channels} channels"
        raise WeightsError(f"weights of {name}: {expected}", came, "the folder of the other EnCodec")
