"""Python modules as ready code, without what only tracebacks show."""

import json
import marshal
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType

# The import system itself, which CPython has frozen too, and what the interpreter's start imports.
IMPORT_SYSTEM = {
    "_frozen_importlib": "importlib._bootstrap",
    "_frozen_importlib_external": "importlib._bootstrap_external",
}
EARLY = ["abc", "codecs", "encodings", "encodings.aliases", "encodings.utf_8", "io"]


def bare(code: CodeType) -> CodeType:
    """Return the code without its line numbers, a quarter of its size: no traceback is ever shown."""
    constants = (bare(constant) if isinstance(constant, CodeType) else constant for constant in code.co_consts)
    return code.replace(co_linetable=b"", co_consts=tuple(constants))


def frozen_c(interrupted: str, extensions: Sequence[str]) -> str:
    """Return the source of frozen.c, as frozen.h declares it.

    `interrupted` is the line for an interrupt, `extensions` are the names of more modules in C.
    """
    return "\n".join(
        [
            '#include "frozen.h"',
            *_table("import_system", IMPORT_SYSTEM),
            *_table("modules", {name: name for name in EARLY}),
            *(f"PyMODINIT_FUNC PyInit_{name}(void);" for name in extensions),
            "struct _inittab program_modules[] = {",
            *(f'    {{"{name}", PyInit_{name}}},' for name in extensions),
            "    {NULL, NULL},",
            "};",
            f"const char interrupted_line[] = {json.dumps(interrupted)};",
            "",
        ]
    )


def _table(table: str, modules: dict[str, str]) -> Iterator[str]:
    """Yield an array with each module's code, then the table of them; `modules` maps a name to that of its source."""
    entries = ["{.name = NULL}"]
    for name, source_name in reversed(modules.items()):
        source, is_package = _source_of(source_name)
        code = bare(compile(source.read_bytes(), f"<frozen {source_name}>", "exec", dont_inherit=True, optimize=2))
        array = f"code_of_{name.replace('.', '_')}"
        yield f"static const unsigned char {array}[] = {{{','.join(map(str, marshal.dumps(code)))}}};"
        entries.insert(
            0, f'{{.name = "{name}", .code = {array}, .size = sizeof {array}, .is_package = {int(is_package)}}}'
        )
    yield f"const struct _frozen frozen_{table}[] = {{{', '.join(entries)}}};"


def _source_of(name: str) -> tuple[Path, bool]:
    """Return the source of a module of the standard library, and whether it is a package."""
    path = Path(sysconfig.get_path("stdlib")).joinpath(*name.split("."))
    package = path / "__init__.py"
    return (package, True) if package.exists() else (path.with_suffix(".py"), False)
