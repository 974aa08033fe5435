"""Run one command at another time of day.

    python -m testing.clock SECONDS COMMAND...

SECONDS is the time since 1970. The exit code is the command's. Its clock is changed by ptrace(2). A program reads the
time from the vDSO, code that the kernel maps into it. So the entry for the vDSO is first removed from its auxiliary
vector (getauxval(3)). It then calls the kernel, and the time is written into each answer about CLOCK_REALTIME.
CLOCK_MONOTONIC stays, as deadlines use it.
"""

import ctypes
import os
import signal
import struct
import sys
from pathlib import Path

PTRACE_TRACEME, PTRACE_GETREGS, PTRACE_SETREGS, PTRACE_SYSCALL, PTRACE_SETOPTIONS = 0, 12, 13, 24, 0x4200
TRACE_OPTIONS = 0x1 | 0x8 | 0x100000  # PTRACE_O_TRACESYSGOOD, _TRACECLONE, _EXITKILL
AT_SYSINFO_EHDR, AT_IGNORE = 33, 1
ARCHITECTURE = "x86_64"  # of the registers below (sys/user.h, struct user_regs_struct)
REGISTERS, RAX, ORIGINAL_RAX, RDI, RSI, RSP = 27, 10, 15, 14, 13, 19
GETTIMEOFDAY, TIME, CLOCK_GETTIME = 96, 201, 228
CLOCK_REALTIME, CLOCK_REALTIME_COARSE = 0, 5

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def main(seconds: int, *command: str) -> int:
    """Run the command at that time, in seconds since 1970. Return its exit code."""
    child = os.fork()
    if child == 0:
        libc.ptrace(PTRACE_TRACEME, 0, None, None)
        os.execvp(command[0], command)
    os.waitpid(child, 0)  # stopped behind execve
    hide_vdso(child)
    libc.ptrace(PTRACE_SETOPTIONS, child, None, TRACE_OPTIONS)
    libc.ptrace(PTRACE_SYSCALL, child, None, None)
    return follow(child, seconds)


def follow(child: int, seconds: int) -> int:
    """Trace all threads until the child ends. Return its exit code."""
    inside: set[int] = set()  # threads in a system call
    while True:
        thread, status = os.waitpid(-1, 0x40000000)  # __WALL
        if not os.WIFSTOPPED(status):
            inside.discard(thread)
            if thread == child:
                return os.waitstatus_to_exitcode(status)
            continue
        number = os.WSTOPSIG(status)
        forwarded = 0
        if number == signal.SIGTRAP | 0x80:
            inside ^= {thread}
            if thread not in inside:
                answer(thread, seconds)
        elif number not in (signal.SIGTRAP, signal.SIGSTOP):
            forwarded = number
        libc.ptrace(PTRACE_SYSCALL, thread, None, forwarded)


def answer(thread: int, seconds: int) -> None:
    """Write the time into the answer to a system call that asked for it."""
    registers = (ctypes.c_ulong * REGISTERS)()
    libc.ptrace(PTRACE_GETREGS, thread, None, registers)
    asked = registers[ORIGINAL_RAX]
    if asked == CLOCK_GETTIME and registers[RDI] in (CLOCK_REALTIME, CLOCK_REALTIME_COARSE):
        poke(thread, registers[RSI], struct.pack("<q", seconds))
    elif asked == GETTIMEOFDAY and registers[RDI]:
        poke(thread, registers[RDI], struct.pack("<q", seconds))
    elif asked == TIME:
        registers[RAX] = ctypes.c_ulong(seconds).value
        libc.ptrace(PTRACE_SETREGS, thread, None, registers)
        if registers[RDI]:
            poke(thread, registers[RDI], struct.pack("<q", seconds))


def hide_vdso(child: int) -> None:
    """Remove the entry for the vDSO from the auxiliary vector, which lies on the stack behind the environment."""
    registers = (ctypes.c_ulong * REGISTERS)()
    libc.ptrace(PTRACE_GETREGS, child, None, registers)
    with Path(f"/proc/{child}/mem").open("rb", buffering=0) as memory:

        def word(address: int) -> int:
            memory.seek(address)
            value: int = struct.unpack("<Q", memory.read(8))[0]
            return value

        at = registers[RSP] + 8 * (word(registers[RSP]) + 2)
        while word(at):
            at += 8
        at += 8
        while word(at) not in (0, AT_SYSINFO_EHDR):
            at += 16
    poke(child, at, struct.pack("<Q", AT_IGNORE))


def poke(thread: int, address: int, data: bytes) -> None:
    """Write into the thread's memory."""
    with Path(f"/proc/{thread}/mem").open("r+b", buffering=0) as memory:
        memory.seek(address)
        memory.write(data)


if __name__ == "__main__":
    os._exit(main(int(sys.argv[1]), *sys.argv[2:]))
