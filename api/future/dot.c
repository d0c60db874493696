#include "future/dot.h"

void filch_dot_begin(FILE *stream)
{
    fputs("digraph filch {\n    rankdir=LR;\n", stream);
}

/* Inside of quotes. */
static void put_dot_text(FILE *stream, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            fputc('\\', stream);
        }
        fputc(c < ' ' || c == 127 ? ' ' : c, stream);
    }
}

void filch_dot_node(FILE *stream, size_t number, const filch_function_info *info,
                    enum filch_dot_state state, const char *what)
{
    static const char *const shapes[] = {"ellipse", "box", "doublecircle", "octagon"};
    fprintf(stream, "    n%zu [shape=%s, label=\"", number, shapes[state]);
    put_dot_text(stream, info ? info->name : "promise");
    if (what) {
        fputs("\\n", stream);
        put_dot_text(stream, what);
    }
    if (info && info->line) {
        fputs("\", tooltip=\"", stream);
        put_dot_text(stream, info->file);
        fprintf(stream, ":%d", info->line);
    }
    fputs("\"];\n", stream);
}

void filch_dot_edge(FILE *stream, size_t from, size_t to)
{
    fprintf(stream, "    n%zu -> n%zu;\n", from, to);
}

void filch_dot_end(FILE *stream)
{
    fputs("}\n", stream);
}
