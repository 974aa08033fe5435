"""What the launcher runs while the snapshot is recorded: the whole program is imported, and warmed up.

The modules come from PyInstaller's PYZ: marshalled and compressed one by one. The arguments are the entry point as
`module:function`, who renews what a process must not share with another one, the file of a script that warms the
program up, and files for that to read. That script imports what it needs to be there before the others, and its
function `warm_up` is called when all are there.

The warm-up is what makes the first check of a process as quick as its hundredth would be: what is computed once is
there, and the interpreter has learnt where the attributes of a type are found, and which operands an instruction
mostly meets. Nothing of this file or of the warm-up is left in the snapshot.
"""

# Built-in modules alone: there is no other before the importer is here. Types are quoted for the same reason.
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
TABLE = slice(8, 12)  # where its place is written, behind this magic number and that of the bytecode
PACKAGE = 1  # the kind of an entry that is a package
NAMESPACE = 3  # and of a package that has no code

PROCESS = "/proc/self"
STDERR = 2


class Importer:
    """Finds and loads the modules of a PYZ (Python's language reference, 5.3 and 5.4)."""

    def __init__(self, pyz: memoryview, step: "Callable[[], None]") -> None:
        self._pyz = pyz
        self._step = step
        self._table: dict[str, tuple[int, int, int]] = dict(
            loads(pyz[int.from_bytes(pyz[TABLE]) :])  # name: kind, offset, length
        )

    def close(self) -> None:
        """Let the PYZ go: a module may still hold on to this importer."""
        self._table.clear()
        self._pyz = memoryview(b"")

    def names(self) -> list[str]:
        """Those of all modules."""
        return list(self._table)

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        """Where the module comes from; None where it is not in the PYZ."""
        entry = self._table.get(name)
        return ModuleSpec(name, self, is_package=entry[0] in (PACKAGE, NAMESPACE)) if entry else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """The usual kind of module."""

    def exec_module(self, module: "ModuleType") -> None:
        """Run the module's code in it."""
        _, offset, length = self._table[module.__name__]
        self._step()
        code = loads(zlib.decompress(self._pyz[offset : offset + length]))
        self._step()
        exec(code, module.__dict__)
        self._step()


def put_off_renewal() -> None:
    """Note what modules give to os.register_at_fork, for the program to call it where it needs it."""
    renewals: list[Callable[[], object]] = []
    module = type(sys)("_snapshot")
    module.__dict__["renewals"] = renewals

    def register_at_fork(*, after_in_child: "Callable[[], object] | None" = None, **_: object) -> None:
        if after_in_child:
            renewals.append(after_in_child)

    sys.modules["_snapshot"] = module
    posix.register_at_fork = register_at_fork


def import_all(names: list[str]) -> None:
    """Import the modules. Say which cannot be imported: a program that wants one later will not find it."""
    failures = []
    for name in names:
        try:
            __import__(name)
        except ImportError as error:
            failures.append(f"{name} ({error})")
    if failures:
        write(STDERR, f"left out, for they cannot be imported: {', '.join(failures)}\n".encode())


def forget(importer: Importer) -> None:
    """Leave no way back to the archive: what is not imported by now is not there."""
    sys.meta_path[:] = [BuiltinImporter, FrozenImporter]
    for name in importer.names():
        module = sys.modules.get(name)
        if module and module.__spec__:
            module.__spec__.loader = module.__loader__ = None
    importer.close()


def refuse(reason: str) -> None:
    """End the recording, with a line that says why."""
    write(STDERR, f"{reason}\n".encode())
    _exit(1)


def refuse_what_a_process_owns() -> None:
    """A thread or an open file would not be there where the snapshot is gone on with."""
    if len(listdir(f"{PROCESS}/task")) > 1:
        refuse("a thread is still running after the warm-up")
    for number in listdir(f"{PROCESS}/fd"):
        if int(number) > STDERR:
            try:
                opened = readlink(f"{PROCESS}/fd/{number}")
            except FileNotFoundError:  # that of the folder itself
                continue
            refuse(f"{opened} is still open after the warm-up")


def _generator() -> object:
    yield


async def _coroutine() -> None:
    pass


async def _asynchronous_generator() -> object:
    yield


def refuse_what_has_begun() -> None:
    """A function that stopped halfway would go on in every process, with what it knew in the build."""
    coroutine = _coroutine()
    coroutine.close()
    stopped = {
        type(_generator()): "gi_suspended",
        type(coroutine): "cr_suspended",
        type(_asynchronous_generator()): "ag_frame",  # CPython 3.11 does not say of these whether they have begun
    }
    for thing in gc.get_objects():
        kind = type(thing)
        if kind in stopped and getattr(thing, stopped[kind]):
            refuse(f"the {kind.__name__} {thing.__qualname__} has begun and not ended after the warm-up")


def refuse_random_generators() -> None:
    """One that has its seed would give the same numbers in every process.

    The module `random` seeds its own anew (os.register_at_fork), and SystemRandom has none.
    """
    random = sys.modules.get("random")
    if not random:
        return
    own = random.random.__self__
    for thing in gc.get_objects():
        kind = type(thing)
        if issubclass(kind, random.Random) and kind is not random.SystemRandom and thing is not own:
            refuse("the program has a random generator of its own, which would be the same in every process")


def main(
    archive: memoryview, step: "Callable[[], None]", forget_lookups: "Callable[[], None]", arguments: list[str]
) -> object:
    """Import, warm up, forget; what to call."""
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
    sys.warnoptions.append("ignore")  # nothing but what the program says belongs on standard error
    with open(script, encoding="utf-8") as file:
        code = compile(file.read(), "<warm-up>", "exec", dont_inherit=True, optimize=2)
    sys.argv = [script, *files]
    names: dict[str, Any] = {"__name__": "warm_up", "__builtins__": __builtins__}
    exec(code, names)
    import_all(importer.names())
    if "warm_up" not in names:
        refuse(f"{script} has no function warm_up")
    names["warm_up"](step)
    forget_lookups()
    names["warm_up"](step)
    warm_up = ref(names["warm_up"])
    del names, code
    sys.argv = []
    forget(importer)
    if platform := sys.modules.get("platform"):
        platform.__dict__["_uname_cache"] = None  # this machine's name
    sys.path_importer_cache.clear()
    module, _, function = entry_point.partition(":")
    entry = getattr(sys.modules.get(module), function or "main", None)
    if not entry:
        refuse(f"there is no entry point {entry_point}: name a module of the program and a function in it")
    gc.collect()
    refuse_what_has_begun()
    refuse_random_generators()
    if warm_up():
        refuse("the program still uses something of the warm-up")
    refuse_what_a_process_owns()  # last, for its memory depends on the process: how long its number is
    return entry
