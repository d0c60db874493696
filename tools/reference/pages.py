"""pages.py FROM TO: of the pages that Doxygen has made (c/man3, cpp/man3), those to be installed.

It makes one for each header, and for each name in it one that refers to that; a header's page is called
after the header (error.h), and a structure's members have some, too (error, next). Installed are those that
nobody else's pages are called like: filch_error.h, filch_map, FILCH_LOOP. Of C++ there is one for each header,
class and function: filch_pool.hpp, filch::pool, filch::blocking.
"""
import sys
from pathlib import Path

FROM, TO = Path(sys.argv[1]), Path(sys.argv[2])


def is_ours(page):
    return page.stem.startswith(("filch_", "FILCH_"))


def install_c(page):
    text = page.read_text(encoding="utf-8")
    if not text.startswith(".so "):
        name = page.name if is_ours(page) else f"filch_{page.name}"
        (TO / name).write_text(text, encoding="utf-8")
    elif is_ours(page):
        target = text.split()[1].removeprefix("man3/")
        prefix = "" if target.startswith("filch_") else "filch_"
        (TO / page.name).write_text(f".so man3/{prefix}{target}\n", encoding="utf-8")


def install_cpp(page):
    text = page.read_text(encoding="utf-8")
    if not text.startswith(".so "):
        name = page.name.replace("filch_", "filch::", 1) if is_ours(page) else f"filch_{page.name}"
        (TO / name).write_text(text, encoding="utf-8")
    elif text.endswith(".hpp.3\n"):  # a function's; the others are members'
        header = text.split()[1].removeprefix("man3/")
        (TO / f"filch::{page.name}").write_text(f".so man3/filch_{header}\n", encoding="utf-8")


TO.mkdir(parents=True, exist_ok=True)
for language, install in (("c", install_c), ("cpp", install_cpp)):
    for page in sorted((FROM / language / "man3").iterdir()):
        install(page)
