"""Train the pocket GNMT on spelled-out numbers, English to German, and export it to ONNX.

Run it from the repository root, with PyTorch, onnx, onnxruntime, num2words and subword-nmt
installed::

    python training/train_pocket_gnmt.py

The phrases are made by rule (``phrases.py``), so that every reference is exact. 500 of them
are held out for the quality reference and 100 for the curve; none of the phrases trained on
is among them. Files are written into the package's data folder. With a
checkpoint at hand that was trained before, only the export and the score are done again.
"""

from __future__ import annotations

import argparse
import io
import math
import random
from collections import Counter
from pathlib import Path

import torch
from subword_nmt.apply_bpe import BPE
from subword_nmt.learn_bpe import learn_bpe
from torch.nn import functional

from export_pocket_gnmt import write_files
from inferometer.workloads.models.gnmt import Gnmt
from inferometer.workloads.translation.vocabulary import END, START, Vocabulary
from phrases import Pair, distinct_pairs

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "src/inferometer/workloads/data"
SCORED, WATCHED = 500, 100
HIDDEN = 80
SPECIAL = ("<unk>", "<s>", "</s>")

Ids = tuple[list[int], list[int]]
"""A phrase and its translation, by the ids of their sub-words."""


def main() -> None:
    options = _parse()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    pairs = distinct_pairs(SCORED + WATCHED + options.phrases, options.seed)
    held, trained = pairs[: SCORED + WATCHED], pairs[SCORED + WATCHED :]
    codes = _learn_codes(trained, options.merges)
    trained, held = _apply(codes, trained), _apply(codes, held)
    words = _vocabulary(trained)
    model = Gnmt(len(words), HIDDEN)
    if options.checkpoint.exists():
        saved = torch.load(options.checkpoint)
        model.load_state_dict(saved["weights"])
        curve = saved["curve"]
    else:
        curve = _train(model, _to_ids(trained, words), _to_ids(held[SCORED:], words), options)
        torch.save({"weights": model.state_dict(), "curve": curve}, options.checkpoint)
    write_files(model, held[:SCORED], words, curve, options)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument("--checkpoint", type=Path, default=Path("pocket_gnmt.pt"))
    parser.add_argument("--seed", type=int, default=20191106)
    parser.add_argument("--phrases", type=int, default=40_000)
    parser.add_argument("--merges", type=int, default=1300)
    parser.add_argument("--epochs", type=int, default=32)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def _learn_codes(pairs: list[Pair], merges: int) -> str:
    """Learn byte-pair merges on both languages together."""
    text = io.StringIO("\n".join(side for pair in pairs for side in pair))
    codes = io.StringIO()
    learn_bpe(text, codes, merges)
    return codes.getvalue()


def _apply(codes: str, pairs: list[Pair]) -> list[Pair]:
    bpe = BPE(io.StringIO(codes))
    return [(bpe.process_line(english), bpe.process_line(german)) for english, german in pairs]


def _vocabulary(pairs: list[Pair]) -> list[str]:
    """Give the sub-words of both languages, most frequent first, after the special ones."""
    counts = Counter(word for pair in pairs for side in pair for word in side.split())
    return [*SPECIAL, *(word for word, _ in counts.most_common())]


def _to_ids(pairs: list[Pair], words: list[str]) -> list[Ids]:
    vocabulary = Vocabulary(words)
    return [(vocabulary.encode(source), vocabulary.encode(target)) for source, target in pairs]


def _train(
    model: Gnmt,
    pairs: list[Ids],
    held: list[Ids],
    options: argparse.Namespace,
) -> list[dict[str, float]]:
    learned = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(learned, options.learning_rate, betas=(0.9, 0.98))
    steps = math.ceil(len(pairs) / options.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        options.learning_rate,
        epochs=options.epochs,
        steps_per_epoch=steps,
        pct_start=0.1,
    )
    random_source = random.Random(options.seed)
    curve: list[dict[str, float]] = []
    for epoch in range(1, options.epochs + 1):
        total = 0.0
        for batch in _batches(pairs, options.batch_size, random_source):
            loss = _loss(model, batch)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(learned, 1.0)
            optimizer.step()
            schedule.step()
            total += loss.item()
        with torch.no_grad():
            point: dict[str, float] = {
                "epoch": epoch,
                "training_loss": round(total / steps, 5),
                "held_out_loss": round(_loss(model, held).item(), 5),
            }
        curve.append(point)
        print(point, flush=True)
    return curve


def _batches(pairs: list[Ids], size: int, random_source: random.Random) -> list[list[Ids]]:
    """Cut the phrases into batches of like lengths, in random order."""
    mixed = random_source.sample(pairs, len(pairs))
    chunk = 50 * size
    ordered = [
        pair
        for start in range(0, len(mixed), chunk)
        for pair in sorted(mixed[start : start + chunk], key=lambda pair: len(pair[1]))
    ]
    batches = [ordered[start : start + size] for start in range(0, len(ordered), size)]
    random_source.shuffle(batches)
    return batches


def _loss(model: Gnmt, batch: list[Ids]) -> torch.Tensor:
    """Give the cross entropy of the true next sub-word, with the true ones before it."""
    source, lengths = _pad([source for source, _ in batch])
    given, _ = _pad([[START, *target] for _, target in batch])
    wanted, wanted_lengths = _pad([[*target, END] for _, target in batch])
    logits = model(source, lengths, given)
    inside = torch.arange(wanted.shape[1]) < wanted_lengths[:, None]
    return functional.cross_entropy(logits[inside], wanted[inside])


def _pad(rows: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(map(len, rows))
    padded = torch.tensor([row + [END] * (longest - len(row)) for row in rows])
    return padded, torch.tensor([len(row) for row in rows])


if __name__ == "__main__":
    main()
