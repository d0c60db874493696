"""gdb commands for programs that use filch: source this file, then

    filch-tasks              the tasks of all pools: what they run, what they wait for
    filch-bt ADDRESS [N]     the stack of a suspended task, N frames at most (default 30)
    filch-bt all [N]         those of all suspended tasks

and has `step` go over what filch's macros make, f_map() of FILCH_FUNCTION(..., f, ...) and the others,
and over the library; `info skip` shows the rules, `skip delete` ends that.

The library must have been built with debug information (-DCMAKE_BUILD_TYPE=RelWithDebInfo), and the
process must be alive: its saved registers are put in place for a moment, to walk a suspended stack.
"""

import re

import gdb

# Where a suspended stack has its registers (switch_x86_64.S, switch_aarch64.S): name -> offset from
# the saved stack pointer; and how much of the stack they take.
LAYOUTS = {
    "x86-64": ({"r15": 8, "r14": 16, "r13": 24, "r12": 32, "rbx": 40, "rbp": 48, "pc": 56}, 64),
    "aarch64": (dict({"x%d" % (19 + i): 8 * i for i in range(11)}, pc=88), 176),
}


def layout():
    arch = gdb.selected_frame().architecture().name()
    for name, found in LAYOUTS.items():
        if name in arch:
            return found
    raise gdb.GdbError("the stacks of %s are not known" % arch)


def pools():
    pool = gdb.parse_and_eval("the_process.pools")
    while pool:
        yield pool.dereference()
        pool = pool["next_pool"]


CACHE_LINE = 64  # FILCH_CACHE_LINE: how far the places of neighbouring headers differ (stack.c)


def fibers(pool):
    """Each fiber that there is; a free one does nothing and waits for nothing."""
    stacks = pool["stacks"]
    fiber_type = gdb.lookup_type("struct filch_fiber").pointer()
    slab = stacks["slabs"]
    while slab:
        for i in range(int(slab["used"])):
            piece = int(slab["memory"]) + int(slab["stock"]["stride"]) * i
            address = piece + int(slab["stock"]["header_at"]) + CACHE_LINE * i
            yield gdb.Value(address).cast(fiber_type).dereference()
        slab = slab["next"]


def is_suspended(fiber):
    return int(fiber["own_party"]["word"]) % 2 == 1


def describe(fiber):
    """None: it is an idle thread's."""
    party = fiber["own_party"]
    doing = int(party["doing"])
    if not doing and not is_suspended(fiber):
        return None
    name = "without a name"
    if doing:
        info = gdb.Value(doing).cast(gdb.lookup_type("filch_function_info").pointer())
        place = info["file"].string().rsplit("/", 1)[-1]
        name = "%s (%s:%d)" % (info["name"].string(), place, int(info["line"]))
    waits = "runs, or is ready to"
    if is_suspended(fiber):
        waits = "waits for " + party["kind"]["what"].string()
    return "task %#x %s %s" % (int(party.address), name, waits)


def all_tasks():
    for pool in pools():
        for fiber in fibers(pool):
            text = describe(fiber)
            if text:
                yield fiber, text


def backtrace(fiber, frames):
    """With the fiber's registers in those of the selected thread, which gets its own back."""
    offsets, size = layout()
    sp = int(fiber["context"]["sp"])
    word = gdb.lookup_type("unsigned long").pointer()
    names = list(offsets) + ["sp"]
    gdb.execute("frame 0", to_string=True)
    before = {name: int(gdb.parse_and_eval("$" + name)) for name in names}
    try:
        saved = {n: int(gdb.Value(sp + at).cast(word).dereference()) for n, at in offsets.items()}
        for name, value in dict(saved, sp=sp + size).items():
            gdb.execute("set $%s = %d" % (name, value))
        gdb.execute("bt %d" % frames)
    finally:
        for name, value in before.items():
            gdb.execute("set $%s = %d" % (name, value))


class Tasks(gdb.Command):
    """The tasks of all pools: what they run, what they wait for."""

    def __init__(self):
        super().__init__("filch-tasks", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        for _, text in all_tasks():
            print(text)


class Backtrace(gdb.Command):
    """filch-bt ADDRESS|all [FRAMES]: the stack of a suspended task."""

    def __init__(self):
        super().__init__("filch-bt", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        words = gdb.string_to_argv(argument)
        if not words:
            raise gdb.GdbError("which task? filch-tasks tells")
        frames = int(words[1]) if len(words) > 1 else 30
        wanted = None if words[0] == "all" else int(words[0], 0)
        found = False
        for fiber, text in all_tasks():
            if wanted in (None, int(fiber["own_party"].address)):
                found = True
                print(text)
                if is_suspended(fiber):
                    backtrace(fiber, frames)
        if not found:
            raise gdb.GdbError("there is no such task")


VERBS = """after|all|any|apply|apply_async|bind|capture|capture_owned|catch|count|filter|find
    |fork|for|for_async|for_tiled|get|imap|imap_from|imap_next|imap_next_until|imap_unordered
    |imap_unordered_from|lazy|map|map_async|map_from|map_range|map_strided|max|min|next|parallel
    |pipeline|reduce|scan|scan_exclusive|serial|sort|spawn|starmap|starmap_async|then"""


def skip_generated(_):
    """Each generator makes a name_info: nothing else that ends in a verb is gone over."""
    listed = gdb.execute("info variables -q -n -t filch_function_info _info$", to_string=True)
    names = sorted(set(re.findall(r" (\w+)_info;", listed)))
    if names:
        verbs = re.sub(r"\s", "", VERBS)
        gdb.execute("skip -rfu ^(%s)_(%s)$" % ("|".join(names), verbs), to_string=True)


def skip_always():
    gdb.execute("skip -rfu ^filch_", to_string=True)
    skip_generated(None)
    gdb.events.new_objfile.connect(skip_generated)


Tasks()
Backtrace()
skip_always()
