/* directory_probe - see directory_probe.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "directory_probe.h"

#include "clock.h"
#include "directory_connection.h"
#include "directory_library.h"
#include "directory_result.h"
#include "directory_socket.h"
#include "strbuf.h"

#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMES_TEXT_MAX 150 /* bytes of a certificate's names we print */

/* ExtendedRequest of StartTLS, message 1 (RFC 4511, 4.14.1). */
static const unsigned char start_tls[] = "\x30\x1d\x02\x01\x01\x77\x18\x80\x16"
                                         "1.3.6.1.4.1.1466.20037";
#define START_TLS_BYTES (sizeof(start_tls) - 1)

const char *directory_step_name(enum directory_step step)
{
    static const char *const names[DIRECTORY_STEPS] = {
        [DIRECTORY_STEP_NAME] = "name resolution",
        [DIRECTORY_STEP_CONNECT] = "connection",
        [DIRECTORY_STEP_TLS] = "TLS",
        [DIRECTORY_STEP_BIND] = "service bind",
    };

    return names[step];
}

struct probe {
    const struct directory_settings *set;
    const char *host;
    int64_t deadline_ms;
    struct directory_probed *out;
    struct directory_addresses addresses;
    int fd; /* -1: none */
};

static struct directory_step_seen *begin(struct probe *probe,
                                         enum directory_step step)
{
    struct directory_step_seen *seen = &probe->out->steps[step];

    seen->reached = true;
    seen->took_ms = clock_ms();
    return seen;
}

static bool end(struct directory_step_seen *seen, bool ok)
{
    seen->ok = ok;
    seen->took_ms = clock_ms() - seen->took_ms;
    return ok;
}

static int64_t limit(const struct probe *probe, int64_t ms)
{
    int64_t until = clock_ms() + ms;

    return until < probe->deadline_ms ? until : probe->deadline_ms;
}

static void keep_addresses(struct probe *probe, const struct addrinfo *list,
                           struct strbuf *text)
{
    struct directory_addresses *kept = &probe->addresses;

    for (; list != NULL && kept->count < DIRECTORY_ADDRESSES_MAX;
         list = list->ai_next) {
        struct directory_address *one = &kept->list[kept->count];
        char numeric[NI_MAXHOST] = "";

        if (list->ai_addrlen > sizeof(one->storage))
            continue;
        memcpy(&one->storage, list->ai_addr, list->ai_addrlen);
        one->len = list->ai_addrlen;
        (void)getnameinfo(list->ai_addr, list->ai_addrlen, numeric,
                          sizeof(numeric), NULL, 0, NI_NUMERICHOST);
        strbuf_appendf(text, "%s%s", kept->count > 0 ? ", " : "", numeric);
        kept->count++;
    }
}

static bool resolve(struct probe *probe)
{
    struct directory_step_seen *seen = begin(probe, DIRECTORY_STEP_NAME);
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct strbuf text = STRBUF_INIT(1024);
    struct addrinfo *list = NULL;
    char port[16];
    int rc;

    (void)snprintf(port, sizeof(port), "%u", probe->set->port);
    rc = getaddrinfo(probe->host, port, &hints, &list);
    if (rc != 0) {
        errtext_set(&seen->text, "%s: %s", probe->host, gai_strerror(rc));
        errtext_set(&seen->fix,
                    "check the name in \"host\", /etc/resolv.conf and "
                    "/etc/hosts");
        return end(seen, false);
    }
    keep_addresses(probe, list, &text);
    freeaddrinfo(list);
    errtext_set(&seen->text, "%s is %s", probe->host, strbuf_text(&text));
    strbuf_clear(&text);
    return end(seen, probe->addresses.count > 0);
}

static bool reach(struct probe *probe)
{
    struct directory_step_seen *seen = begin(probe, DIRECTORY_STEP_CONNECT);
    int64_t until = limit(probe, probe->set->connect_timeout_ms);
    bool local = probe->host[0] == '/';
    struct errtext why = {{0}};
    enum status status;

    status = local
                 ? directory_socket_local(probe->host, until, &probe->fd, &why)
                 : directory_socket_connect(&probe->addresses, until,
                                            &probe->fd, &why);
    if (status != STATUS_OK) {
        errtext_set(&seen->text, "%s", why.text);
        errtext_set(&seen->fix,
                    "does the directory run, is \"port\" %u right, does a "
                    "firewall let us through?",
                    probe->set->port);
        return end(seen, false);
    }
    if (local)
        errtext_set(&seen->text, "connected to %s", probe->host);
    else
        errtext_set(&seen->text, "port %u answers", probe->set->port);
    return end(seen, true);
}

/* Waits until the socket is ready; false: too late. */
static bool wait_for(const struct probe *probe, short events, int64_t until)
{
    struct pollfd one = {.fd = probe->fd, .events = events};
    int left = clock_left_ms(until);

    return left > 0 && poll(&one, 1, left) == 1;
}

/*
 * Bytes of the whole message that begins with data; 0: more has to come to know
 * (BER, X.690 8.1.3: a length of one byte, or 0x80 + n and n bytes).
 */
static size_t message_bytes(const unsigned char *data, size_t len)
{
    size_t extra;
    size_t bytes = 0;

    if (len < 2)
        return 0;
    if (data[1] < 0x80)
        return 2U + data[1];
    extra = data[1] & 0x7fU;
    if (extra == 0 || extra > 4)
        return SIZE_MAX;
    if (len < 2 + extra)
        return 0;
    for (size_t i = 0; i < extra; i++)
        bytes = bytes << 8 | data[2 + i];
    return 2 + extra + bytes;
}

/* Reads the result code of an ExtendedResponse; -1: it is none. */
static int extended_code(unsigned char *data, size_t len)
{
    struct berval bytes = {len, (char *)data};
    BerElement *ber = ber_init(&bytes);
    ber_int_t id = 0;
    ber_int_t code = -1;
    ber_tag_t tag = LBER_ERROR;

    if (ber == NULL)
        return -1;
    if (ber_scanf(ber, "{it{e", &id, &tag, &code) == LBER_ERROR ||
        tag != LDAP_RES_EXTENDED)
        code = -1;
    ber_free(ber, 1);
    return (int)code;
}

/* Receives one whole message; false, with the reason in seen. */
static bool receive_answer(const struct probe *probe, int64_t until,
                           unsigned char *answer, size_t size, size_t *len_r,
                           struct directory_step_seen *seen)
{
    size_t len = 0;
    size_t wanted = 0;

    while (wanted == 0 || len < wanted) {
        ssize_t got;

        if (wanted > size) {
            errtext_set(&seen->text, "StartTLS: what came is no LDAP answer");
            return false;
        }
        if (!wait_for(probe, POLLIN, until)) {
            errtext_set(&seen->text, "StartTLS: no answer in time");
            return false;
        }
        got = recv(probe->fd, answer + len, size - len, 0);
        if (got <= 0) {
            errtext_set(&seen->text, "StartTLS: the server hung up");
            errtext_set(&seen->fix, "is this a TLS port? then use_ssl = true");
            return false;
        }
        len += (size_t)got;
        wanted = message_bytes(answer, len);
    }
    *len_r = len;
    return true;
}

/* Asks for TLS on an LDAP connection. */
static bool ask_start_tls(struct probe *probe, int64_t until,
                          struct directory_step_seen *seen)
{
    unsigned char answer[1024] = {0};
    size_t len = 0;
    int code;

    if (!wait_for(probe, POLLOUT, until) ||
        send(probe->fd, start_tls, START_TLS_BYTES, MSG_NOSIGNAL) !=
            (ssize_t)START_TLS_BYTES) {
        errtext_set(&seen->text, "StartTLS: it could not be sent");
        return false;
    }
    if (!receive_answer(probe, until, answer, sizeof(answer), &len, seen))
        return false;
    code = extended_code(answer, len);
    if (code == LDAP_SUCCESS)
        return true;
    if (code < 0) {
        errtext_set(&seen->text, "StartTLS: what came is no LDAP answer");
        return false;
    }
    errtext_set(&seen->text, "StartTLS is refused: %s",
                directory_code_text(code));
    errtext_set(&seen->fix,
                "give the directory a certificate, or set use_tls = false "
                "with use_ssl = true where it has an LDAPS port");
    return false;
}

/* The names a certificate is for, as text. */
static void append_names(X509 *certificate, struct strbuf *buf)
{
    GENERAL_NAMES *names =
        X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    char common[128] = "";

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        unsigned char *text = NULL;

        if (name->type == GEN_DNS &&
            ASN1_STRING_to_UTF8(&text, name->d.dNSName) > 0)
            strbuf_appendf(buf, "%s%s", buf->len > 0 ? ", " : "", (char *)text);
        OPENSSL_free(text);
        if (buf->len > NAMES_TEXT_MAX)
            break;
    }
    GENERAL_NAMES_free(names);
    if (buf->len == 0 &&
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate),
                                  NID_commonName, common, sizeof(common)) > 0)
        strbuf_append(buf, common);
}

static int days_until(const ASN1_TIME *when)
{
    int days = 0;
    int seconds = 0;

    if (ASN1_TIME_diff(&days, &seconds, NULL, when) != 1)
        return 0;
    return seconds < 0 && days == 0 ? -1 : days;
}

static void advise(const struct probe *probe, long verdict,
                   struct directory_step_seen *seen)
{
    switch (verdict) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        errtext_set(&seen->fix,
                    "write one of the certificate's names into \"host\", or "
                    "have a certificate made for %s",
                    probe->host);
        break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        errtext_set(&seen->fix, "renew the directory's certificate");
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        errtext_set(&seen->fix, "compare the clocks of both hosts");
        break;
    default:
        errtext_set(&seen->fix,
                    "let ca_file name the certificate of the CA that signed "
                    "the directory's");
        break;
    }
}

/* Tells what the certificate is, and whether we believe it. */
static bool judge_certificate(struct probe *probe, SSL *ssl,
                              struct directory_step_seen *seen)
{
    X509 *certificate = SSL_get1_peer_certificate(ssl);
    long verdict = SSL_get_verify_result(ssl);
    struct strbuf names = STRBUF_INIT(1024);
    int days;
    bool ok = verdict == X509_V_OK;

    if (certificate == NULL) {
        errtext_set(&seen->text, "the server showed no certificate");
        return false;
    }
    append_names(certificate, &names);
    days = days_until(X509_get0_notAfter(certificate));
    probe->out->has_certificate = true;
    probe->out->days_left = days;
    X509_free(certificate);
    if (ok)
        errtext_set(&seen->text, "%s, certificate for %s, %d days left",
                    SSL_get_version(ssl), strbuf_text(&names), days);
    else
        errtext_set(&seen->text, "certificate for %s, %d days left: %s%s",
                    strbuf_text(&names), days,
                    X509_verify_cert_error_string(verdict),
                    probe->set->ignore_ssl_errors ? " (ignored)" : "");
    strbuf_clear(&names);
    if (!ok)
        advise(probe, verdict, seen);
    return ok || probe->set->ignore_ssl_errors;
}

static bool shake_hands(struct probe *probe, SSL *ssl, int64_t until,
                        struct directory_step_seen *seen)
{
    int rc;

    while ((rc = SSL_connect(ssl)) != 1) {
        int error = SSL_get_error(ssl, rc);
        short events = error == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;

        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
            const char *reason = ERR_reason_error_string(ERR_get_error());

            errtext_set(&seen->text, "TLS handshake: %s",
                        reason != NULL ? reason : "the server hung up");
            errtext_set(&seen->fix, "is this a TLS port?");
            return false;
        }
        if (!wait_for(probe, events, until)) {
            errtext_set(&seen->text, "TLS handshake: no answer in time");
            errtext_set(&seen->fix, "is this a TLS port?");
            return false;
        }
    }
    return judge_certificate(probe, ssl, seen);
}

/* The context that judges as the settings say; NULL without memory. */
static SSL_CTX *make_context(const struct probe *probe,
                             struct directory_step_seen *seen)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    const char *file = probe->set->ca_file;
    int loaded;

    if (context == NULL)
        return NULL;
    /* It is judged, and shown, also where it is not believed. */
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    loaded = file[0] != '\0'
                 ? SSL_CTX_load_verify_locations(context, file, NULL)
                 : SSL_CTX_set_default_verify_paths(context);
    if (loaded != 1)
        errtext_set(&seen->fix, "ca_file %s has no certificate", file);
    return context;
}

static void expect_name(SSL *ssl, const char *host)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    char name[NI_MAXHOST]; /* OpenSSL's macro takes no const */

    if (X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1)
        return;
    (void)X509_VERIFY_PARAM_set1_host(param, host, 0);
    (void)snprintf(name, sizeof(name), "%s", host);
    (void)SSL_set_tlsext_host_name(ssl, name);
}

static bool secure(struct probe *probe)
{
    struct directory_step_seen *seen = begin(probe, DIRECTORY_STEP_TLS);
    int64_t until = limit(probe, probe->set->connect_timeout_ms);
    SSL_CTX *context;
    SSL *ssl = NULL;
    bool ok = false;

    ERR_clear_error();
    if (!probe->set->use_ssl && !ask_start_tls(probe, until, seen))
        return end(seen, false);
    context = make_context(probe, seen);
    if (context != NULL)
        ssl = SSL_new(context);
    if (ssl != NULL && SSL_set_fd(ssl, probe->fd) == 1) {
        expect_name(ssl, probe->host);
        ok = shake_hands(probe, ssl, until, seen);
    } else {
        errtext_set(&seen->text, "out of memory");
    }
    SSL_free(ssl);
    SSL_CTX_free(context);
    return end(seen, ok);
}

/* Binds, on a connection that libldap makes as it does for the daemons. */
static void describe_bind(struct probe *probe, int rc,
                          const struct directory_answer *answer,
                          struct directory_step_seen *seen)
{
    const char *dn = probe->set->bind_dn;

    if (rc == LDAP_SUCCESS)
        rc = answer->code;
    if (rc == LDAP_SUCCESS) {
        errtext_set(&seen->text, "%s%s", dn[0] != '\0' ? "bound as " : "",
                    dn[0] != '\0' ? dn : "anonymous, as bind_dn is empty");
        return;
    }
    errtext_set(&seen->text, "bind as %s: %s%s%s", dn, directory_code_text(rc),
                answer->text[0] != '\0' ? ": " : "", answer->text);
    if (rc == LDAP_INVALID_CREDENTIALS)
        errtext_set(&seen->fix, "bind_dn or the password in %s is wrong",
                    probe->set->bind_password_file);
    else if (rc == LDAP_CONFIDENTIALITY_REQUIRED ||
             rc == LDAP_STRONG_AUTH_REQUIRED)
        errtext_set(&seen->fix, "the directory wants TLS: use_tls = true");
}

static bool bind_service(struct probe *probe)
{
    struct directory_step_seen *seen = begin(probe, DIRECTORY_STEP_BIND);
    struct directory_answer answer = {.code = LDAP_SUCCESS};
    struct directory_connection *conn = NULL;
    struct directory_tls *tls = NULL;
    struct directory_route route = {.set = probe->set, .host = probe->host};
    bool secured = probe->set->use_ssl || probe->set->use_tls;
    enum status status = STATUS_OK;
    int rc = LDAP_SUCCESS;

    directory_library_init();
    if (probe->host[0] != '/')
        route.addresses = &probe->addresses;
    if (secured && probe->host[0] != '/')
        status = directory_tls_open(probe->set, &tls, &seen->text);
    route.tls = tls;
    if (status == STATUS_OK)
        status = directory_connection_open(
            &route, limit(probe, probe->set->connect_timeout_ms), &conn,
            &seen->text);
    if (status == STATUS_OK && probe->set->bind_dn[0] != '\0')
        rc = directory_connection_bind(
            conn, probe->set->bind_dn,
            probe->set->bind_password != NULL ? probe->set->bind_password : "",
            limit(probe, probe->set->operation_timeout_ms), &answer);
    if (status == STATUS_OK)
        describe_bind(probe, rc, &answer, seen);
    directory_connection_close(&conn, rc != LDAP_SUCCESS);
    directory_tls_close(&tls);
    return end(seen, status == STATUS_OK && rc == LDAP_SUCCESS &&
                         answer.code == LDAP_SUCCESS);
}

enum status directory_probe(const struct directory_settings *set, size_t index,
                            int64_t deadline_ms, struct directory_probed *out,
                            struct errtext *err)
{
    struct probe probe = {
        .set = set,
        .host = set->hosts.items[index],
        .deadline_ms = deadline_ms,
        .out = out,
        .fd = -1,
    };
    bool local = probe.host[0] == '/';
    bool ok;

    memset(out, 0, sizeof(*out));
    ok = (local || resolve(&probe)) && reach(&probe) &&
         (local || !(set->use_ssl || set->use_tls) || secure(&probe)) &&
         bind_service(&probe);
    if (probe.fd >= 0)
        (void)close(probe.fd);
    if (!ok)
        errtext_set(err, "%s is not in order", probe.host);
    return ok ? STATUS_OK : STATUS_DENIED;
}

bool directory_library_describe(char *text, size_t size)
{
    LDAPAPIInfo info = {.ldapai_info_version = LDAP_API_INFO_VERSION};
    char *package = NULL;
    bool hangs = false;

    directory_library_init();
    (void)ldap_get_option(NULL, LDAP_OPT_X_TLS_PACKAGE, &package);
    if (ldap_get_option(NULL, LDAP_OPT_API_INFO, &info) == LDAP_SUCCESS) {
        hangs = info.ldapai_vendor_version < 20609 && package != NULL &&
                strcmp(package, "GnuTLS") == 0;
        (void)snprintf(text, size, "%s %d.%d.%d with %s",
                       info.ldapai_vendor_name != NULL ? info.ldapai_vendor_name
                                                       : "libldap",
                       info.ldapai_vendor_version / 10000,
                       info.ldapai_vendor_version / 100 % 100,
                       info.ldapai_vendor_version % 100,
                       package != NULL ? package : "no TLS");
        ldap_memfree(info.ldapai_vendor_name);
        ber_memvfree((void **)info.ldapai_extensions);
    } else {
        (void)snprintf(text, size, "libldap, which does not tell its version");
    }
    ldap_memfree(package);
    return hangs;
}
