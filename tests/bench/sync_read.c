/*
 * sync_read - reads everybody in the benchmark's directory, and that is all
 *
 * usage: sync_read LDAPI-URI
 *
 * The yardstick of a run that finds nothing changed: the entries and attributes
 * that provost-sync reads, in pages of the same size, by a plain libldap loop
 * that looks at each value once. Prints how many entries there were.
 */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "directory_walk.h"
#include "people.h"

#include <ldap.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    LDAP *ld;
    struct berval cookie;
    unsigned long entries;
    unsigned long bytes; /* of values */
};

static bool open_directory(const char *uri, LDAP **ld_r)
{
    int version = LDAP_VERSION3;
    char service[] = "service";
    struct berval secret = {.bv_len = strlen(service), .bv_val = service};

    return ldap_initialize(ld_r, uri) == LDAP_SUCCESS &&
           ldap_set_option(*ld_r, LDAP_OPT_PROTOCOL_VERSION, &version) ==
               LDAP_OPT_SUCCESS &&
           ldap_sasl_bind_s(*ld_r, "cn=mail," PEOPLE_BASE, LDAP_SASL_SIMPLE,
                            &secret, NULL, NULL, NULL) == LDAP_SUCCESS;
}

static int ask_page(struct reading *reading, int *msgid_r)
{
    static char names[][16] = {"mail",       "employeeType", "displayName",
                               "entryUUID",  "objectGUID",   "nsUniqueId",
                               "ipaUniqueID"};
    char *attributes[] = {names[0], names[1], names[2], names[3],
                          names[4], names[5], names[6], NULL};
    LDAPControl *controls[] = {NULL, NULL};
    int rc = ldap_create_page_control(reading->ld, DIRECTORY_PAGE_ENTRIES,
                                      &reading->cookie, 0, &controls[0]);

    if (rc == LDAP_SUCCESS)
        rc = ldap_search_ext(reading->ld, PEOPLE_BASE, LDAP_SCOPE_SUBTREE,
                             "(&(mail=*))", attributes, 0, controls, NULL, NULL,
                             LDAP_NO_LIMIT, msgid_r);
    ldap_control_free(controls[0]);
    return rc;
}

static void take_entry(struct reading *reading, LDAPMessage *entry)
{
    struct berval dn;
    struct berval name;
    struct berval *values = NULL;
    BerElement *ber = NULL;
    int rc = ldap_get_dn_ber(reading->ld, entry, &ber, &dn);

    while (rc == LDAP_SUCCESS) {
        rc = ldap_get_attribute_ber(reading->ld, entry, ber, &name, &values);
        if (rc != LDAP_SUCCESS || name.bv_val == NULL)
            break;
        for (size_t i = 0; values != NULL && values[i].bv_val != NULL; i++)
            reading->bytes += values[i].bv_len;
        ber_memfree(values);
        values = NULL;
    }
    ber_free(ber, 0);
    reading->entries++;
}

static int end_page(struct reading *reading, LDAPMessage *result)
{
    LDAPControl **controls = NULL;
    LDAPControl *page;
    ber_int_t estimate = 0;
    int code = LDAP_OTHER;
    int rc = ldap_parse_result(reading->ld, result, &code, NULL, NULL, NULL,
                               &controls, 0);

    ber_memfree(reading->cookie.bv_val);
    reading->cookie = (struct berval){0, NULL};
    page = rc == LDAP_SUCCESS && controls != NULL
               ? ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL)
               : NULL;
    if (page != NULL)
        rc = ldap_parse_pageresponse_control(reading->ld, page, &estimate,
                                             &reading->cookie);
    ldap_controls_free(controls);
    return rc == LDAP_SUCCESS ? code : rc;
}

static int read_page(struct reading *reading)
{
    int msgid = 0;
    int rc = ask_page(reading, &msgid);

    while (rc == LDAP_SUCCESS) {
        LDAPMessage *message = NULL;
        int type =
            ldap_result(reading->ld, msgid, LDAP_MSG_ONE, NULL, &message);

        if (type <= 0)
            return LDAP_SERVER_DOWN;
        if (type == LDAP_RES_SEARCH_ENTRY)
            take_entry(reading, message);
        if (type == LDAP_RES_SEARCH_RESULT)
            rc = end_page(reading, message);
        ldap_msgfree(message);
        if (type == LDAP_RES_SEARCH_RESULT)
            break;
    }
    return rc;
}

int main(int argc, char **argv)
{
    struct reading reading = {.ld = NULL};
    int rc;

    if (argc != 2 || !open_directory(argv[1], &reading.ld)) {
        (void)fprintf(stderr, "usage: sync_read LDAPI-URI\n");
        return 64;
    }
    do {
        rc = read_page(&reading);
    } while (rc == LDAP_SUCCESS && reading.cookie.bv_len > 0);
    ber_memfree(reading.cookie.bv_val);
    (void)ldap_unbind_ext(reading.ld, NULL, NULL);
    if (rc != LDAP_SUCCESS) {
        (void)fprintf(stderr, "sync_read: %s\n", ldap_err2string(rc));
        return EXIT_FAILURE;
    }
    (void)printf("%lu entries, %lu bytes\n", reading.entries, reading.bytes);
    return EXIT_SUCCESS;
}
