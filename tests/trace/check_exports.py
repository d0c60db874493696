"""Checks what filch-trace exports: check_exports.py PERFETTO CHROME CSV.

The checks themselves are checked: each must find what it is there for in a damaged copy.
"""
import copy
import csv
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BEGIN, END, INSTANT, COUNTER = 1, 2, 3, 4


# ---- Perfetto ----

def decode(path):
    """The packets, each a dict of lists."""
    with open(path, "rb") as data:
        text = subprocess.run(["protoc", "--decode=Trace", "-I", HERE, "perfetto.proto"],
                              stdin=data, capture_output=True, check=True).stdout.decode()
    root = {}
    stack = [root]
    for line in text.splitlines():
        line = line.strip()
        if line.endswith("{"):
            inner = {}
            stack[-1].setdefault(line[:-1].strip(), []).append(inner)
            stack.append(inner)
        elif line == "}":
            stack.pop()
        else:
            key, value = line.split(": ", 1)
            stack[-1].setdefault(key, []).append(value.strip('"'))
    return root["packet"]


def unknown_fields(node):
    for key, values in node.items():
        if key.isdigit():
            yield f"field {key} is not in the schema"
        for value in values:
            if isinstance(value, dict):
                yield from unknown_fields(value)


def check_perfetto(packets):
    """What is wrong with it."""
    wrong = []
    tracks, names, open_slices, last = {}, set(), {}, {}
    starts, ends = [], []
    for packet in packets:
        wrong += unknown_fields(packet)
        for track in packet.get("track_descriptor", []):
            parent = track.get("parent_uuid")
            if parent and parent[0] not in tracks:
                wrong.append("a track's parent is not described before it")
            tracks[track["uuid"][0]] = track
        for data in packet.get("interned_data", []):
            names |= {name["iid"][0] for name in data["event_names"]}
        for event in packet.get("track_event", []):
            kind, track = int(event["type"][0]), event["track_uuid"][0]
            ns = int(packet["timestamp"][0])
            if track not in tracks:
                wrong.append("an event's track is not described")
            if kind in (BEGIN, INSTANT) and event["name_iid"][0] not in names:
                wrong.append("a name is not interned before it is used")
            if kind == COUNTER and "counter" not in tracks.get(track, {}):
                wrong.append("a counter's track is none")
            if kind in (BEGIN, END):
                if ns < last.get(track, 0):
                    wrong.append("time goes backward in a track")
                last[track] = ns
                depth = open_slices.get(track, 0) + (1 if kind == BEGIN else -1)
                open_slices[track] = depth
                if depth < 0:
                    wrong.append("a slice ends that has not begun")
            starts += event.get("flow_ids", [])
            ends += event.get("terminating_flow_ids", [])
    if any(open_slices.values()):
        wrong.append("a slice does not end")
    if sorted(starts) != sorted(ends) or len(set(starts)) != len(starts):
        wrong.append("a flow has not one start and one end")
    return wrong


def events_of(packets, kind):
    return [i for i, p in enumerate(packets)
            if "track_event" in p and int(p["track_event"][0]["type"][0]) == kind]


def damaged_perfetto(packets):
    def without(index):
        return packets[:index] + packets[index + 1:]

    def changed(index, change):
        copied = copy.deepcopy(packets)
        change(copied[index])
        return copied

    ends = events_of(packets, END)
    flows = [i for i in events_of(packets, INSTANT)
             if "terminating_flow_ids" in packets[i]["track_event"][0]]
    names = [i for i, p in enumerate(packets) if "interned_data" in p]
    yield "an end is missing", without(ends[0])
    yield "a begin is missing", without(events_of(packets, BEGIN)[0])
    yield "no name is interned", [p for i, p in enumerate(packets) if i not in names]
    yield "a track is missing", [p for p in packets if "track_descriptor" not in p]
    yield "time goes backward", changed(ends[-1], lambda p: p.update(timestamp=["0"]))
    yield "an unknown field", changed(ends[0], lambda p: p.update({"99": ["1"]}))
    if flows:
        yield "a flow does not end", without(flows[0])


# ---- Chrome ----

def check_chrome(text):
    wrong = []
    trace = json.loads(text)
    if re.search(r'"(ts|dur)":(?!-?\d+\.\d{3}[,}])', text):
        wrong.append("a time has not three decimals")
    tracks, flows = {}, {}
    for event in trace["traceEvents"]:
        if event["ph"] == "X":
            begin = round(event["ts"] * 1000)
            tracks.setdefault(event["tid"], []).append((begin, begin + round(event["dur"] * 1000)))
        elif event["ph"] in "sf":
            flows.setdefault(event["id"], []).append(event["ph"])
    for slices in tracks.values():
        open_ends = []
        for begin, end in sorted(slices, key=lambda s: (s[0], -s[1])):
            while open_ends and open_ends[-1] <= begin:
                open_ends.pop()
            if end < begin or (open_ends and end > open_ends[-1]):
                wrong.append("slices overlap without one being in the other")
            open_ends.append(end)
    if any(sorted(ends) != ["f", "s"] for ends in flows.values()):
        wrong.append("a flow has not one start and one end")
    return wrong


def damaged_chrome(text):
    trace = json.loads(text)
    slices = [e for e in trace["traceEvents"] if e["ph"] == "X" and e["dur"] > 0]
    flows = [e for e in trace["traceEvents"] if e["ph"] == "f"]
    yield "fewer decimals", re.sub(r'"ts":(\d+)\.\d{3}', r'"ts":\1', text, count=1)
    longer = copy.deepcopy(trace)
    first = next(e for e in longer["traceEvents"] if e["ph"] == "X" and e == slices[0])
    longer["traceEvents"].append(dict(first, ts=first["ts"] + first["dur"] / 2))
    yield "slices overlap", json.dumps(longer)
    if flows:
        trace["traceEvents"].remove(flows[0])
        yield "a flow does not end", json.dumps(trace)


# ---- CSV ----

def check_csv(path):
    wrong = []
    with open(path, newline="", encoding="utf-8", errors="surrogateescape") as data:
        rows = list(csv.DictReader(data))
    for row in rows:
        if row["ended_ns"] and int(row["ended_ns"]) < int(row["began_ns"]):
            wrong.append("a task ends before it begins")
        if row["parent"] and not 0 <= int(row["parent"]) < len(rows):
            wrong.append("a parent is not there")
        for need in row["needs"].split():
            if int(rows[int(need)]["ended_ns"]) > int(row["began_ns"]):
                wrong.append("a task begins before one that it needs has ended")
    return wrong


def main():
    perfetto, chrome, table = sys.argv[1:]
    with open(chrome, encoding="utf-8") as data:
        text = data.read()
    packets = decode(perfetto)
    wrong = check_perfetto(packets) + check_chrome(text) + check_csv(table)
    wrong += [f"not found in a damaged copy: {what}" for what, copied in damaged_perfetto(packets)
              if not check_perfetto(copied)]
    wrong += [f"not found in a damaged copy: {what}" for what, copied in damaged_chrome(text)
              if not check_chrome(copied)]
    for line in sorted(set(wrong)):
        print(line)
    sys.exit(1 if wrong else 0)


main()
