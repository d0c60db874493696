#!/usr/bin/env python3
"""Is each name at file scope of a source file the only one of its kind in the library?

Argument: the source folder. Then a backtrace or a search says where something is. Of files that
stand for each other, one implementation of a header or another, only one is looked at.
"""
import collections
import pathlib
import re
import sys

STAND_INS = r"(os_posix|os_linux_plain|switch_ucontext)"
NAMES = (
    ("function", r"^(?:FILCH_APART )?static (?:__attribute__\(\(\w+\)\) )?[\w \*]*?\b(\w+)\("),
    ("variable", r"^static [^;{}(=]*?\b(\w+)(?:\[[^\]]*\])*\s*(?:=|;)"),
    ("type", r"^(?:struct|enum|union) (\w+) \{"),
    ("type", r"^typedef [^;]*?\b\*?(\w+)(?:\([^;]*\))?;"),
)


def main():
    places = collections.defaultdict(list)
    source = pathlib.Path(sys.argv[1])
    files = sorted([*source.glob("runtime/*/*.c"), *source.glob("api/*/*.c")])
    for file in files:
        if re.match(STAND_INS, file.name):
            continue
        text = file.read_text()
        found = {(kind, name) for kind, pattern in NAMES for name in re.findall(pattern, text, re.M)}
        for name in found:
            places[name].append(str(file.relative_to(source)))
    bad = [f"{kind} {name}: {' '.join(where)}"
           for (kind, name), where in sorted(places.items()) if len(where) > 1]
    print("\n".join(bad) if bad else f"1 passed, 0 failed ({len(places)} names)")
    sys.exit(bool(bad) or len(places) < 500)


main()
