"""python3 tools/bench [--quick] [--peers] [ROW ...]: filch beside its peers, in one run.

Builds everything into build/bench, takes the samples of a row's contenders in turn (A B C A B C),
checks that all computed the same, prints one table (medians, and each as a multiple of the row's
first contender), and writes build/bench/results.csv, results.md and results.svg. Refuses to report on a machine
that is busy with something else, unless --anyway is given.
"""
import argparse
import csv
import importlib.util
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from programs import FLAGS, INCLUDES, PACKAGES, ROOT, build, compile_command
from rows import (ROWS, SERIAL_ALGORITHMS, SERIAL_COSTS, SERIAL_WAYS, SLEEP_COSTS, SWEEP_COSTS,
                  SWEEP_PATTERNS, SWEEP_WORKERS, Contender)

BUSY = 0.10  # of all processors, by others, before and between the rows


def arguments():
    parser = argparse.ArgumentParser(prog="tools/bench", description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer samples: within 3 minutes")
    parser.add_argument("--peers", action="store_true", help="install the peers that are missing")
    parser.add_argument("--anyway", action="store_true", help="report on a busy machine, too")
    parser.add_argument("--list", action="store_true", help="the rows there are")
    parser.add_argument("rows", nargs="*", metavar="ROW")
    return parser.parse_args()


def install():
    packages = " ".join(sorted({p for needed in PACKAGES.values() for p in needed}))
    script = f'. "{ROOT}/tools/setup.sh"; need {packages}'
    subprocess.run(["sh", "-euc", script, f"{ROOT}/tools/bench"], check=True)


def go_on_in_debians_python():
    """What Debian's packages bring is found by Debian's Python, which need not be the one in PATH."""
    debians = Path("/usr/bin/python3")
    if importlib.util.find_spec("matplotlib") is None and debians.exists() and \
            Path(sys.executable).resolve() != debians.resolve():
        os.execv(debians, [str(debians), str(ROOT / "tools/bench"), *sys.argv[1:]])


def busy():
    """The share of all processors that is in use, over half a second."""
    def ticks():
        with open("/proc/stat", encoding="ascii") as stat:
            fields = [int(x) for x in stat.readline().split()[1:9]]
        return sum(fields), fields[3] + fields[4]

    total, idle = ticks()
    time.sleep(0.5)
    total_after, idle_after = ticks()
    return 1 - (idle_after - idle) / max(1, total_after - total)


def wait_until_quiet(anyway):
    for _ in range(20):
        share = busy()
        if share <= BUSY:
            return
    if anyway:
        print(f"note: others use {share:.0%} of the processors")
    else:
        sys.exit(f"others use {share:.0%} of the processors: no report (--anyway reports)")


def sample(command, contender):
    environment = {k: v for k, v in os.environ.items() if k != "FILCH_TRACE"}
    with tempfile.TemporaryDirectory() as folder:
        if contender.trace:
            environment["FILCH_TRACE"] = f"{folder}/trace:{contender.trace}"
        done = subprocess.run(
            [*command, contender.row, str(contender.workers), str(contender.size)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300, env=environment)
    if done.returncode != 0:
        sys.exit(f"{contender.label}, {contender.row}: failed\n{done.stderr}")
    nanoseconds, check = done.stdout.split()
    return float(nanoseconds), check


def measure(row, commands, rounds):
    """{contender: [nanoseconds, ...]} of those that could be built."""
    contenders = [c for c in row.contenders if c.program in commands]
    times = {c: [] for c in contenders}
    checks = set()
    for _ in range(rounds):
        for contender in contenders:
            nanoseconds, check = sample(commands[contender.program], contender)
            times[contender].append(nanoseconds)
            if not contender.alone:
                checks.add(check)
    if len(checks) > 1:
        sys.exit(f"{row.name}: the contenders computed different things: {checks}")
    return times


def readable(nanoseconds):
    for unit, scale in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if nanoseconds >= scale:
            return f"{nanoseconds / scale:.3g} {unit}"
    return f"{nanoseconds:.3g} ns"


def report(row, times):
    base = median(times[row.base]) if row.base in times else None
    print(f"\n{row.title}  (goal: {row.goal})")
    for contender, samples in times.items():
        middle = median(samples)
        ratio = f"{middle / base:8.2f} x" if base else ""
        print(f"  {contender.label:22} {readable(middle):>10}  min {readable(min(samples)):>10} {ratio}")
    sys.stdout.flush()


def write_csv(path, results):
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["row", "contender", "workers", "size", "median_ns", "min_ns", "samples"])
        for row, times in results:
            for c, samples in times.items():
                table.writerow([row.name, c.label, c.workers, c.size, f"{median(samples):.3f}",
                                f"{min(samples):.3f}", len(samples)])


# The README's table: these columns of all rows but those about one contender alone.
COLUMNS = ("serial", "filch, 1", "filch, 2", "oneTBB, 2", "libgomp, 2", "libomp, 2", "Go, 1", "Go, 2")
COLUMNS_OF_CPP = ("serial", "filch.hpp, 1", "filch.hpp, 2", "oneTBB, 1", "oneTBB, 2", "BS::thread_pool, 1",
                  "BS::thread_pool, 2", "std::async, 1", "std::async, 2")


def write_markdown(path, results):
    lines = []
    for columns, is_cpp in ((COLUMNS, False), (COLUMNS_OF_CPP, True)):
        lines += ["", "| | " + " | ".join(columns) + " |", "| --- |" + " --- |" * len(columns)]
        for row, times in results:
            if row.name.startswith("cpp") == is_cpp and not row.name.startswith(("scale", "idle", "trace")):
                medians = {c.label: readable(median(samples)) for c, samples in times.items()}
                cells = [medians.get(column, "") for column in columns]
                lines.append(f"| {row.title} | " + " | ".join(cells) + " |")
    path.write_text("\n".join(lines[1:]) + "\n", encoding="utf-8")


def write_chart(path, results):
    try:
        import matplotlib
    except ImportError:
        print("no chart: python3-matplotlib is not installed (--peers installs it)")
        return
    matplotlib.use("svg")
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(len(results), 1, figsize=(8, 1.6 * len(results) + 1),
                                   squeeze=False)
    for (row, times), axis in zip(results, axes[:, 0]):
        labels = [c.label for c in times][::-1]
        values = [median(s) for s in times.values()][::-1]
        colours = ["tab:blue" if label.startswith("filch") else "tab:gray" for label in labels]
        axis.barh(labels, values, color=colours)
        axis.set_xscale("log")
        axis.set_title(f"{row.title} (ns)", fontsize=8)
        axis.tick_params(labelsize=7)
    figure.tight_layout()
    figure.savefig(path)


def first_line(command):
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, text=True,
                              cwd=ROOT).stdout.splitlines()[0]
    except (OSError, IndexError):
        return "none"


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        names = [line.split(":")[1].strip() for line in info if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {len(os.sched_getaffinity(0))} processors"


def ratio_at(commands, program, row, workers, cost):
    """A ratio, and the chunk size or the number of elements that belongs to it."""
    return sample(commands[program], Contender(program, program, row, workers, cost))


def sweep(commands, quick):
    """No chunk size to choose: automatic over the best fixed one, for all costs and patterns."""
    costs = SWEEP_COSTS[1:7:2] if quick else SWEEP_COSTS
    cases = [(p, c) for p in SWEEP_PATTERNS for c in costs]
    cases += [("sleeping", c) for c in (SLEEP_COSTS[1:2] if quick else SLEEP_COSTS)]
    print("\nautomatic chunk over the best fixed one (that one in brackets)  (goal: 1.05)")
    figures = []
    for pattern, cost in cases:
        line = []
        for workers in SWEEP_WORKERS:
            ratio, chunk = ratio_at(commands, "loops", pattern, workers, cost)
            figures.append((ratio, f"{pattern}, {readable(cost)}, {workers} workers"))
            line.append(f"{workers}: {ratio:.2f} ({chunk})")
        print(f"  {pattern:12} {readable(cost):>8}   {'   '.join(line)}")
    print(f"  median {median(r for r, _ in figures):.3f}, worst {max(figures)[0]:.2f}: "
          f"{max(figures)[1]}")
    return figures


def against_serial(commands, quick):
    """Never slower than serial: the worst ratio over 1 to 10^7 elements."""
    def lines(title, ways, suffix=""):
        print(f"  {title}")
        for way in ways:
            figures = []
            for cost in SERIAL_COSTS[1::3] if quick else SERIAL_COSTS:
                ratio, where = ratio_at(commands, "never-slower", way + suffix, 2, cost)
                figures.append(f"{readable(cost)}: {ratio:.2f} ({where})")
            print(f"    {way:10} {'   '.join(figures)}")

    print("\nworst of parallel over serial, less 200 ns (at so many elements)  (goal: 1.05)")
    lines("pool awake", SERIAL_WAYS + SERIAL_ALGORITHMS)
    lines("after 5 ms of sleep", SERIAL_WAYS, "_asleep")
    with subprocess.Popen(["sh", "-c", "while :; do :; done"]) as other:
        lines("beside a busy process", SERIAL_WAYS)
        other.kill()


def processor_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compile_times(folder):
    """What it takes to compile a file that includes no more than the headers for tasks and loops."""
    print("\nC++: to compile the headers alone, -O2")
    for compiler in ("g++", "clang++"):
        for standard in ("c++17", "c++20"):
            commands = {}
            for peer in INCLUDES:
                inside = folder / f"includes-{peer.replace('::', '-')}"
                inside.mkdir(exist_ok=True)
                commands[peer] = compile_command(peer, compiler, standard, inside)
            times = {peer: [] for peer in commands}
            for _ in range(5):
                for peer, command in commands.items():
                    if command:
                        times[peer].append(processor_seconds(command))
            print(f"  {compiler + ' ' + standard:16} " + "   ".join(
                f"{peer}: {median(t):.2f} s" if t else f"{peer}: not found" for peer, t in times.items()))


def counters(commands):
    if "counters" not in commands:
        return
    print("\nwhat grows with forks, and what with thefts")
    for workers in (1, 2, 8, 64):
        lines = subprocess.run([*commands["counters"], str(workers)], stdout=subprocess.PIPE,
                               text=True, check=True).stdout
        print("  " + lines.rstrip().replace("\n", "\n  "))


def footprint(commands):
    print("\nfootprint, bytes")
    library = next((ROOT / "build/bench/filch").glob("libfilch.so.*.*"), None)
    if library:
        stripped = ROOT / "build/bench/stripped.so"
        subprocess.run(["strip", "-o", stripped, library], check=True)
        print(f"  {'library, stripped':22} {stripped.stat().st_size:>10}")
    if "footprint" in commands:
        lines = subprocess.run(commands["footprint"], stdout=subprocess.PIPE, text=True).stdout
        for line in lines.splitlines():
            name, size = line.rsplit(" ", 1)
            print(f"  {name:22} {size:>10}")


def waiting_loops(commands):
    """Loops whose elements wait for each other: their memory is not to grow with their length."""
    if "waiting-loops" not in commands:
        return
    print("\nloops whose elements wait for each other: peak of memory, and ns an element (goal: flat)")
    for loop in ("mutex", "channel"):
        for elements in (10 ** 4, 10 ** 6):
            lines = [subprocess.run([*commands["waiting-loops"], loop, str(elements)],
                                    stdout=subprocess.PIPE, text=True, check=True).stdout.split()
                     for _ in range(3)]
            kib, ns = (sorted(float(line[i]) for line in lines)[1] for i in (0, 1))
            print(f"  {loop:8} {elements:>8} elements {kib / 1024:8.1f} MiB {ns:8.0f} ns")


def main():
    options = arguments()
    chosen = [row for row in ROWS if not options.rows or row.name in options.rows]
    if options.quick:
        chosen = [row.with_quick_sizes() for row in chosen]
    if options.list or not chosen:
        print("\n".join(f"{row.name:20} {row.title}" for row in ROWS))
        return
    if options.peers:
        install()
    go_on_in_debians_python()
    folder = ROOT / "build/bench"
    folder.mkdir(parents=True, exist_ok=True)
    commands = build(folder)
    wait_until_quiet(options.anyway)
    print(f"{machine()}; {first_line(['gcc', '--version'])}; {first_line(['clang', '--version'])}; "
          f"{' '.join(FLAGS)}; commit {first_line(['git', 'rev-parse', '--short', 'HEAD'])}")
    results = []
    for row in chosen:
        times = measure(row, commands, 2 if options.quick else 7)
        report(row, times)
        results.append((row, times))
    if not options.rows:
        sweep(commands, options.quick)
        against_serial(commands, options.quick)
        compile_times(folder)
        counters(commands)
        footprint(commands)
        waiting_loops(commands)
    wait_until_quiet(options.anyway)
    write_csv(folder / "results.csv", results)
    write_markdown(folder / "results.md", results)
    write_chart(folder / "results.svg", results)
    print(f"\nwritten: {folder}/results.csv, results.md, results.svg")


if __name__ == "__main__":
    main()
