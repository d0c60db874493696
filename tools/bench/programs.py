"""Building what is measured: filch from this tree, the peers from Debian's packages."""
import re
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SOURCES = HERE / "programs"

FLAGS = ["-O3", "-march=native", "-Wall", "-Wextra"]

PACKAGES = {
    "filch": ["gcc", "g++", "libc6-dev", "cmake", "make", "python3"],
    "libgomp": ["libgomp1"],
    "libomp": ["clang", "libomp-dev"],
    "oneTBB": ["libtbb-dev"],
    "Go": ["golang-go"],
    "chart": ["python3-matplotlib"],
}


def run(command, **options):
    """Run a command that must succeed; its output is shown if it does not."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          **options)
    if done.returncode != 0:
        raise SystemExit(f"failed: {' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


# What a file in C++ includes for tasks and loops: BS_thread_pool.hpp, which Debian does not package, is found
# where CPLUS_INCLUDE_PATH says.
INCLUDES = {
    "filch.hpp": ["filch/filch.hpp"],
    "oneTBB": ["tbb/parallel_for.h", "tbb/parallel_reduce.h", "tbb/task_arena.h", "tbb/task_group.h"],
    "BS::thread_pool": ["BS_thread_pool.hpp"],
    "std::async": ["future"],
}


def compile_command(peer, compiler, standard, folder):
    """What compiles a file with that peer's headers alone; None: they are not found."""
    file = folder / "includes.cpp"
    file.write_text("".join(f"#include <{header}>\n" for header in INCLUDES[peer]), encoding="utf-8")
    command = [compiler, f"-std={standard}", "-O2", "-c", "-o", "/dev/null", f"-I{ROOT}/api/include",
               f"-I{ROOT}/runtime/include", str(file)]
    return command if subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0 else None


def build(folder):
    """Returns {program: command to start it with}; a peer whose compiler is missing is left out."""
    library = folder / "filch"
    run(["cmake", "-S", ROOT, "-B", library, "-DCMAKE_BUILD_TYPE=Release",
         "-DFILCH_BUILD_TESTS=OFF", "-DFILCH_BUILD_DEMOS=OFF"])
    run(["cmake", "--build", library, "--parallel"])
    include = [f"-I{ROOT}/api/include", f"-I{ROOT}/runtime/include"]
    filch = include + [f"{library}/libfilch.a", "-lpthread"]
    internal = include + [f"-I{ROOT}/runtime", f"-I{ROOT}/api", f"{library}/libfilch.a", "-lpthread"]
    c = ["gcc", "-std=gnu11", "-Wno-unknown-pragmas"] + FLAGS
    recipes = {
        "recursion-serial": c + ["-DSERIAL", SOURCES / "recursion.c"],
        "recursion-filch": c + [SOURCES / "recursion.c"] + filch,
        "recursion-gomp": c + ["-fopenmp", SOURCES / "recursion_omp.c"],
        "recursion-omp": ["clang", "-fopenmp"] + FLAGS + [SOURCES / "recursion_omp.c"],
        "map-serial": c + ["-DSERIAL", SOURCES / "map.c"],
        "map-filch": c + [SOURCES / "map.c"] + filch,
        "map-gomp": c + ["-fopenmp", SOURCES / "map.c"],
        "map-omp": ["clang", "-fopenmp"] + FLAGS + [SOURCES / "map.c"],
        "tasks-filch": c + [SOURCES / "tasks.c"] + filch,
        "talk-filch": c + [SOURCES / "talk.c"] + filch,
        "crowd-filch": c + [SOURCES / "crowd.c"] + filch,
        "shapes-serial": c + ["-DSERIAL", SOURCES / "shapes.c"],
        "shapes-filch": c + [SOURCES / "shapes.c"] + filch,
        "shapes-gomp": c + ["-fopenmp", SOURCES / "shapes.c"],
        "shapes-omp": ["clang", "-fopenmp"] + FLAGS + [SOURCES / "shapes.c", "-lm"],
        "sums-serial": c + ["-DSERIAL", SOURCES / "sums.c"],
        "sums-filch": c + [SOURCES / "sums.c"] + filch,
        "sums-gomp": c + ["-fopenmp", SOURCES / "sums.c"],
        "sums-omp": ["clang", "-fopenmp"] + FLAGS + [SOURCES / "sums.c"],
        "primitives": c + [SOURCES / "primitives.c"],
        "footprint": c + [SOURCES / "footprint.c"] + internal,
        "counters": c + [SOURCES / "counters.c"] + internal,
        "waiting-loops": c + [SOURCES / "waiting_loops.c"] + filch,
        "loops": c + [SOURCES / "loops.c"] + filch,
        "never-slower": c + [SOURCES / "never_slower.c"] + filch,
        "startup-serial": c + ["-DSERIAL", SOURCES / "startup.c"],
        "startup-filch": c + [SOURCES / "startup.c"] + filch,
        "graphs-filch": c + [SOURCES / "graphs.c"] + filch,
        "graphs-tbb": ["g++", "-std=c++17"] + FLAGS + [SOURCES / "graphs_tbb.cpp", "-ltbb"],
        "graphs-taskflow": ["g++", "-std=c++20"] + FLAGS + [SOURCES / "graphs_taskflow.cpp",
                                                            "-lpthread"],
        "all-tbb": ["g++", "-std=c++17"] + FLAGS + [SOURCES / "all_tbb.cpp", "-ltbb"],
    }
    for peer in ("serial", "filch", "tbb", "bs", "std"):
        recipes[f"lambdas-{peer}"] = ["g++", "-std=c++17", f'-DPEER="lambdas_{peer}.hpp"'] + FLAGS + \
            [SOURCES / "lambdas.cpp"] + {"filch": filch, "tbb": ["-ltbb"]}.get(peer, ["-lpthread"])
    commands = {}
    for name, recipe in recipes.items():
        source = next(part for part in recipe if isinstance(part, Path))
        if source.exists() and shutil.which(recipe[0]):
            done = subprocess.run([*map(str, recipe), "-o", str(folder / name)],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if done.returncode == 0:
                commands[name] = [str(folder / name)]
            else:
                missing = re.search(r"fatal error: (\S+): No such file", done.stdout)
                why = f"{missing[1]} not found" if missing else done.stdout.strip().splitlines()[0]
                print(f"left out: {name}: {why}")
    for name in ("all", "talk") if shutil.which("go") else ():
        run(["go", "build", "-o", folder / f"{name}-go", SOURCES / f"{name}.go"],
            env={"GOCACHE": str(folder / "go-cache"), "HOME": str(folder), "PATH": "/usr/bin:/bin"})
        commands[f"{name}-go"] = [str(folder / f"{name}-go")]
    commands["all-py"] = ["python3", str(SOURCES / "all.py")]
    return commands
