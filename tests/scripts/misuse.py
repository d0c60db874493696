#!/usr/bin/env python3
"""What is written wrong is told in one line, by gcc and clang, in C and C++: tests/misuse.txt.

Argument: the source folder. A paragraph there is a program, less its include: what stands at file
scope; `main:` what is done in main(); `says:` what the first error says in all four; `lines:` how
many lines of errors gcc and clang write at most, in C and C++, if it is more than LINES. One without
`says:` must compile.
"""
import pathlib
import subprocess
import sys
import tempfile

COMPILERS = (("gcc", "-std=c11", "c"), ("g++", "-std=c++11", "cpp"),
             ("clang", "-std=c11", "c"), ("clang++", "-std=c++11", "cpp"))
LINES = {"gcc": 20, "g++": 20, "clang": 29, "clang++": 29}  # clang shows six macros of those between
PROGRAM = """#include <filch/filch.h>
{0}
int main(void) {{ int out = 0; {1} return out; }}
"""


def parts(paragraph):
    found = {"code": [], "main": "", "says": None, "lines": None}
    for line in paragraph.splitlines():
        word, _, rest = line.partition(": ")
        if word in ("main", "says", "lines"):
            found[word] = rest
        elif not line.startswith("# "):
            found["code"].append(line)
    return found


def errors(root, folder, compiler, program):
    name, standard, suffix = compiler
    file = pathlib.Path(folder, "misuse." + suffix)
    file.write_text(program)
    run = subprocess.run([name, standard, "-Wall", "-fsyntax-only", f"-I{root}/api/include",
                          f"-I{root}/runtime/include", file], stderr=subprocess.PIPE, text=True)
    return run.returncode != 0, run.stderr.splitlines()


def complaint(case, compiler, refused, lines):
    if case["says"] is None:
        return "must compile" if refused or lines else None
    first = next((line for line in lines if "error: " in line), "nothing")
    if not refused or case["says"] not in first:
        return f"says first: {first}"
    most = LINES[compiler[0]]
    if case["lines"]:
        most = int(case["lines"].split()[COMPILERS.index(compiler)])
    return f"writes {len(lines)} lines, at most {most}" if len(lines) > most else None


def main():
    root = pathlib.Path(sys.argv[1])
    bad = 0
    cases = [parts(text) for text in (root / "tests/misuse.txt").read_text().split("\n\n")]
    cases = [case for case in cases if case["code"]]
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            program = PROGRAM.format("\n".join(case["code"]), case["main"])
            for compiler in COMPILERS:
                refused, lines = errors(root, folder, compiler, program)
                wrong = complaint(case, compiler, refused, lines)
                if wrong:
                    bad += 1
                    print(f"{compiler[0]} {wrong}: {program}")
    print(f"{len(cases) * len(COMPILERS) - bad} passed, {bad} failed")
    sys.exit(bool(bad))


main()
