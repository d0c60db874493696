"""filter.py HEADER: the header as Doxygen wants it, for the reference (Doxyfile.in).

The headers' comments are plain ones. A comment at the left margin is about what follows up to the next empty
line: each of those declarations gets it. In a header of C++ so is one at the margin of a class, and one
behind the head of a function is about that. The words that begin its parts (Args, Errors, Throws, Threads ...)
become paragraphs of that name.
"""
import re
import sys

PART = re.compile(r"(?:^|(?<=[.;)] ))(Args|Errors|Owns|Threads|Throws|Returns|Source):\s*", re.MULTILINE)
BLOCKING = re.compile(r"(?<=\. )(Does not block\.|Blocks\b[^.]*\.)")
SPECIAL = re.compile(r"([@\\<>#%])")
# In C++: the head of a function of a class and a comment behind it; what is no use to a reader.
HEAD = re.compile(r"( {4}\w.*\).*?) (/\*.*\*/)$")
DELETED = re.compile(r" {4}.*= delete;$")
OUTSIDE = re.compile(r"template <.*> template <.*>")  # a definition of what its class declares
LISTING = "    "  # a block that begins with this is an example


def capital(text):
    """A sentence; a name stays as it is."""
    return text if re.match(r"\w*[_(]", text) else text[:1].upper() + text[1:]


def paragraph(text):
    """Prose: what Doxygen would take for a command or a tag is text."""
    text = SPECIAL.sub(r"\\\1", text)
    if text.startswith("Effect:"):
        text = capital(text[len("Effect:"):].lstrip())
    text = PART.sub(lambda part: f"\n\\par {part.group(1)}\n", text)
    return BLOCKING.sub(r"\n\\par Blocking\n\1", text)


def without_stars(line):
    return re.sub(r"^( {4})?(/\*| \*)? ?", "", re.sub(r"\s*\*/\s*$", "", line), count=1)


def documented(comment, of_file):
    """The lines of a comment as one for Doxygen."""
    text = "\n".join(without_stars(line) for line in comment)
    if of_file:
        text = capital(re.sub(r"^filch/\w+\.h(pp)?: ", "", text))
    blocks = re.split(r"\n\s*\n", text)
    prose = [block if block.startswith(LISTING) else paragraph(block) for block in blocks]
    return "/** " + ("\\file\n" if of_file else "") + "\n\n".join(prose) + " */\n"


def with_members(line):
    """A comment behind a member, or on a line of its own above one, is about it."""
    behind = re.sub(r"^(\s+[^\s/*].*[;,\w\])}])\s+/\*\s*", r"\1 /**< ", line)
    return re.sub(r"^(\s+)/\*(?!\*)\s*", r"\1/** ", behind)


def is_documentation(line, of_class):
    """of_class: is it a header of C++, where a class has members?"""
    start = line.removeprefix(LISTING) if of_class else line
    return start.startswith("/*") and not start.startswith(("/* ----", "/* clang-format"))


def ends_declaration(line):
    return line.endswith((";", "}")) or (line.startswith("#define") and not line.endswith("\\"))


def depth_of(line):
    return line.count("{") - line.count("}") + line.count("(") - line.count(")")


class Filter:
    """Goes through a header line by line, and knows what the last comment is about."""

    def __init__(self, of_class):
        self.of_class = of_class
        self.out = []
        self.comment = None  # the lines of one that has begun
        self.text = None     # what is said of the declarations up to the next empty line
        self.outside = False  # in such a definition
        self.depth = 0       # of brackets, in the declaration
        self.ended = False   # a declaration: what follows is another
        self.of_file = True  # the first comment is

    def end_comment(self):
        self.text = documented(self.comment, self.of_file)
        self.out.append(self.text)
        self.comment, self.of_file, self.depth, self.ended = None, False, 0, False

    def declare(self, line):
        if not line.strip():
            self.text = None
        elif self.text and self.ended:
            self.out.append(self.text)
            self.depth = 0
        self.depth += depth_of(line)
        self.ended = self.depth == 0 and ends_declaration(line)
        self.out.append((line if self.of_class else with_members(line)) + "\n")

    def take_of_class(self, line):
        head = HEAD.match(line)
        self.outside = bool(OUTSIDE.match(line)) or (self.outside and line != "}")
        if head:
            self.text = None
            self.out.append(documented([head.group(2)], False))
        if not self.outside and not DELETED.match(line):
            self.take(head.group(1) if head else line)

    def take(self, line):
        if self.comment is None and is_documentation(line, self.of_class):
            self.comment = []
        if self.comment is None:
            self.declare(line)
            return
        self.comment.append(line)
        if "*/" in line:
            self.end_comment()


def filtered(lines, of_class):
    header = Filter(of_class)
    for line in lines:
        (header.take_of_class if of_class else header.take)(line)
    return "".join(header.out)


with open(sys.argv[1], encoding="utf-8") as file:
    sys.stdout.write(filtered(file.read().splitlines(), sys.argv[1].endswith(".hpp")))
