/* directory_library - see directory_library.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "directory_library.h"

#include "settings.h"

#include <errno.h>
#include <openldap.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SYSTEM_CA_FILE "/etc/ssl/certs/ca-certificates.crt"

static void init_once(void)
{
    LDAP *ld = NULL;

    (void)setenv("LDAPNOINIT", "1", 1);
    /* The first handle sets libldap's own globals up. */
    if (ldap_create(&ld) == LDAP_SUCCESS)
        (void)ldap_unbind_ext(ld, NULL, NULL);
}

void directory_library_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, init_once);
}

int directory_library_prepare(LDAP *ld)
{
    static const int version = LDAP_VERSION3;
    static const int never = LDAP_DEREF_NEVER;
    static const int none = LDAP_NO_LIMIT;
    static const struct timeval no_wait = {.tv_sec = 0, .tv_usec = 0};
    const struct {
        int option;
        const void *value;
    } options[] = {
        {LDAP_OPT_PROTOCOL_VERSION, &version}, {LDAP_OPT_DEREF, &never},
        {LDAP_OPT_SIZELIMIT, &none},           {LDAP_OPT_TIMELIMIT, &none},
        {LDAP_OPT_REFERRALS, LDAP_OPT_OFF},    {LDAP_OPT_RESTART, LDAP_OPT_ON},
        {LDAP_OPT_CONNECT_ASYNC, LDAP_OPT_ON}, {LDAP_OPT_TIMEOUT, &no_wait},
    };

    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        int rc = ldap_set_option(ld, options[i].option, options[i].value);

        if (rc != LDAP_OPT_SUCCESS)
            return LDAP_LOCAL_ERROR;
    }
    return LDAP_SUCCESS;
}

struct directory_tls {
    LDAP *owner; /* holds the context's reference */
    void *ctx;
    int require;
};

/* A peer that takes everything and has nothing to say. */
static ber_slen_t null_read(Sockbuf_IO_Desc *io, void *buf, ber_len_t len)
{
    (void)io;
    (void)buf;
    (void)len;
    return 0;
}

static ber_slen_t null_write(Sockbuf_IO_Desc *io, void *buf, ber_len_t len)
{
    (void)io;
    (void)buf;
    return (ber_slen_t)len;
}

static int null_ctrl(Sockbuf_IO_Desc *io, int option, void *arg)
{
    (void)io;
    (void)option;
    (void)arg;
    return 0;
}

static Sockbuf_IO null_io = {
    .sbi_ctrl = null_ctrl,
    .sbi_read = null_read,
    .sbi_write = null_write,
};

static void take_context(LDAP *ld, void *session, void *ctx, void *arg)
{
    struct directory_tls *tls = arg;

    (void)ld;
    (void)session;
    tls->ctx = ctx;
}

/*
 * ldap_get_option(LDAP_OPT_X_TLS_CTX) hands out a reference that no public
 * function can give back; with the system's bundle, each reload of the
 * settings would lose a megabyte. The connect callback tells the context
 * without one, so a handshake with nobody is begun for its sake.
 */
static bool learn_context(struct directory_tls *tls)
{
    void (*function)(LDAP *, void *, void *, void *) = take_context;
    void *callback = NULL;

    /* The option wants the function as a void *, which ISO C has no cast for.
     */
    memcpy(&callback, &function, sizeof(callback));
    (void)ldap_set_option(tls->owner, LDAP_OPT_X_TLS_CONNECT_CB, callback);
    (void)ldap_set_option(tls->owner, LDAP_OPT_X_TLS_CONNECT_ARG, tls);
    (void)ldap_install_tls(tls->owner);
    return tls->ctx != NULL;
}

/* A handle that is connected to nobody. */
static bool make_owner(struct directory_tls *tls)
{
    Sockbuf *sb = NULL;

    if (ldap_init_fd(-1, LDAP_PROTO_EXT, "ldap://nobody.invalid",
                     &tls->owner) != LDAP_SUCCESS)
        return false;
    /* Without a layer below it a handle cannot even be freed. */
    return ldap_get_option(tls->owner, LDAP_OPT_SOCKBUF, &sb) == 0 &&
           ber_sockbuf_add_io(sb, &null_io, LBER_SBIOD_LEVEL_PROVIDER, NULL) ==
               0;
}

static bool make_context(struct directory_tls *tls,
                         const struct directory_settings *set)
{
    static const int client = 0;
    const char *file = set->ca_file[0] != '\0' ? set->ca_file : SYSTEM_CA_FILE;

    if (!set->ignore_ssl_errors &&
        (access(file, R_OK) != 0 ||
         ldap_set_option(tls->owner, LDAP_OPT_X_TLS_CACERTFILE, file) != 0))
        return false;
    return ldap_set_option(tls->owner, LDAP_OPT_X_TLS_REQUIRE_CERT,
                           &tls->require) == 0 &&
           ldap_set_option(tls->owner, LDAP_OPT_X_TLS_NEWCTX, &client) == 0;
}

enum status directory_tls_open(const struct directory_settings *set,
                               struct directory_tls **tls_r,
                               struct errtext *err)
{
    struct directory_tls *tls = calloc(1, sizeof(*tls));

    if (tls == NULL)
        return status_no_memory(err);
    tls->require =
        set->ignore_ssl_errors ? LDAP_OPT_X_TLS_NEVER : LDAP_OPT_X_TLS_DEMAND;
    if (!make_owner(tls)) {
        free(tls);
        return status_no_memory(err);
    }
    if (!make_context(tls, set) || !learn_context(tls)) {
        errtext_set(err, "TLS: the CA file %s cannot be used",
                    set->ca_file[0] != '\0' ? set->ca_file : SYSTEM_CA_FILE);
        directory_tls_close(&tls);
        return STATUS_INVALID;
    }
    *tls_r = tls;
    return STATUS_OK;
}

void directory_tls_close(struct directory_tls **tls)
{
    if (*tls == NULL)
        return;
    (void)ldap_unbind_ext((*tls)->owner, NULL, NULL);
    free(*tls);
    *tls = NULL;
}

int directory_tls_apply(const struct directory_tls *tls, LDAP *ld)
{
    if (ldap_set_option(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &tls->require) != 0 ||
        ldap_set_option(ld, LDAP_OPT_X_TLS_CTX, tls->ctx) != 0)
        return LDAP_LOCAL_ERROR;
    return LDAP_SUCCESS;
}
