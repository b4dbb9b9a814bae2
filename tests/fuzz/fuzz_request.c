/* fuzz_request - the parser of policy requests never reads astray */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "fuzz.h"

#include "request.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct policy_request request;
    size_t used = 0;
    char *copy = malloc(size + 1);

    if (copy == NULL)
        return 0;
    memcpy(copy, data, size);
    if (request_is_whole((const char *)data, size, &used) && used > size)
        abort();
    if (request_parse(copy, size, &request, NULL) == STATUS_OK) {
        /* Every string ends inside the text. */
        const char *texts[] = {request.state, request.sasl_username,
                               request.sender, request.recipient,
                               request.instance};

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
            if (texts[i][0] != '\0' &&
                (texts[i] < copy || texts[i] + strlen(texts[i]) >= copy + size))
                abort();
        }
    }
    free(copy);
    return 0;
}
