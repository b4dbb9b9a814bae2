/* unit - see unit.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "unit.h"

#include <stdlib.h>

int run_tests(const char *suite, CU_TestInfo *tests)
{
    CU_SuiteInfo suites[] = {
        {.pName = suite, .pTests = tests},
        CU_SUITE_INFO_NULL,
    };
    unsigned failures = 1;

    if (CU_initialize_registry() != CUE_SUCCESS)
        return EXIT_FAILURE;
    CU_basic_set_mode(CU_BRM_VERBOSE);
    if (CU_register_suites(suites) == CUE_SUCCESS &&
        CU_basic_run_tests() == CUE_SUCCESS)
        failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
