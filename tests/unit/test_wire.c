/* test_wire - the saslauthd frames, both ends */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "unit.h"
#include "wire.h"

#include <string.h>

/* A frame of counted strings: room for each field one byte over its bound. */
struct frame {
    unsigned char bytes[WIRE_REQUEST_BYTES_MAX + 64];
    size_t len;
};

static void add_field(struct frame *frame, const char *text, size_t len)
{
    frame->bytes[frame->len++] = (unsigned char)(len >> 8);
    frame->bytes[frame->len++] = (unsigned char)(len & 0xff);
    memcpy(frame->bytes + frame->len, text, len);
    frame->len += len;
}

static struct frame frame_of(size_t fields)
{
    static const char *const texts[WIRE_FIELD_COUNT] = {
        "ada@example.org", "s3cret", "smtp", "", "192.0.2.7;4711"};
    struct frame frame = {.len = 0};

    for (size_t i = 0; i < fields; i++)
        add_field(&frame, texts[i], strlen(texts[i]));
    return frame;
}

static void reads_four_fields_and_five(void)
{
    for (size_t fields = WIRE_CLIENT; fields <= WIRE_FIELD_COUNT; fields++) {
        struct frame frame = frame_of(fields);
        enum wire_progress progress = WIRE_MORE;
        struct wire_request req;

        CU_ASSERT_EQUAL(
            wire_request_parse(frame.bytes, frame.len, &progress, &req, NULL),
            STATUS_OK);
        CU_ASSERT_EQUAL(progress,
                        fields == WIRE_CLIENT ? WIRE_FOUR : WIRE_FIVE);
        CU_ASSERT_STRING_EQUAL(req.fields[WIRE_USER], "ada@example.org");
        CU_ASSERT_STRING_EQUAL(req.fields[WIRE_PASSWORD], "s3cret");
        CU_ASSERT_STRING_EQUAL(req.fields[WIRE_SERVICE], "smtp");
        CU_ASSERT_STRING_EQUAL(req.fields[WIRE_REALM], "");
        CU_ASSERT_STRING_EQUAL(req.fields[WIRE_CLIENT],
                               fields == WIRE_CLIENT ? "" : "192.0.2.7;4711");
        wire_request_wipe(&req);
    }
}

/* Four fields are a whole request at one length only, five at another. */
static void waits_for_the_rest_at_every_length(void)
{
    struct frame whole = frame_of(WIRE_FIELD_COUNT);
    size_t four_len = frame_of(WIRE_CLIENT).len;

    for (size_t len = 0; len <= whole.len; len++) {
        enum wire_progress progress = WIRE_FIVE;
        enum wire_progress wanted = WIRE_MORE;
        struct wire_request req;

        if (len == four_len)
            wanted = WIRE_FOUR;
        if (len == whole.len)
            wanted = WIRE_FIVE;
        CU_ASSERT_EQUAL(
            wire_request_parse(whole.bytes, len, &progress, &req, NULL),
            STATUS_OK);
        CU_ASSERT_EQUAL(progress, wanted);
    }
}

static const struct {
    const char *name;
    enum wire_field field;
    size_t bytes_max;
} bounds[] = {
    {"user", WIRE_USER, WIRE_USER_BYTES_MAX},
    {"password", WIRE_PASSWORD, WIRE_PASSWORD_BYTES_MAX},
    {"service", WIRE_SERVICE, WIRE_SERVICE_BYTES_MAX},
    {"realm", WIRE_REALM, WIRE_REALM_BYTES_MAX},
    {"client", WIRE_CLIENT, WIRE_CLIENT_BYTES_MAX},
};

static char filler[WIRE_PASSWORD_BYTES_MAX + 1];

static void bounds_each_field(void)
{
    memset(filler, 'x', sizeof(filler));
    for (size_t i = 0; i < ARRAY_SIZE(bounds); i++) {
        for (size_t more = 0; more <= 2; more++) {
            size_t len = bounds[i].bytes_max - 1 + more;
            struct frame frame = {.len = 0};
            enum wire_progress progress = WIRE_MORE;
            struct wire_request req;
            struct errtext err = {{0}};
            enum status status;

            for (size_t f = 0; f < WIRE_FIELD_COUNT; f++)
                add_field(&frame, filler, f == bounds[i].field ? len : 0);
            status = wire_request_parse(frame.bytes, frame.len, &progress, &req,
                                        &err);
            CHECK_CASE(bounds[i].name,
                       status == (more == 2 ? STATUS_INVALID : STATUS_OK));
            CHECK_CASE(bounds[i].name, strchr(err.text, 'x') == NULL);
            CHECK_CASE(bounds[i].name,
                       more == 2 || strlen(req.fields[bounds[i].field]) == len);
        }
    }
}

static void takes_all_fields_at_their_bounds(void)
{
    struct frame frame = {.len = 0};
    enum wire_progress progress = WIRE_MORE;
    struct wire_request req;

    memset(filler, 'x', sizeof(filler));
    for (size_t i = 0; i < ARRAY_SIZE(bounds); i++)
        add_field(&frame, filler, bounds[i].bytes_max);
    CU_ASSERT_EQUAL(frame.len, WIRE_REQUEST_BYTES_MAX);
    CU_ASSERT_EQUAL(
        wire_request_parse(frame.bytes, frame.len, &progress, &req, NULL),
        STATUS_OK);
    CU_ASSERT_EQUAL(progress, WIRE_FIVE);
    CU_ASSERT_EQUAL(strlen(req.fields[WIRE_CLIENT]), WIRE_CLIENT_BYTES_MAX);
}

static void refuses_malformed_requests(void)
{
    static const struct {
        const char *name;
        const char *bytes;
        size_t len;
    } cases[] = {
        {"NUL in the user", "\0\3a\0b\0\1p\0\1s\0\0", 14},
        {"NUL in the password", "\0\1a\0\3p\0q\0\1s\0\0", 14},
        {"NUL in the service", "\0\1a\0\1p\0\2s\0\0\0", 12},
        {"NUL in a user still incomplete", "\0\11a\0", 4},
        {"a count over the bound, nothing more", "\xff\xff", 2},
        {"a byte behind the fifth", "\0\1a\0\1p\0\1s\0\0\0\0x", 14},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const unsigned char *bytes = (const unsigned char *)cases[i].bytes;
        enum wire_progress progress = WIRE_MORE;
        struct wire_request req;
        struct errtext err = {{0}};

        CHECK_CASE(cases[i].name,
                   wire_request_parse(bytes, cases[i].len, &progress, &req,
                                      &err) == STATUS_INVALID);
        CHECK_CASE(cases[i].name, err.text[0] != '\0');
    }
}

static void writes_what_it_reads(void)
{
    static const char *const fields[WIRE_FIELD_COUNT] = {"ada", "p w", "imap",
                                                         "example.org", NULL};
    static const size_t lens[WIRE_FIELD_COUNT] = {3, 3, 4, 11, 0};
    unsigned char out[WIRE_REQUEST_BYTES_MAX];
    enum wire_progress progress = WIRE_MORE;
    struct wire_request req;
    size_t len = 0;

    CU_ASSERT_EQUAL(wire_request_encode(fields, lens, out, &len, NULL),
                    STATUS_OK);
    CU_ASSERT_EQUAL(len, 31);
    CU_ASSERT_EQUAL(
        memcmp(out, "\0\3ada\0\3p w\0\4imap\0\13example.org\0\0", 31), 0);
    CU_ASSERT_EQUAL(wire_request_parse(out, len, &progress, &req, NULL),
                    STATUS_OK);
    CU_ASSERT_EQUAL(progress, WIRE_FIVE);
    CU_ASSERT_STRING_EQUAL(req.fields[WIRE_REALM], "example.org");
    CU_ASSERT_STRING_EQUAL(req.fields[WIRE_CLIENT], "");
}

static void writes_no_malformed_request(void)
{
    const char *fields[WIRE_FIELD_COUNT] = {"ada", "", "", "", ""};
    size_t lens[WIRE_FIELD_COUNT] = {3, 0, 0, 0, 0};
    unsigned char out[WIRE_REQUEST_BYTES_MAX];
    size_t len = 0;

    memset(filler, 'x', sizeof(filler));
    memset(out, 'o', sizeof(out));
    fields[WIRE_PASSWORD] = "a\0b";
    lens[WIRE_PASSWORD] = 3;
    CU_ASSERT_EQUAL(wire_request_encode(fields, lens, out, &len, NULL),
                    STATUS_INVALID);
    fields[WIRE_PASSWORD] = filler;
    lens[WIRE_PASSWORD] = WIRE_PASSWORD_BYTES_MAX + 1;
    CU_ASSERT_EQUAL(wire_request_encode(fields, lens, out, &len, NULL),
                    STATUS_INVALID);
    CU_ASSERT_EQUAL(len, 0);
    CU_ASSERT_EQUAL(out[0], 'o');
    lens[WIRE_PASSWORD] = WIRE_PASSWORD_BYTES_MAX;
    CU_ASSERT_EQUAL(wire_request_encode(fields, lens, out, &len, NULL),
                    STATUS_OK);
    CU_ASSERT_EQUAL(len, 10 + 3 + WIRE_PASSWORD_BYTES_MAX);
}

static void wipes_a_request(void)
{
    static const struct wire_request zero;
    struct frame frame = frame_of(WIRE_FIELD_COUNT);
    enum wire_progress progress = WIRE_MORE;
    struct wire_request req;

    CU_ASSERT_EQUAL(
        wire_request_parse(frame.bytes, frame.len, &progress, &req, NULL),
        STATUS_OK);
    wire_request_wipe(&req);
    CU_ASSERT_EQUAL(memcmp(req.text, zero.text, sizeof(req.text)), 0);
}

static void replies_come_back_as_sent(void)
{
    static const struct {
        const char *name;
        enum wire_verdict verdict;
        const char *text;
        const char *bytes;
        size_t len;
    } cases[] = {
        {"OK with an address", WIRE_OK, "a@b.c", "\0\10OK a@b.c", 10},
        {"OK alone", WIRE_OK, "", "\0\2OK", 4},
        {"NO with a code", WIRE_NO, "bad", "\0\6NO bad", 8},
        {"no answer", WIRE_TEMPORARY, "ignored", "\0\0", 2},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        unsigned char out[WIRE_REPLY_BYTES_MAX + 2];
        size_t len = wire_reply_encode(cases[i].verdict, cases[i].text, out);
        struct wire_reply reply = {.verdict = WIRE_NO};
        bool complete = false;

        CHECK_CASE(cases[i].name, len == cases[i].len);
        CHECK_CASE(cases[i].name, memcmp(out, cases[i].bytes, len) == 0);
        for (size_t n = 0; n <= len; n++) {
            CHECK_CASE(cases[i].name,
                       wire_reply_parse(out, n, &complete, &reply, NULL) ==
                           STATUS_OK);
            CHECK_CASE(cases[i].name, complete == (n == len));
        }
        CHECK_CASE(cases[i].name, reply.verdict == cases[i].verdict);
        CHECK_CASE(cases[i].name, cases[i].verdict == WIRE_TEMPORARY ||
                                      strcmp(reply.text, cases[i].text) == 0);
    }
}

static void never_cuts_an_address(void)
{
    static const struct {
        const char *name;
        size_t text_len;
        enum wire_verdict sent;
        enum wire_verdict seen;
    } cases[] = {
        {"OK one below", WIRE_REPLY_BYTES_MAX - 4, WIRE_OK, WIRE_OK},
        {"OK at the bound", WIRE_REPLY_BYTES_MAX - 3, WIRE_OK, WIRE_OK},
        {"OK one above", WIRE_REPLY_BYTES_MAX - 2, WIRE_OK, WIRE_TEMPORARY},
        {"NO one above", WIRE_REPLY_BYTES_MAX - 2, WIRE_NO, WIRE_NO},
        {"NO far above", WIRE_PASSWORD_BYTES_MAX, WIRE_NO, WIRE_NO},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        unsigned char out[WIRE_REPLY_BYTES_MAX + 2];
        struct wire_reply reply = {.verdict = WIRE_NO};
        bool complete = false;
        size_t len;

        memset(filler, 'x', sizeof(filler));
        filler[cases[i].text_len] = '\0';
        len = wire_reply_encode(cases[i].sent, filler, out);
        CHECK_CASE(cases[i].name, len <= sizeof(out));
        CHECK_CASE(cases[i].name, wire_reply_parse(out, len, &complete, &reply,
                                                   NULL) == STATUS_OK);
        CHECK_CASE(cases[i].name, complete && reply.verdict == cases[i].seen);
    }
}

static void reads_no_malformed_reply(void)
{
    static const struct {
        const char *name;
        const char *bytes;
        size_t len;
        enum status status;
    } cases[] = {
        {"count one is no answer, at once", "\0\1", 2, STATUS_OK},
        {"a count over the bound", "\4\0", 2, STATUS_INVALID},
        {"a count at the bound", "\3\377", 2, STATUS_OK},
        {"neither OK nor NO", "\0\2ZZ", 4, STATUS_INVALID},
        {"lower case", "\0\2ok", 4, STATUS_INVALID},
        {"another word", "\0\4OKAY", 6, STATUS_INVALID},
        {"OK and NUL", "\0\3OK\0", 5, STATUS_INVALID},
        {"newline in the text", "\0\5OK a\n", 7, STATUS_INVALID},
        {"bytes behind it", "\0\2OKx", 5, STATUS_INVALID},
        {"bytes behind no answer", "\0\0x", 3, STATUS_INVALID},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const unsigned char *bytes = (const unsigned char *)cases[i].bytes;
        struct wire_reply reply = {.verdict = WIRE_OK};
        struct errtext err = {{0}};
        bool complete = false;

        CHECK_CASE(cases[i].name,
                   wire_reply_parse(bytes, cases[i].len, &complete, &reply,
                                    &err) == cases[i].status);
        CHECK_CASE(cases[i].name, !complete || reply.verdict != WIRE_OK);
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"reads four fields and five", reads_four_fields_and_five},
        {"waits for the rest at every length",
         waits_for_the_rest_at_every_length},
        {"bounds each field", bounds_each_field},
        {"takes all fields at their bounds", takes_all_fields_at_their_bounds},
        {"refuses malformed requests", refuses_malformed_requests},
        {"writes what it reads", writes_what_it_reads},
        {"writes no malformed request", writes_no_malformed_request},
        {"wipes a request", wipes_a_request},
        {"replies come back as sent", replies_come_back_as_sent},
        {"never cuts an address", never_cuts_an_address},
        {"reads no malformed reply", reads_no_malformed_reply},
        CU_TEST_INFO_NULL,
    };

    return run_tests("wire", tests);
}
