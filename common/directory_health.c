/* directory_health - see directory_health.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "directory_health.h"

bool directory_health_begin(struct directory_health *health, int64_t now_ms,
                            struct directory_turn *turn_r)
{
    struct directory_turn turn = {.probe = false, .epoch = health->epoch};

    if (health->resting) {
        if (health->probing || now_ms < health->retry_at_ms)
            return false;
        health->probing = true;
        turn.probe = true;
    }
    *turn_r = turn;
    return true;
}

void directory_health_end(struct directory_health *health,
                          struct directory_turn turn,
                          enum directory_verdict verdict, int64_t now_ms,
                          int64_t rest_ms, const struct errtext *error)
{
    if (turn.probe)
        health->probing = false;
    switch (verdict) {
    case DIRECTORY_HOST_GOOD:
        if (!turn.probe)
            break;
        health->resting = false;
        health->epoch++;
        health->error.text[0] = '\0';
        break;
    case DIRECTORY_HOST_BAD:
        if (turn.epoch != health->epoch)
            break;
        health->resting = true;
        health->retry_at_ms = now_ms + rest_ms;
        health->error = *error;
        break;
    case DIRECTORY_HOST_UNSURE:
        break;
    }
}
