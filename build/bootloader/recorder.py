"""Import the whole program and warm it up, in the launcher, before the snapshot is taken (recorder.c).

The modules come from PyInstaller's PYZ, in which each is marshalled and compressed. The arguments are:

- the entry point as `module:function`,
- "1" if the program renews itself, or "0",
- the file of a script that warms the program up,
- files for that script.

The script imports what must be there before other modules. When all are imported, its function `warm_up` is called.

The warm-up makes the first check of a process as fast as its hundredth: results that are computed once are there, and
the interpreter has specialised its instructions, and cached where the attributes of types are. The snapshot holds
nothing of this file or of the script.
"""

# Only built-in modules: there is no importer for others yet. Types are quoted for the same reason.
import gc
import posix
import sys
import zlib
from _frozen_importlib import BuiltinImporter, FrozenImporter, ModuleSpec
from _weakref import ref
from marshal import loads
from posix import _exit, listdir, readlink, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

PYZ_MAGIC = b"PYZ\0"
TABLE = slice(8, 12)  # the offset of its table, after this magic number and that of the bytecode
PACKAGE = 1  # the kind of an entry that is a package
NAMESPACE = 3  # and of a package without code

PROCESS = "/proc/self"
STDERR = 2


class Importer:
    """Find and load the modules of a PYZ (Python's language reference, 5.3 and 5.4)."""

    def __init__(self, pyz: memoryview, step: "Callable[[], None]") -> None:
        self._pyz = pyz
        self._step = step
        self._table: dict[str, tuple[int, int, int]] = dict(
            loads(pyz[int.from_bytes(pyz[TABLE]) :])  # name: kind, offset, length
        )

    def close(self) -> None:
        """Release the PYZ: a module may still refer to this importer."""
        self._table.clear()
        self._pyz = memoryview(b"")

    def names(self) -> list[str]:
        """Return the names of all modules."""
        return list(self._table)

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        """Return where the module comes from; None if it is not in the PYZ."""
        entry = self._table.get(name)
        return ModuleSpec(name, self, is_package=entry[0] in (PACKAGE, NAMESPACE)) if entry else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """Let Python make a module of the usual kind."""

    def exec_module(self, module: "ModuleType") -> None:
        """Run the module's code in it, in steps of its own."""
        _, offset, length = self._table[module.__name__]
        self._step()
        code = loads(zlib.decompress(self._pyz[offset : offset + length]))
        self._step()
        exec(code, module.__dict__)
        self._step()


def put_off_renewal() -> None:
    """Collect what modules give to os.register_at_fork, so that the program can call it when it needs it."""
    renewals: list[Callable[[], object]] = []
    module = type(sys)("_snapshot")
    module.__dict__["renewals"] = renewals

    def register_at_fork(*, after_in_child: "Callable[[], object] | None" = None, **_: object) -> None:
        if after_in_child:
            renewals.append(after_in_child)

    sys.modules["_snapshot"] = module
    posix.register_at_fork = register_at_fork


def import_all(names: list[str]) -> None:
    """Import the modules, and print which cannot be imported: the program will not find them."""
    failures = []
    for name in names:
        try:
            __import__(name)
        except ImportError as error:
            failures.append(f"{name} ({error})")
    if failures:
        write(STDERR, f"left out, for they cannot be imported: {', '.join(failures)}\n".encode())


def forget(importer: Importer) -> None:
    """Remove the importer: a module that is not imported by now is not in the program."""
    sys.meta_path[:] = [BuiltinImporter, FrozenImporter]
    for name in importer.names():
        module = sys.modules.get(name)
        if module and module.__spec__:
            module.__spec__.loader = module.__loader__ = None
    importer.close()


def refuse(reason: str) -> None:
    """End the recording, with a line on standard error."""
    write(STDERR, f"{reason}\n".encode())
    _exit(1)


def refuse_what_a_process_owns() -> None:
    """Refuse a thread or an open file, which would not be there in the process that continues from the snapshot."""
    if len(listdir(f"{PROCESS}/task")) > 1:
        refuse("a thread is still running after the warm-up")
    for number in listdir(f"{PROCESS}/fd"):
        if int(number) > STDERR:
            try:
                opened = readlink(f"{PROCESS}/fd/{number}")
            except FileNotFoundError:  # of the folder itself
                continue
            refuse(f"{opened} is still open after the warm-up")


def _generator() -> object:
    yield


async def _coroutine() -> None:
    pass


async def _asynchronous_generator() -> object:
    yield


def refuse_what_has_begun() -> None:
    """Refuse a suspended function, which would continue in every process with its state from the build."""
    coroutine = _coroutine()
    coroutine.close()
    stopped = {
        type(_generator()): "gi_suspended",
        type(coroutine): "cr_suspended",
        type(_asynchronous_generator()): "ag_frame",  # CPython 3.11 does not tell whether one has begun
    }
    for thing in gc.get_objects():
        kind = type(thing)
        if kind in stopped and getattr(thing, stopped[kind]):
            refuse(f"the {kind.__name__} {thing.__qualname__} has begun and not ended after the warm-up")


def refuse_random_generators() -> None:
    """Refuse a generator of the program's own, which would give the same numbers in every process.

    The module `random` seeds its own generator again (os.register_at_fork), and SystemRandom has no seed.
    """
    random = sys.modules.get("random")
    if not random:
        return
    own = random.random.__self__
    for thing in gc.get_objects():
        kind = type(thing)
        if issubclass(kind, random.Random) and kind is not random.SystemRandom and thing is not own:
            refuse("the program has a random generator of its own, which would be the same in every process")


def loaded(script: str, files: list[str]) -> "dict[str, Any]":
    """Run the warm-up script with the files as its arguments; return its names."""
    with open(script, encoding="utf-8") as file:
        code = compile(file.read(), "<warm-up>", "exec", dont_inherit=True, optimize=2)
    sys.argv = [script, *files]
    names: dict[str, Any] = {"__name__": "warm_up", "__builtins__": __builtins__}
    exec(code, names)
    return names


def found(entry_point: str) -> object:
    """Return the entry point of the program."""
    module, _, function = entry_point.partition(":")
    entry = getattr(sys.modules.get(module), function or "main", None)
    if not entry:
        refuse(f"there is no entry point {entry_point}: name a module of the program and a function in it")
    return entry


def main(
    archive: memoryview, step: "Callable[[], None]", forget_lookups: "Callable[[], None]", arguments: list[str]
) -> object:
    """Import the program, warm it up, remove what only that needed, and return the entry point."""
    if archive[:4] != PYZ_MAGIC:
        refuse("the modules are of an unknown format")
    entry_point, renews_itself, script, *files = arguments
    if int(renews_itself):
        put_off_renewal()

    def next_module() -> None:
        forget_lookups()
        step()

    importer = Importer(archive, next_module)
    sys.meta_path.append(importer)
    sys.path_hooks.clear()
    sys.warnoptions.append("ignore")  # only the program itself writes to standard error
    names = loaded(script, files)
    import_all(importer.names())
    if "warm_up" not in names:
        refuse(f"{script} has no function warm_up")
    names["warm_up"](step)
    forget_lookups()
    names["warm_up"](step)
    warm_up = ref(names["warm_up"])
    del names
    sys.argv = []
    forget(importer)
    if platform := sys.modules.get("platform"):
        platform.__dict__["_uname_cache"] = None  # this machine's name
    sys.path_importer_cache.clear()
    entry = found(entry_point)
    gc.collect()
    refuse_what_has_begun()
    refuse_random_generators()
    if warm_up():
        refuse("the program still uses something of the warm-up")
    refuse_what_a_process_owns()  # last: its memory depends on the length of the process's number
    return entry
