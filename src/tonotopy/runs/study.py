"""A study: from the user's words to a plan, from the plan to work units, from these to a run."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from tonotopy.core.errors import RunError
from tonotopy.encoders._contract import Encoder
from tonotopy.judgement import claims
from tonotopy.recording.frames import plan_segment
from tonotopy.runs import collect
from tonotopy.runs.asked import Asked, folder_name, make_plan, open_encoder
from tonotopy.runs.bench import Bench, BenchSpec, resolve_device
from tonotopy.runs.cause_tables import cause_tables
from tonotopy.runs.ceiling import open_ceiling, record_of
from tonotopy.runs.code_tables import code_names, code_tables
from tonotopy.runs.engine import Progress, Unit, default_workers, one_thread, run_units
from tonotopy.runs.estimate import Estimate, estimate_units
from tonotopy.runs.feature_tables import feature_tables
from tonotopy.runs.graph import Graph, build, music_unit, shortest_clip_s
from tonotopy.runs.lock import locked
from tonotopy.runs.manifest import addresses, manifest
from tonotopy.runs.other_weights import positive_control
from tonotopy.runs.plan import Plan
from tonotopy.runs.run import CAUSE_TABLES, FEATURE_TABLES, TABLES, Run, open_run, read_plan
from tonotopy.runs.sentence import QUESTION, answer, ladder_sentence
from tonotopy.runs.store import Store, full_disk_is_an_error, write_json, write_tables, write_text
from tonotopy.sound.sources import open_music
from tonotopy.sound.sources._contract import Source
from tonotopy.training.ceiling_record import CeilingRecord


def study(
    encoder: str | torch.nn.Module | Encoder,
    *,
    music: str | Source,
    progress: Progress | None = None,
    keep_floor: bool = False,
    **words: Any,
) -> Run:
    """Measure whether partials are stable features of an encoder on some music.

    Parameters
    ----------
    encoder : name (``crepe-tiny``, ``phantom:cochlea``), ``file.py:Class``, a module, or an Encoder
    music : ``scores``, ``folder:PATH``, ``fma-small:PATH``, or a Source
    sample_rate, window : Hz and samples, for a module (window: fixed input length)
    weights : name, path or ``random:SEED``
    sites : names of sites; all by default
    preset : quick, standard or thorough
    seed : of trials, floor, bootstrap
    out : folder of the run; an interrupted run in it is resumed
    device, workers : where and in how many processes; numbers do not depend on workers
    trust : allow an encoder that is a file of code
    floor : measure the architecture with random weights too
    structures : partial, and further rungs of the ladder: pitch, chord
    features : sources of features that are asked what they stabilise to be features of: channels, ica, topk, ...
    codes : ask what codes, where the encoder has a quantiser, and its head know of partials
    causes : push along directions and project them out: what they do to sound or outputs, and which sites read them
    ceiling : folder or file that `tonotopy train ceiling` wrote: the architecture fitted to report partials
    pieces, frequencies, floor_seeds : override the preset
    progress : called with (units done, units in all, label)
    brief : the verdict alone, without nulls, power and the view curve (calibration)
    keep_floor : keep the floor's activations, which are otherwise dropped once measured

    Returns
    -------
    Run

    Raises
    ------
    TonotopyError
        Whatever cannot be used, in one line.
    """
    asked = Asked(encoder, music, **words)
    session = Session.open(asked)
    session.claim_folder()
    session.execute(progress, keep_floor=keep_floor)
    return open_run(session.out)


def estimate(encoder: Any, *, music: Any, **words: Any) -> Estimate:
    """What a study would cost, from a short measurement of the encoder: minutes, bytes, passes."""
    # What has to be looked up must not claim the folder of the study.
    with TemporaryDirectory(prefix="tonotopy-") as folder:
        session = Session.open(Asked(encoder, music, **words | {"out": Path(folder) / "run"}))
        session.prepare_music()
        return estimate_units(session.graph(), session.plan, session.bench.primary, session.workers)


@dataclass
class Session:
    """One study under way."""

    plan: Plan
    bench: Bench
    spec: BenchSpec | None
    out: Path
    workers: int
    music: Unit
    record: CeilingRecord | None = None

    @staticmethod
    def open(asked: Asked) -> Session:
        """Open encoder and music, make the plan."""
        device = resolve_device(asked.device)
        source = asked.music if isinstance(asked.music, Source) else open_music(asked.music)
        options = {"trust": asked.trust, "window": asked.window, "sample_rate": asked.sample_rate}
        options = {key: value for key, value in options.items() if value}
        with one_thread():  # the effective view is measured, and decides how long sounds are
            encoder = open_encoder(asked, options)
            ceiling = _open_ceiling(asked, encoder, options)
        plan = make_plan(asked, encoder, source, device=device, ceiling=ceiling)
        record = None if ceiling is None else record_of(asked.ceiling, ceiling)
        out = Path(asked.out) if asked.out else Path("runs") / folder_name(plan)
        spec = None
        named = asked.ceiling is None or isinstance(asked.ceiling, str | Path)
        if isinstance(asked.encoder, str) and isinstance(asked.music, str) and named:
            spec = BenchSpec(
                asked.encoder,
                asked.weights,
                asked.seed,
                asked.music,
                out / "units",
                encoder.identity,
                device,
                tuple(options.items()),
                None if asked.ceiling is None else str(asked.ceiling),
                plan.ceiling_id,
            )
        shortest = shortest_clip_s(
            encoder, plan_segment(encoder, [encoder.site(s) for s in plan.sites], plan.n_frames).n_samples
        )
        bench = Bench(encoder, source, Store(out / "units", mends=True), device=device, ceiling=ceiling)
        workers = asked.workers or (default_workers() if device == "cpu" else 1)
        return Session(plan, bench, spec, out, workers, music_unit(plan, encoder, shortest), record)

    def claim_folder(self) -> None:
        """Make the folder of the run, or check that it holds the same plan."""
        file = self.out / "plan.toml"
        if file.is_file():
            held = read_plan(self.out)
            if held != self.plan:
                differing = ", ".join(self.plan.differences(held))
                raise RunError(
                    f"an empty folder, or one that holds this plan, at {self.out.name!r}",
                    f"a run whose plan differs in: {differing}",
                    "another study was run here; choose another --out",
                )
            return
        if self.out.exists() and not self.out.is_dir():
            raise RunError(f"an empty folder at {self.out.name!r}", "a file", "a mistyped --out")
        if self.out.exists() and any(self.out.iterdir()):
            raise RunError(
                f"an empty folder at {self.out.name!r}",
                "a folder with files that are no run",
                "a mistyped --out",
            )
        with full_disk_is_an_error(self.out):
            self.out.mkdir(parents=True, exist_ok=True)
            write_text(file, self.plan.to_toml())

    def prepare_music(self) -> None:
        """Run the unit that the graph's shape depends on."""
        with one_thread():
            self.bench.run(self.music)

    def graph(self) -> Graph:
        """The units of the study."""
        pieces = self.bench.store.values(self.music.address)["pieces"]
        return build(self.plan, self.bench.primary, len(pieces))

    def execute(self, progress: Progress | None, *, keep_floor: bool) -> None:
        """Run the units, write tables and verdict."""
        with locked(self.out):
            self._execute(progress, keep_floor=keep_floor)

    def _execute(self, progress: Progress | None, *, keep_floor: bool) -> None:
        started, clock = datetime.now(UTC), time.monotonic()
        self.bench.store.sweep()
        self.bench.store.forget_damaged()
        self.prepare_music()
        graph = self.graph()
        dropped = _Dropper(self.bench.store, graph) if not keep_floor else None
        ran = run_units(
            graph.targets,
            self.bench,
            workers=self.workers,
            make_bench=self.spec,
            progress=progress,
            after=dropped,
        )
        if ran == 0 and self._whole(graph):
            return
        self._write(graph, started, time.monotonic() - clock)

    def _whole(self, graph: Graph) -> bool:
        """Whether what is written from the units is there, and from these units."""
        files = [self.out / name for name in ("verdict.json", "anatomy.json")]
        names = list(TABLES)
        if self.plan.features:
            names += [n for n in FEATURE_TABLES if n != "transitions" or n in graph.features.alone]
        names += code_names(graph)
        names += CAUSE_TABLES if self.plan.causes else ()
        files += [self.out / "tables" / f"{name}.parquet" for name in names]
        try:
            told = open_run(self.out).manifest
        except RunError:
            return False
        return told.get("addresses") == addresses(graph) and all(file.is_file() for file in files)

    def _write(self, graph: Graph, started: datetime, seconds: float) -> None:
        """Tables, anatomy, verdict, manifest; the manifest last, since it says that the run is complete."""
        from tonotopy.anatomy import anatomy_of

        encoder, out = self.bench.primary, self.out
        with full_disk_is_an_error(out), one_thread():
            # An old manifest must not vouch for new tables.
            (out / "manifest.json").unlink(missing_ok=True)
            tables, entries = collect.tables(self.bench.store, graph, self.plan, encoder, self.record)
            tables |= feature_tables(self.bench.store, graph, self.plan)
            tables |= code_tables(self.bench.store, graph, self.plan)
            tables |= cause_tables(self.bench.store, graph, self.plan)
            rungs = collect.add_rungs(tables, self.bench.store, graph, self.plan, encoder)
            anatomy = anatomy_of(encoder).to_json()
            tables["claims"] = claims.answers(tables | claims.anatomy_tables(anatomy), model=self._model)
            write_tables(out / "tables", tables)
            write_json(out / "anatomy.json", anatomy)
            control = positive_control(tables["ceiling"], encoder)
            write_json(out / "verdict.json", self._verdict(entries, graph, control, rungs))
            told = manifest(encoder, tables, started, seconds)
            write_json(out / "manifest.json", told | {"addresses": addresses(graph)})

    @property
    def _model(self) -> str:
        """Encoder and weights, as the ledger of claims names them."""
        plan = self.plan
        return plan.encoder if plan.weights in (None, plan.encoder) else f"{plan.encoder} ({plan.weights})"

    def _verdict(
        self,
        entries: list[dict[str, Any]],
        graph: Graph,
        control: dict[str, Any] | None,
        rungs: dict[str, list[dict[str, Any]]],
    ) -> dict[str, Any]:
        plan, n_pieces = self.plan, graph.design.n_pieces
        return {
            "schema": plan.schema,
            "encoder": plan.encoder,
            "weights": plan.weights,
            "music": plan.music,
            "preset": plan.preset,
            "seed": plan.seed,
            "n_pieces": n_pieces,
            "question": QUESTION,
            "sentence": answer(entries, n_pieces, control) + ladder_sentence(entries, rungs),
            "sites": entries,
            **({} if control is None else {"positive_control": control}),
            **({"structures": rungs} if rungs else {}),
        }


def _open_ceiling(asked: Asked, encoder: Encoder, options: dict[str, Any]) -> Encoder | None:
    if asked.ceiling is None:
        return None
    return open_ceiling(asked.encoder, asked.ceiling, seed=asked.seed, like=encoder, options=options)


class _Dropper:
    """Forgets a floor's or a ceiling's activations once all its sites are measured."""

    def __init__(self, store: Store, graph: Graph) -> None:
        self.store = store
        self.left = {
            seed: {unit.address for (s, _), unit in graph.measures.items() if s == seed}
            for seed in graph.records
            if seed is not None
        }
        self.records = {seed: list(units) for seed, units in graph.records.items()}
        for rung in graph.rungs.values():
            for (seed, _), unit in rung.measures.items():
                if seed is not None:
                    self.left[seed].add(unit.address)
            for seed, units in rung.records.items():
                self.records[seed] += units
        for seed, unit in graph.codes.heads.items():
            if seed is not None:
                self.left[seed].add(unit.address)  # reads the trials of partials
        for seed, units in graph.causes.by_weights().items():
            if seed is not None:
                self.left[seed] |= {unit.address for unit in units}
        for seed, units in graph.features.by_weights().items():
            if seed is not None:
                self.left[seed] |= {unit.address for unit in units}
                self.records[seed] += [*graph.features.natural[seed], graph.features.noise[seed]]

    def __call__(self, unit: Unit) -> None:
        for seed, left in self.left.items():
            if unit.address in left:
                left.discard(unit.address)
                if all(self.store.has(address) for address in left):
                    for record in self.records[seed]:
                        self.store.remove(record.address)
