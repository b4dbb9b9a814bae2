/* test_settings_memory - settings without memory */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "settings.h"
#include "settings_fixture.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

/*
 * The linker sends our own allocations through these (--wrap); those of
 * libraries go the usual way, since libconfig 1.5 does not survive a failure.
 */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);

static size_t allocations; /* since the last reset */
static size_t fail_at;     /* the one that fails; 0: none */
static bool fail_from;     /* and all that follow */

static bool fails(void)
{
    allocations++;
    return fail_at != 0 &&
           (allocations == fail_at || (fail_from && allocations > fail_at));
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
    return fails() ? NULL : __real_reallocarray(old, count, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t len)
{
    return fails() ? NULL : __real_strndup(text, len);
}

/* Every kind of value, so that every kind of allocation fails once. */
static const char good_text[] =
    "store = { host = \"127.0.0.1\"; password_file = \"secret\"; };\n"
    "directories = ( { name = \"a\"; host = \"h, [::1]\"; schema = \"ad\";\n"
    "  base_dn = [ \"dc=x\", \"dc=y\" ]; domains = [ \"Example.ORG\" ];\n"
    "  bind_dn = \"cn=x\"; bind_password_file = \"secret\";\n"
    "  attribute_field = \"memberOf\"; attribute_mapping = (\n"
    "    { attribute = \"x\"; template = \"t\"; } ); },\n"
    "  { name = \"b\"; host = \"ldapi:///s\"; base_dn = \"dc=x\"; } );\n"
    "templates = ( { name = \"t\"; tags = [ \"b\", \"a\" ]; } );\n"
    "auth = { sockets = ( { path = \"/a\"; allowed = \"x\"; } ); };\n";

/* Loads with the n-th allocation failing, and with all from there on. */
static void check_each(const char *name, const char *text, enum status whole)
{
    struct folder folder;
    size_t last = 1;

    open_folder(&folder);
    write_file(&folder, "provost.conf", text);
    write_file(&folder, "secret", "pw\n");
    for (size_t n = 0; n <= last * 2; n++) {
        struct settings *set = NULL;
        struct strbuf faults = STRBUF_INIT(SETTINGS_FAULTS_BYTES_MAX);
        enum status status = STATUS_OK;

        allocations = 0;
        fail_at = (n + 1) / 2;
        fail_from = n % 2 == 0;
        status = load_folder(&folder, &set, &faults);
        if (n == 0) {
            last = allocations;
            CHECK_CASE(name, status == whole);
        } else {
            CHECK_CASE(name, status == STATUS_TEMPFAIL || status == whole);
        }
        CHECK_CASE(name, (status == STATUS_OK) == (set != NULL));
        fail_at = 0;
        settings_free(&set);
        strbuf_clear(&faults);
    }
    CU_ASSERT_TRUE(last > 50);
    close_folder(&folder);
}

static void no_memory_is_temporary_whatever_fails(void)
{
    check_each("good settings", good_text, STATUS_OK);
}

static void no_memory_is_not_a_fault(void)
{
    check_each("a fault of each room",
               ONE_DIR("port = 0; zoo = 1; filter = \"x\"; host2 = 010;\n"
                       "domains = [ \"a b\" ]; default_template = \"u\"; "),
               STATUS_INVALID);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"no memory is temporary, whatever fails",
         no_memory_is_temporary_whatever_fails},
        {"no memory is not a fault", no_memory_is_not_a_fault},
        CU_TEST_INFO_NULL,
    };

    return run_tests("settings_memory", tests);
}
