"""The README's table, from what a run has written: python3 tools/bench/markdown.py"""
import csv
from pathlib import Path

from rows import ROWS

RESULTS = Path(__file__).resolve().parent.parent.parent / "build/bench/results.csv"
COLUMNS = ("serial", "filch, 1", "filch, 2", "oneTBB, 2", "libgomp, 2", "libomp, 2", "Go, 2")


def readable(nanoseconds):
    for unit, scale in (("ms", 1e6), ("us", 1e3)):
        if nanoseconds >= scale:
            return f"{nanoseconds / scale:.3g} {unit}"
    return f"{nanoseconds:.3g} ns"


def main():
    figures = {}
    with open(RESULTS, newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            figures[line["row"], line["contender"]] = float(line["median_ns"])
    print("| | " + " | ".join(COLUMNS) + " |")
    print("| --- |" + " --- |" * len(COLUMNS))
    for row in ROWS:
        if row.name.startswith(("scale", "idle")):
            continue
        cells = [readable(figures[row.name, c]) if (row.name, c) in figures else "" for c in COLUMNS]
        print(f"| {row.title} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
