# Writes a file as a C array: cmake -DPAGE=file -DOUT=file -P embed.cmake
file(READ ${PAGE} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "(................................................................................)"
    "\\1\n" bytes "${bytes}")
file(WRITE ${OUT} "/* generated from ${PAGE} */\n#include \"view.h\"\n\n"
    "const unsigned char view_template[] = {\n${bytes}\n0};\n"
    "const size_t view_template_bytes = sizeof view_template - 1;\n")
