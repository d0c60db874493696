#!/usr/bin/env python3
"""An editor finds its way in what filch generates: clangd is asked about tests/editor.c.

Argument: the source folder. Names there end in _of; each is asked for where the generator gets it.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile


TYPES = {"ints_of"}  # clangd 14 renames a struct that a macro makes, but gives no references


class Server:
    """clangd, spoken to in its protocol."""

    def __init__(self, folder):
        self.process = subprocess.Popen(
            ["clangd", "--background-index=false", "--clang-tidy=false", "-j=2", "--log=error", "--limit-results=0"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder)
        self.asked = 0

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def receive(self):
        length = 0
        while (line := self.process.stdout.readline().strip()):
            if line.startswith(b"Content-Length:"):
                length = int(line.split()[1])
        if not length:
            sys.exit("clangd has ended")
        return json.loads(self.process.stdout.read(length))

    def ask(self, method, params):
        self.asked += 1
        self.send({"id": self.asked, "method": method, "params": params})
        while True:
            answer = self.receive()
            if answer.get("id") == self.asked and "method" not in answer:
                return answer.get("result")


def place(text, offset):
    before = text[:offset]
    return {"line": before.count("\n"), "character": offset - (before.rfind("\n") + 1)}


def starts(ranges):
    return sorted((r["start"]["line"], r["start"]["character"]) for r in ranges)


def words(text, name):
    found = [place(text, m.start()) for m in re.finditer(rf"\b{name}\b", text)]
    return sorted((at["line"], at["character"]) for at in found)


def check_name(server, uri, text, name):
    """References to it, and a new name for it, are where the word stands."""
    at = {"textDocument": {"uri": uri},
          "position": place(text, re.search(rf"\b{name}\b", text).start())}
    found = server.ask("textDocument/references", {**at, "context": {"includeDeclaration": True}})
    edits = server.ask("textDocument/rename", {**at, "newName": "other"}) or {}
    renamed = [edit["range"] for file in edits.get("changes", {}).values() for edit in file]
    wanted = words(text, name)
    bad = 0
    for what, got in (("references", starts([r["range"] for r in found or []])),
                      ("rename", starts(renamed))):
        if sorted(set(got)) != wanted and not (what == "references" and name in TYPES):
            print(f"{what} of {name}: {got}, but the word is at {wanted}")
            bad += 1
    return bad


# What is completed behind the name of a function: what a user calls or names, nothing else.
COMPLETED = """after apply apply_async args bind callable capture capture_owned continuation
    filler generator get imap imap_from imap_next imap_next_until imap_unordered imap_unordered_from info lazy
    lazy_map map map_async map_from map_strided next node spawn starmap starmap_async then""".split()


def check_completion(server, uri, text, call):
    begun = text.replace(call, "half_of_")
    server.send({"method": "textDocument/didChange", "params": {
        "textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"text": begun}]}})
    answer = server.ask("textDocument/completion", {
        "textDocument": {"uri": uri}, "position": place(begun, begun.index("half_of_;") + 8)})
    got = {item["filterText"] for item in answer["items"]}
    wanted = {"half_of_" + name for name in COMPLETED}
    if got != wanted:
        print("completed, but should not be:", sorted(got - wanted))
        print("not completed:", sorted(wanted - got))
    return got != wanted


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    text = (root / "tests/editor.c").read_text()
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "editor.c")
        file.write_text(text)
        pathlib.Path(folder, "compile_flags.txt").write_text(
            f"-std=c11\n-I{root}/api/include\n-I{root}/runtime/include\n")
        server = Server(folder)
        server.ask("initialize", {"processId": None, "rootUri": f"file://{folder}", "capabilities": {}})
        server.send({"method": "initialized", "params": {}})
        uri = f"file://{file}"
        server.send({"method": "textDocument/didOpen", "params": {"textDocument": {
            "uri": uri, "languageId": "c", "version": 1, "text": text}}})
        names = sorted(set(re.findall(r"\b\w+_of\b", text)))
        bad = sum(check_name(server, uri, text, name) for name in names)
        bad += check_completion(server, uri, text, "(void)half_of_map(NULL, x, 2, x)")
        server.ask("shutdown", None)
        server.send({"method": "exit"})
        server.process.wait(60)
    print(f"{2 * len(names) - len(TYPES) + 1 - bad} passed, {bad} failed")
    sys.exit(bool(bad) or len(names) < 14)


main()
