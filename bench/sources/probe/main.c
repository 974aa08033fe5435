/*
 * The floor: one GET of /health on 127.0.0.1, the port being the argument; anything but a 200 is 1. No deadline, no
 * line, no parsing.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
    static const char request[] = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    struct sockaddr_in target = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char reply[13];
    int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (argc != 2 || connection < 0)
        return 2;
    target.sin_port = htons((unsigned short)strtoul(argv[1], NULL, 10));
    if (connect(connection, (struct sockaddr *)&target, sizeof target) != 0 ||
        write(connection, request, sizeof request - 1) < 0)
        return 1;
    if (read(connection, reply, sizeof reply) != sizeof reply || memcmp(reply + 8, " 200 ", 5) != 0)
        return 1;
    return 0;
}
