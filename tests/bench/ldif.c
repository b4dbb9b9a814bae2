/*
 * ldif - prints the benchmark's directory for slapadd
 *
 * usage: ldif PEOPLE
 *
 * One organisational unit, the service identity and PEOPLE persons with {SSHA}
 * passwords. entryUUIDs are given, so that the database can be filled with the
 * ids that the directory will show.
 */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "people.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SALT_BYTES 8

/* Writes the {SSHA} form of password to out (PEOPLE_TEXT_BYTES). */
static int salted(const char *password, unsigned number, char *out)
{
    unsigned char digest[SHA_DIGEST_LENGTH + SALT_BYTES];
    unsigned char text[PEOPLE_TEXT_BYTES];
    unsigned char both[PEOPLE_TEXT_BYTES + SALT_BYTES];
    char salt[SALT_BYTES + 1];
    size_t len = strlen(password);

    (void)snprintf(salt, sizeof(salt), "%08x", number * 2654435761U);
    memcpy(both, password, len);
    memcpy(both + len, salt, SALT_BYTES);
    if (EVP_Digest(both, len + SALT_BYTES, digest, NULL, EVP_sha1(), NULL) != 1)
        return -1;
    memcpy(digest + SHA_DIGEST_LENGTH, salt, SALT_BYTES);
    (void)EVP_EncodeBlock(text, digest, sizeof(digest));
    (void)snprintf(out, PEOPLE_TEXT_BYTES, "{SSHA}%.50s", (const char *)text);
    return 0;
}

static int print_person(unsigned number)
{
    char user[PEOPLE_TEXT_BYTES];
    char domain[PEOPLE_TEXT_BYTES];
    char password[PEOPLE_TEXT_BYTES];
    char uuid[PEOPLE_TEXT_BYTES];
    char hash[PEOPLE_TEXT_BYTES];

    people_user(number, user);
    people_domain(number, domain);
    people_password(number, password);
    people_uuid(number, uuid);
    if (salted(password, number, hash) != 0)
        return -1;
    (void)printf("dn: uid=%s,ou=people," PEOPLE_BASE "\n"
                 "objectClass: inetOrgPerson\nuid: %s\ncn: Person\n"
                 "sn: %06u\ndisplayName: Person\nmail: %s@%s\n"
                 "employeeType: default\nuserPassword: %s\n"
                 "entryUUID: %s\n\n",
                 user, user, number, user, domain, hash, uuid);
    return 0;
}

int main(int argc, char **argv)
{
    unsigned long count = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
    char hash[PEOPLE_TEXT_BYTES];

    if (count == 0 || count > PEOPLE_MAX) {
        (void)fprintf(stderr, "usage: ldif PEOPLE\n");
        return 64;
    }
    if (salted("service", 0, hash) != 0)
        return EXIT_FAILURE;
    (void)printf("dn: " PEOPLE_BASE "\nobjectClass: domain\ndc: bench\n\n"
                 "dn: ou=people," PEOPLE_BASE "\n"
                 "objectClass: organizationalUnit\nou: people\n\n"
                 "dn: cn=mail," PEOPLE_BASE "\nobjectClass: person\n"
                 "cn: mail\nsn: mail\nuserPassword: %s\n\n",
                 hash);
    for (unsigned number = 0; number < count; number++)
        if (print_person(number) != 0)
            return EXIT_FAILURE;
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
