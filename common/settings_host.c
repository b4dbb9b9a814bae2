/* settings_host - see settings_host.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "settings_host.h"

#include "quantity.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#define HOST_BYTES_MAX 253
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LDAPI "ldapi://"

enum status settings_socket_check(const char *path, struct errtext *err)
{
    if (path[0] != '/') {
        errtext_set(err, "a socket is named by its whole path, from '/' on");
        return STATUS_INVALID;
    }
    if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
        errtext_set(err,
                    "a socket's path has at most %zu bytes: choose a "
                    "shorter one",
                    sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

/* Returns the value of a hexadecimal digit, or -1. */
static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

/* Undoes %xx in place; false for a malformed one, or a NUL. */
static bool percent_decode(char *text)
{
    char *out = text;

    for (const char *p = text; *p != '\0'; p++) {
        int high = *p == '%' ? hex_value(p[1]) : 0;
        int low = *p == '%' && high >= 0 ? hex_value(p[2]) : 0;

        if (*p != '%') {
            *out++ = *p;
            continue;
        }
        if (high < 0 || low < 0 || high + low == 0)
            return false;
        *out++ = (char)(high * 16 + low);
        p += 2;
    }
    *out = '\0';
    return true;
}

/*
 * Says if a decoded path can be written in a list of hosts as it is: what it
 * was decoded from is not kept, and the settings are shown as a file.
 */
static bool is_plain_path(const char *path)
{
    for (; *path != '\0'; path++) {
        if (*path <= ' ' || *path >= '\x7f' || *path == ',' || *path == '%')
            return false;
    }
    return true;
}

/* Reads what follows "ldapi://", or a path. */
static enum status read_local(const char *text, char **host_r,
                              struct errtext *err)
{
    char *path = strdup(text);
    enum status status = STATUS_INVALID;

    if (path == NULL)
        return status_no_memory(err);
    if (!percent_decode(path) || strcmp(path, "/") == 0 || path[0] == '\0')
        errtext_set(err, "a local socket is named by its path: write "
                         "\"ldapi:///run/slapd/ldapi\"");
    else if (!is_plain_path(path))
        errtext_set(err, "the path of a directory's socket has only printable "
                         "ASCII, and neither blank, comma nor percent sign");
    else
        status = settings_socket_check(path, err);
    if (status == STATUS_OK)
        *host_r = path;
    else
        free(path);
    return status;
}

/* Says how a URL is written here. */
static enum status refuse_url(const char *text, struct errtext *err)
{
    const char *name = strstr(text, "://") + 3;
    bool ssl = strncasecmp(text, "ldaps:", 6) == 0;

    errtext_set(err,
                "a host is a name without URL and port: write host = \"%.*s\" "
                "and %s",
                (int)strcspn(name, ":/"), name,
                ssl ? "use_ssl = true" : "port = N");
    return STATUS_INVALID;
}

static enum status refuse_port(const char *text, const char *colon,
                               struct errtext *err)
{
    errtext_set(err,
                "a host has no port in it: write host = \"%.*s\" and "
                "port = %s",
                (int)(colon - text), text, colon[1] != '\0' ? colon + 1 : "N");
    return STATUS_INVALID;
}

/* Checks an IPv6 address, of which brackets are taken off. */
static enum status read_ipv6(const char *text, char **host_r,
                             struct errtext *err)
{
    struct in6_addr address;
    size_t len = strlen(text);
    const char *end = strchr(text, ']');
    char *host = NULL;

    if (text[0] == '[' && end != NULL && end[1] == ':')
        return refuse_port(text, end + 1, err);
    if (text[0] == '[' && end == text + len - 1)
        host = strndup(text + 1, len - 2);
    else
        host = strdup(text);
    if (host == NULL)
        return status_no_memory(err);
    if (inet_pton(AF_INET6, host, &address) != 1) {
        free(host);
        errtext_set(err, "this is neither a host name nor an address");
        return STATUS_INVALID;
    }
    *host_r = host;
    return STATUS_OK;
}

enum status settings_host_read(const char *text, char **host_r,
                               struct errtext *err)
{
    const char *colon = strchr(text, ':');

    if (strncasecmp(text, LDAPI, strlen(LDAPI)) == 0)
        return read_local(text + strlen(LDAPI), host_r, err);
    if (text[0] == '/')
        return read_local(text, host_r, err);
    if (strstr(text, "://") != NULL)
        return refuse_url(text, err);
    if (text[0] == '[' || (colon != NULL && strchr(colon + 1, ':') != NULL))
        return read_ipv6(text, host_r, err);
    if (colon != NULL)
        return refuse_port(text, colon, err);
    if (text[0] == '\0' || strlen(text) > HOST_BYTES_MAX ||
        text[strspn(text, LETTERS "0123456789.-_")] != '\0') {
        errtext_set(err, "this is neither a host name nor an address; names "
                         "in other letters are written as xn--...");
        return STATUS_INVALID;
    }
    *host_r = strdup(text);
    return *host_r != NULL ? STATUS_OK : status_no_memory(err);
}

enum status settings_client_check(const char *text, struct errtext *err)
{
    char address[INET6_ADDRSTRLEN] = "";
    struct in6_addr parsed;
    size_t len = strcspn(text, "/");
    uint64_t bits = 0;
    bool good = false;

    if (len < sizeof(address)) {
        memcpy(address, text, len);
        if (inet_pton(AF_INET, address, &parsed) == 1)
            good = text[len] == '\0' ||
                   quantity_number(text + len + 1, 0, 32, &bits, NULL) ==
                       STATUS_OK;
        else if (inet_pton(AF_INET6, address, &parsed) == 1)
            good = text[len] == '\0' ||
                   quantity_number(text + len + 1, 0, 128, &bits, NULL) ==
                       STATUS_OK;
    }
    if (good)
        return STATUS_OK;
    errtext_set(err, "a client is an address or a block, for example "
                     "\"192.0.2.7\" or \"2001:db8::/32\"");
    return STATUS_INVALID;
}

bool settings_host_is_loopback(const char *host)
{
    struct in_addr address;

    if (inet_pton(AF_INET, host, &address) == 1)
        return (ntohl(address.s_addr) >> 24) == 127;
    return strcmp(host, "::1") == 0;
}
