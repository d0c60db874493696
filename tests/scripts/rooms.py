#!/usr/bin/env python3
"""Does every arrow between two files point down the house?

Arguments: the source folder; nm; the objects of the library; -v: tell
of circles that are allowed, too. Arrows are includes, and symbols that one object needs and another
defines. tests/rooms.txt has the rooms from the ground up, and, if there must be any, arrows that are
excepted; one that is not needed any more is a failure, too. Objects call each other in a circle only
in the rooms that it names for that.
"""
import collections
import pathlib
import re
import subprocess
import sys

VERBOSE = "-v" in sys.argv
SOURCE, NM, *OBJECTS = (argument for argument in sys.argv[1:] if argument != "-v")
SOURCE = pathlib.Path(SOURCE)
TOPS = ("runtime", "api", "tools/trace")


def read_plan():
    rooms, circles, excepted = [], set(), {}
    for line in (SOURCE / "tests/rooms.txt").read_text().splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0] == "room":
            rooms.append(words[1])
            if words[2:] == ["circle"]:
                circles.add(words[1])
        elif words[0] == "except":
            excepted[words[1], words[2]] = False
        else:
            sys.exit(f"tests/rooms.txt: {line}")
    return {room: rank for rank, room in enumerate(rooms)}, circles, excepted


RANK, CIRCLES, EXCEPTED = read_plan()
FILES = [
    str(path.relative_to(SOURCE))
    for top in TOPS
    for path in sorted((SOURCE / top).rglob("*"))
    if path.suffix in (".c", ".h", ".S") and path.name != "filch_all.c"  # which includes all
]


def room_of(file):
    """Public headers are in no room: what may include them is a matter of runtime and api."""
    room = str(pathlib.Path(file).parent)
    return None if "/include" in room else room


def top_of(file):
    return next(top for top in TOPS if file.startswith(top + "/"))


def find(top, header):
    """Where `#include "room/name.h"` in a file below `top` leads to; api sees runtime as well."""
    for folder in (top, *(t for t in TOPS if t != top)):
        if f"{folder}/{header}" in FILES:
            return f"{folder}/{header}"
    return None


def includes():
    for file in FILES:
        top = top_of(file)
        text = (SOURCE / file).read_text()
        for header in re.findall(r'^#include "([^"]+)"', text, re.M):
            target = find(top, header)
            yield file, target or f"{header}, which is not there", "includes"
        for header in re.findall(r"^#include <(filch/[a-z_]+\.h)>", text, re.M):
            if top == "runtime" and f"runtime/include/{header}" not in FILES:
                yield file, f"api/include/{header}", "includes"


def source_of(path):
    """Of an object; None: it is compiled from what the build has made."""
    name = re.search(r"\.dir/(?:__/)*(.+)\.o", path)[1]
    return next((file for file in (name, f"tools/trace/{name}") if file in FILES), None)


def symbols(nm, objects):
    """Which file needs what of which."""
    defined, needed = {}, collections.defaultdict(set)
    for path in objects:
        file = source_of(path)
        if not file:
            continue
        lines = subprocess.run([nm, "-P", path], capture_output=True, text=True, check=True).stdout
        for name, kind in (line.split()[:2] for line in lines.splitlines()):
            if kind in "Uw":
                needed[file].add(name)
            elif kind.isupper():
                defined[name] = file
    for file, names in needed.items():
        for name in sorted(names):
            if defined.get(name, file) != file:
                yield file, defined[name], name


def is_up(file, target):
    mine, theirs = room_of(file), room_of(target)
    if target.startswith("api/include"):
        return file.startswith("runtime")
    return mine is not None and theirs is not None and RANK[theirs] > RANK[mine]


def circles(arrows):
    """Groups of files that all reach each other (Tarjan 1972)."""
    index, low, stack, found = {}, {}, [], []

    def visit(file):
        index[file] = low[file] = len(index)
        stack.append(file)
        for target in sorted(arrows[file]):
            if target not in index:
                visit(target)
            if target in stack:
                low[file] = min(low[file], low[target])
        if low[file] == index[file]:
            group = stack[stack.index(file):]
            del stack[-len(group):]
            if len(group) > 1:
                found.append(sorted(group))

    for file in sorted(arrows):
        if file not in index:
            visit(file)
    return found


def main():
    sys.setrecursionlimit(10000)
    bad = [f"{file} is in no room of tests/rooms.txt" for file in FILES
           if room_of(file) not in RANK and room_of(file) is not None]
    if bad:
        sys.exit("\n".join(bad))
    arrows = collections.defaultdict(set)
    seen = {}
    for file, target, what in [*includes(), *symbols(NM, OBJECTS)]:
        if what != "includes":
            arrows[file].add(target)
            arrows[target]
        if target.endswith("not there") or is_up(file, target):
            seen.setdefault((file, target), []).append(what)
    for arrow, what in sorted(seen.items()):
        if arrow in EXCEPTED:
            EXCEPTED[arrow] = True
            arrows[arrow[0]].discard(arrow[1])
        else:
            bad.append(f"{arrow[0]} points up to {arrow[1]}: {', '.join(what)}")
    bad += [f"no longer needed in tests/rooms.txt: except {file} {target}"
            for (file, target), used in EXCEPTED.items() if not used]
    for group in circles(arrows):
        if len({room_of(file) for file in group}) > 1 or room_of(group[0]) not in CIRCLES:
            bad.append("a circle: " + " ".join(group))
        elif VERBOSE:
            print(f"{room_of(group[0])}: {len(group)} call each other in a circle")
    print("\n".join(bad) if bad else "1 passed, 0 failed")
    sys.exit(bool(bad))


main()
