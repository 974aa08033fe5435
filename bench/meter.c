/*
 * Runs a command, its output discarded, and prints what it took: exit status, wall-clock nanoseconds, CPU microseconds,
 * kilobytes of its largest process, page faults.
 *
 * A program of its own, and a small one: what the kernel accounts to a process begins with a copy of its parent
 * (getrusage(2), ru_maxrss), which were Python otherwise.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long
nanoseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec * 1000000000LL) + now.tv_nsec;
}

static long long
microseconds(struct timeval duration)
{
    return (duration.tv_sec * 1000000LL) + duration.tv_usec;
}

/* Nothing to read, and nobody reads: -1 where that cannot be. */
static int
discard_streams(void)
{
    int discard = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (discard < 0)
        return -1;
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
        dup2(discard, stream);
    return close(discard);
}

int
main(int argc, char **argv)
{
    struct rusage usage;
    int status;
    int report = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

    if (argc < 2 || report < 0 || discard_streams() < 0)
        return 2;

    long long started = nanoseconds();
    /* The child borrows this process's memory, and does nothing with it. NOLINTNEXTLINE(*vfork,*unsafe-functions) */
    pid_t child = vfork();
    if (child == 0) {
        execv(argv[1], argv + 1);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) < 0)
        return 2;
    long long wall = nanoseconds() - started;
    long long cpu = microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
    dprintf(report, "%d %lld %lld %ld %ld\n", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), wall, cpu,
            usage.ru_maxrss, usage.ru_minflt + usage.ru_majflt);
    return 0;
}
