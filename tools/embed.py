#!/usr/bin/env python3
"""Turns text files into a C++ source: embed.py OUTPUT NAMESPACE FILE...

Each file becomes an entry {name without directory, content} of `const EmbeddedFile kFiles[]`.
"""
import pathlib
import sys


def literal(text: str) -> str:
    # Pieces below the compiler's limit for one literal; a delimiter that no file of ours contains.
    pieces = [text[i : i + 8000] for i in range(0, len(text), 8000)] or [""]
    return "\n".join(f'R"embedded({piece})embedded"' for piece in pieces)


def main() -> None:
    output, namespace, *files = sys.argv[1:]
    entries = ",\n".join(
        f'    {{"{pathlib.Path(name).name}", {literal(pathlib.Path(name).read_text())}}}'
        for name in sorted(files)
    )
    pathlib.Path(output).write_text(
        '#include "certwright/base/embedded.h"\n\n'
        f"namespace {namespace} {{\n\n"
        f"extern const certwright::EmbeddedFile kFiles[] = {{\n{entries}}};\n"
        f"extern const std::size_t kFileCount = {len(files)};\n\n"
        f"}}  // namespace {namespace}\n"
    )


if __name__ == "__main__":
    main()
