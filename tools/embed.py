#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""embed.py OUTPUT.c HEADER SYMBOL FILE: a file's bytes as `SYMBOL` and `SYMBOL_size` of C."""
import pathlib
import sys

out, header, symbol, file = sys.argv[1:]
data = pathlib.Path(file).read_bytes()
rows = [",".join(map(str, data[i:i + 24])) for i in range(0, len(data), 24)]
pathlib.Path(out).write_text(
    f'/* Made by tools/embed.py from {pathlib.Path(file).name}; do not edit. */\n'
    f'#include "{header}"\n\nconst unsigned char {symbol}[] = {{\n' + ",\n".join(rows) +
    f'\n}};\nconst size_t {symbol}_size = sizeof {symbol};\n', encoding="utf-8")
