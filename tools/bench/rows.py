"""What is measured: each row names its contenders, the first of which the others are divided by."""
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Contender:
    label: str
    program: str  # as built by programs.py
    row: str
    workers: int
    size: int  # how much is measured at once; the result is per operation
    alone: bool = False  # its checksum is of another size: not to be compared
    trace: str = ""  # the level at which it is recorded; "": it is not
    quick: int = 0  # the size with --quick; 0: the same


@dataclass(frozen=True)
class Row:
    name: str
    title: str
    unit: str  # "ns": of an operation
    goal: str
    contenders: tuple

    @property
    def base(self):
        return self.contenders[0]

    def with_quick_sizes(self):
        quick = (replace(c, size=c.quick) if c.quick else c for c in self.contenders)
        return replace(self, contenders=tuple(quick))


def recursion(name, title, goal, size, slow_size):
    """Serial, filch on one and two workers, and the peers, which get smaller problems."""
    def peer(label, program):
        return Contender(label, program, name, 2, slow_size, alone=slow_size != size)

    contenders = [
        Contender("serial", "recursion-serial", name, 1, size),
        Contender("filch, 1", "recursion-filch", name, 1, size),
        Contender("filch, 2", "recursion-filch", name, 2, size),
        Contender("oneTBB, 1", "all-tbb", name, 1, slow_size, alone=slow_size != size),
        peer("oneTBB, 2", "all-tbb"),
        peer("libgomp, 2", "recursion-gomp"),
        peer("libomp, 2", "recursion-omp"),
    ]
    if name == "fib":
        contenders.append(peer("Go, 2", "all-go"))
    return Row(name, title, "ns", goal, tuple(contenders))


def forked(name, title, goal, size, slow_size):
    """The same beside libgomp alone, which copes with both."""
    return Row(name, title, "ns", goal, (
        Contender("serial", "recursion-serial", name, 1, size),
        Contender("filch, 1", "recursion-filch", name, 1, size),
        Contender("filch, 2", "recursion-filch", name, 2, size),
        Contender("libgomp, 2", "recursion-gomp", name, 2, slow_size, alone=slow_size != size)))


def shaped(name, title, goal, size, peers=(("libgomp, 2", "shapes-gomp"),
                                           ("libomp, 2", "shapes-omp"))):
    """A loop of shapes.c: serial, filch on one and two workers, and the peers."""
    contenders = [
        Contender("serial", "shapes-serial", name, 1, size),
        Contender("filch, 1", "shapes-filch", name, 1, size),
        Contender("filch, 2", "shapes-filch", name, 2, size),
    ]
    contenders += [Contender(label, program, name, int(label[-1]), size)
                   for label, program in peers]
    return Row(name, title, "ns", goal, tuple(contenders))


def summing(name, title, goal, size, also=()):
    """A loop of sums.c, and other ways to do the same, on two workers: (label, row)."""
    contenders = [Contender(label, program, name, workers, size) for label, program, workers in (
        ("serial", "sums-serial", 1), ("filch, 1", "sums-filch", 1), ("filch, 2", "sums-filch", 2),
        ("libgomp, 2", "sums-gomp", 2), ("libomp, 2", "sums-omp", 2))]
    contenders += [Contender(label, "sums-filch", row, 2, size) for label, row in also]
    return Row(name, title, "ns", goal, tuple(contenders))


def graphed(shape, title, size=4096):
    """A graph of tasks: made once and run again and again; made anew each time, too."""
    contenders = [Contender(f"{label}, {workers}", program, f"{shape}_again", workers, size)
                  for label, program in (("filch", "graphs-filch"), ("oneTBB", "graphs-tbb"),
                                         ("Taskflow", "graphs-taskflow"))
                  for workers in (1, 2)]
    contenders += [Contender(f"{label}, 2, anew", program, row, 2, size)
                   for label, program, row in (
                       ("filch", "graphs-filch", shape), ("oneTBB", "graphs-tbb", shape),
                       ("Taskflow", "graphs-taskflow", shape),
                       ("filch's futures", "graphs-filch", f"{shape}_futures"))]
    return Row(f"graph_{shape}", title, "ns", "<= the best peer", tuple(contenders))


def talking(program, name, title, size):
    """filch and Go, each on one and on two workers."""
    def one(label, program, workers):
        return Contender(f"{label}, {workers}", program, name, workers, size, quick=size // 10)

    return Row(name, title, "ns", "<= Go", (
        one("filch", program, 1), one("filch", program, 2),
        one("Go", "talk-go", 1), one("Go", "talk-go", 2)))


def mapping(name, title, goal, size, go=True):
    contenders = [
        Contender("serial", "map-serial", name, 1, size),
        Contender("filch, 2", "map-filch", name, 2, size),
        Contender("oneTBB, 2", "all-tbb", name, 2, size),
        Contender("libgomp, 2", "map-gomp", name, 2, size),
        Contender("libomp, 2", "map-omp", name, 2, size),
    ]
    if go:
        contenders.append(Contender("Go, 2", "all-go", name, 2, size))
    if name == "seed":
        contenders.append(Contender("Python list", "all-py", "seed_comprehension", 1, 20))
        contenders.append(Contender("Python Pool, 2", "all-py", "seed", 2, 20))
    return Row(name, title, "ns", goal, tuple(contenders))


def tasks(name, title, goal, size, peers=("all-tbb", "all-go"), primitive=None,
          workers=(2, 1)):
    labels = {"all-tbb": "oneTBB", "all-go": "Go"}
    contenders = []
    if primitive:
        contenders.append(Contender(*primitive, alone=True))
    contenders += [Contender(f"filch, {w}", "tasks-filch", name, w, size) for w in workers]
    contenders += [Contender(f"{labels[p]}, {w}", p, name, w, size) for p in peers
                   for w in ((2, 1) if p == "all-go" else (2,))]
    return Row(name, title, "ns", goal, tuple(contenders))


def lambdas(name, title, goal, size, serial=True, std_size=0):
    """The same in libraries of C++, each on one and on two workers (lambdas.cpp)."""
    def one(label, program, workers, its_size=size):
        return Contender(f"{label}, {workers}", f"lambdas-{program}", name, workers, its_size,
                         alone=its_size != size)

    contenders = [one("filch.hpp", "filch", 2), one("filch.hpp", "filch", 1)]
    if serial:
        contenders.append(Contender("serial", "lambdas-serial", name, 1, size))
    contenders += [one(label, program, workers, its_size) for label, program, its_size in (
        ("oneTBB", "tbb", size), ("BS::thread_pool", "bs", size),
        ("std::async", "std", std_size or size)) for workers in (2, 1)]
    return Row(f"cpp_{name}", title, "ns", goal, tuple(contenders))


FUTEX = ("futex round trip", "primitives", "futex", 2, 20000)
THREAD = ("thread create + join", "primitives", "thread", 1, 2000)

ROWS = (
    recursion("fib", "fib without cut-off, per call of the result", "filch <= 1.15 on 1; 2: <= 0.59",
              38, 27),
    recursion("queens", "n-queens without cut-off, per solution", "filch <= 1.08 on 1; 2: <= 0.56",
              12, 10),
    recursion("small_tree", "sum of a tree of 1,023 nodes, per node", "serial + 3 ns", 20000, 200),
    recursion("big_tree", "sum of a tree of 2^24 nodes, per node",
              "serial + 0.6 ns on 1; 2: <= 0.54", 24, 20),
    forked("uneven_tree", "sum of a tree of 4*10^6 nodes, 16,000 deep, per node",
           "as big_tree", 4000000, 4000000),
    forked("knapsack", "knapsack of n things without a bound, per 2^n",
           "<= 1.08 on 1; 2: <= 0.56", 26, 20),
    mapping("few", "map of 8 elements, warm", "serial + 100 ns", 200000),
    mapping("few_cold", "map of 8 elements after 5 ms of sleep", "serial + 300 ns", 51),
    mapping("seed", "map of 5,000 squares, warm", "serial + 200 ns", 20000),
    mapping("seed_cold", "map of 5,000 squares after 100 ms of sleep", "serial + 500 ns", 11),
    mapping("many", "map of 10^7 squares", "<= 0.75 of two bare threads", 10000000),
    mapping("heavy", "loop of 4,096, heavy-tailed and sorted", "<= 0.505 of serial", 4096, go=False),
    shaped("tiny", "loop of 5,000 x 1 ns, warm", "serial", 20000),
    shaped("tiny_cold", "the same after 5 ms of sleep", "serial", 51),
    shaped("short", "loop of 64 x 40 ns, warm", "<= 0.6 of serial", 50000),
    shaped("wavefront", "table of 2,048 x 2,048, diagonals of blocks of 32 x 32",
           "<= 0.55 of serial", 2048),
    shaped("stencil", "a sweep over 512 x 512, row by row", "<= 0.55 of serial", 512),
    shaped("two_long", "two elements of 100 ms, 65,536 apart among 10^6", "<= 0.55 of serial",
           1000000),
    shaped("scan", "scan of 3*10^7", "serial on 1", 30000000,
           peers=(("oneTBB, 1", "all-tbb"), ("oneTBB, 2", "all-tbb"), ("libgomp, 2", "shapes-gomp"))),
    shaped("scan_few", "scan of 10^4", "serial on 1", 20000),
    shaped("scan_dear", "scan of 10^4 x 50 ns", "serial on 1, <= 0.7 on 2", 200),
    summing("histogram", "histogram of 10^7 bytes", "<= 0.55 of serial", 10000000),
    summing("sum_of_f", "sum of f(x) over 10^7 doubles", "<= 0.55 of serial", 10000000,
            also=(("filch, 2, map and reduce", "two_passes"),)),
    tasks("futures", "10^6 empty tasks with futures from outside, each", "150 ns", 1000000),
    tasks("round_trip", "submit one task and wait, warm", "300 ns", 100000, primitive=FUTEX),
    tasks("round_trip_cold", "the same with gaps of 1 ms", "1 us", 101, primitive=FUTEX),
    tasks("open_close", "open a pool, run a task on a thread, close", "thread + 8 us", 200,
          peers=(), primitive=THREAD),
    tasks("open_close_unused", "the same when the caller does it all", "5 us", 2000, peers=(),
          primitive=THREAD),
    tasks("block", "create a task that blocks, one of 10^5", "1.5 us", 100000, peers=("all-go",)),
    tasks("unblock", "wake and finish it", "0.4 us", 100000, peers=("all-go",)),
    tasks("switch", "a switch between two fibers", "20 ns + queue", 1000000, peers=("all-go",)),
    graphed("wavefront", "graph of 64 x 64 tasks, each after two, a task"),
    graphed("random", "graph of 4,096 tasks, each after up to four, a task"),
    graphed("tree", "graph of 4,096 tasks, a binary tree from its root, a task"),
    Row("startup", "start and end the smallest program", "ns", "serial + 100 us",
        (Contender("serial", "startup-serial", "startup", 1, 100),
         Contender("filch, 2", "startup-filch", "startup", 2, 100))),
    tasks("idle", "processor time of an idle pool in 3 s", "0", 3, peers=(),
          workers=(2,)),
)

ROWS += (
    talking("talk-filch", "ping_pong", "there and back over two unbuffered channels", 100000),
    talking("talk-filch", "channel", "channel of 100, 1 producer, 1 consumer, an item", 500000),
    talking("talk-filch", "channel_4_4", "the same, 4 producers, 4 consumers", 500000),
    talking("talk-filch", "fan_in", "unbuffered channel, 8 producers, 1 consumer, an item", 400000),
    talking("talk-filch", "pipeline", "pipeline of 3 stages, channels of 100, an item", 200000),
    talking("talk-filch", "select_8", "select over 8 unbuffered channels, an item", 100000),
    talking("talk-filch", "mutex_contended", "lock + unlock, 8 tasks", 1000000),
    talking("talk-filch", "mutex_free", "lock + unlock, 1 task", 1000000),
    talking("talk-filch", "mutex_held", "lock, 1 us, unlock, 8 tasks", 50000),
    talking("talk-filch", "rwlock_read", "read-write lock, 8 tasks, 1 in 1,000 writes", 1000000),
    talking("talk-filch", "rwlock_tenth", "the same, 1 in 10 writes", 1000000),
    talking("talk-filch", "semaphore", "acquire + release, 4 permits, 8 tasks", 1000000),
    talking("talk-filch", "semaphore_full", "the same, yielding meanwhile", 200000),
    talking("crowd-filch", "spawn_group", "spawn 5*10^5 and wait for all, each", 500000),
    talking("crowd-filch", "spawn_inside", "the same from inside a task", 500000),
    talking("crowd-filch", "spawn_futures", "the same with a future each (Go: no result)", 500000),
    talking("crowd-filch", "wait_group", "wait group of 10^5, each", 100000),
    talking("crowd-filch", "sleepers", "10^5 tasks that sleep 0.2 s, all together", 100000),
    talking("crowd-filch", "broadcast", "condition, broadcast to 10^5, each", 100000),
    talking("crowd-filch", "tcp_echo", "TCP echo of 64 bytes, 1,000 connections, a message", 20000),
)


ROWS += (
    lambdas("async_get", "C++: async(f).get(), from outside", "300 ns", 20000, serial=False),
    lambdas("each_task", "C++: 10^5 tasks without results, and wait, each", "<= oneTBB", 100000,
            serial=False, std_size=5000),
    lambdas("each_index", "C++: parallel_for of 10^6 squares", "<= 0.75 of serial", 1000000),
    lambdas("sum", "C++: reduce of 10^7 doubles", "<= 0.55 of serial", 10000000),
)


def scale(name, title, program, row, size):
    """The same on more workers than processors: what over-subscription costs."""
    return Row(name, title, "ns", "<= 1.05 on 64 workers",
               tuple(Contender(f"filch, {w}", program, row, w, size) for w in (2, 4, 8, 16, 64)))


ROWS += (
    scale("scale_fib", "fib on more workers than processors", "recursion-filch", "fib", 36),
    scale("scale_heavy", "heavy-tailed loop on more workers than processors", "map-filch", "heavy",
          4096),
    scale("scale_futures", "futures on more workers than processors", "tasks-filch", "futures",
          200000),
)



def recorded(name, title, goal, program, row, size):
    """The same while it is recorded: what a trace costs."""
    return Row(name, title, "ns", goal,
               tuple(Contender(f"filch, 2{', ' + level if level else ''}", program, row, 2, size,
                               trace=level) for level in ("", "sched", "tasks", "all")))


ROWS += (
    recorded("trace_fib", "fib while it is recorded", "sched <= 1.01", "recursion-filch", "fib", 30),
    recorded("trace_heavy", "heavy-tailed loop while it is recorded", "sched <= 1.01",
             "map-filch", "heavy", 4096),
    recorded("trace_futures", "empty tasks while they are recorded", "tasks: 25 ns more",
             "tasks-filch", "futures", 200000),
)

# The sweep: automatic chunks over the best fixed chunk (loops.c). Costs are in ns an element.
SWEEP_PATTERNS = ("uniform", "rising", "heavy", "alternating")
SWEEP_COSTS = tuple(10 ** e for e in range(10))
SLEEP_COSTS = tuple(10 ** e for e in range(5, 10))
SWEEP_WORKERS = (1, 2, 8)

# Never slower than serial (never_slower.c): the ways to go over elements, and ns an element.
SERIAL_WAYS = ("map", "reduce", "fork")
SERIAL_ALGORITHMS = ("scan", "filter", "sort")  # with the pool awake
SERIAL_COSTS = (1, 10, 100, 1000, 10000)
