/* test_store_error - what MariaDB's error numbers mean */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_error.h"
#include "unit.h"

#include "status.h"

static void classes_every_number_we_know(void)
{
    static const struct {
        const char *name;
        unsigned error;
        enum store_error meaning;
    } cases[] = {
        {"deadlock", 1213, STORE_ERROR_RETRY},
        {"lock wait timeout", 1205, STORE_ERROR_RETRY},
        {"record changed", 1020, STORE_ERROR_RETRY},
        {"cluster: error during commit", 1180, STORE_ERROR_RETRY},
        {"cluster: node not ready", 1047, STORE_ERROR_LOST},
        {"no socket", 2002, STORE_ERROR_LOST},
        {"no TCP connection", 2003, STORE_ERROR_LOST},
        {"server has gone away", 2006, STORE_ERROR_LOST},
        {"lost connection", 2013, STORE_ERROR_LOST},
        {"lost connection, with a place", 2055, STORE_ERROR_LOST},
        {"too many connections", 1040, STORE_ERROR_LOST},
        {"server shutdown", 1053, STORE_ERROR_LOST},
        {"connection killed", 1927, STORE_ERROR_LOST},
        {"query interrupted", 1317, STORE_ERROR_NO_ANSWER},
        {"max_statement_time", 1969, STORE_ERROR_NO_ANSWER},
        {"duplicate key", 1062, STORE_ERROR_DUPLICATE},
        {"access denied", 1045, STORE_ERROR_OTHER},
        {"unknown database", 1049, STORE_ERROR_OTHER},
        {"no such table", 1146, STORE_ERROR_OTHER},
        {"syntax error", 1064, STORE_ERROR_OTHER},
        {"data too long", 1406, STORE_ERROR_OTHER},
        {"TLS", 2026, STORE_ERROR_OTHER},
        {"no error", 0, STORE_ERROR_OTHER},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK_CASE(cases[i].name,
                   store_error_class(cases[i].error) == cases[i].meaning);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"classes every number we know", classes_every_number_we_know},
        CU_TEST_INFO_NULL,
    };

    return run_tests("store_error", tests);
}
