/* test_address - canonical addresses, login names, domains and paths */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "address.h"
#include "strbuf.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define TEN "aaaaaaaaaa"
#define SIXTY TEN TEN TEN TEN TEN TEN
/* Three labels of 63 and three dots are 192 bytes. */
#define LABEL63 SIXTY "aaa"
#define LABELS192 LABEL63 "." LABEL63 "." LABEL63 "."

struct form {
    const char *name;
    const char *text;
    const char *canonical; /* NULL: STATUS_INVALID */
};

typedef enum status form_function(const char *text, char **form_r,
                                  struct errtext *err);

static void check_form(const struct form *row, form_function *function)
{
    struct errtext err = {{0}};
    char *form = NULL;
    enum status status = function(row->text, &form, &err);

    if (row->canonical == NULL) {
        CHECK_CASE(row->name, status == STATUS_INVALID);
        CHECK_CASE(row->name, form == NULL);
        CHECK_CASE(row->name, err.text[0] != '\0');
    } else {
        CHECK_CASE(row->name, status == STATUS_OK);
        CHECK_CASE(row->name,
                   form != NULL && strcmp(form, row->canonical) == 0);
        if (form != NULL && strcmp(form, row->canonical) != 0)
            (void)printf(" (got \"%s\")", form);
        CHECK_CASE(row->name, err.text[0] == '\0');
    }
    free(form);
}

static void makes_one_form_of_every_spelling(void)
{
    static const struct form rows[] = {
        {"plain", "anna@example.org", "anna@example.org"},
        {"mixed case", "Anna.BERG@Example.ORG", "anna.berg@example.org"},
        {"tag stays", "anna+list@example.org", "anna+list@example.org"},
        {"apostrophe", "o'neil@example.org", "o'neil@example.org"},
        {"all of atext", "!#$%&'*+-=?^_`{|}~@a.example",
         "!#$%&'*+-=?^_`{|}~@a.example"},
        {"trailing dot", "anna@example.org.", "anna@example.org"},
        {"fullwidth dot", "anna@example\xEF\xBC\x8Eorg", "anna@example.org"},
        {"ideographic dot", "anna@example\xE3\x80\x82org", "anna@example.org"},
        {"trailing ideographic dot", "anna@example.org\xE3\x80\x82",
         "anna@example.org"},
        {"fullwidth letters in the domain", "anna@\xEF\xBD\x85xample.org",
         "anna@example.org"},
        {"U-label",
         "anna@b\xC3\xBC"
         "cher.example",
         "anna@xn--bcher-kva.example"},
        {"U-label in upper case",
         "anna@B\xC3\x9C"
         "CHER.example",
         "anna@xn--bcher-kva.example"},
        {"U-label decomposed",
         "anna@bu\xCC\x88"
         "cher.example",
         "anna@xn--bcher-kva.example"},
        {"A-label in upper case", "anna@XN--BCHER-KVA.example",
         "anna@xn--bcher-kva.example"},
        {"sharp s is not ss", "anna@fa\xC3\x9F.example",
         "anna@xn--fa-hia.example"},
        {"local part decomposed", "u\xCC\x88@example.org",
         "\xC3\xBC@example.org"},
        {"local part upper and decomposed", "U\xCC\x88@example.org",
         "\xC3\xBC@example.org"},
        {"Kelvin sign is a k", "\xE2\x84\xAA@example.org", "k@example.org"},
        {"dotless and dotted i keep apart", "I\xC4\xB1@example.org",
         "i\xC4\xB1@example.org"},
        {"Cyrillic a is not a", "\xD0\xB0nna@example.org",
         "\xD0\xB0nna@example.org"},
        {"digits alone before '@'", "12@example.org", "12@example.org"},
        {"digits in an inner label", "a@12.example", "a@12.example"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        check_form(&rows[i], address_canonical);
}

static void refuses_what_no_mailbox_may_be_called(void)
{
    static const struct form rows[] = {
        {"empty", "", NULL},
        {"no at", "anna", NULL},
        {"at alone", "@", NULL},
        {"empty local part", "@example.org", NULL},
        {"empty domain", "anna@", NULL},
        {"two at", "a@b@example.org", NULL},
        {"double at", "anna@@example.org", NULL},
        {"double dot", "an..na@example.org", NULL},
        {"two dots alone", "..@example.org", NULL},
        {"leading dot", ".anna@example.org", NULL},
        {"trailing dot before at", "anna.@example.org", NULL},
        {"leading hyphen", "-anna@example.org", NULL},
        {"slash", "a/b@example.org", NULL},
        {"backslash", "a\\b@example.org", NULL},
        {"comma", "a,b@example.org", NULL},
        {"colon", "a:b@example.org", NULL},
        {"semicolon", "a;b@example.org", NULL},
        {"Greek question mark becomes a semicolon",
         "a\xCD\xBE"
         "b@example.org",
         NULL},
        {"angle brackets", "<anna@example.org>", NULL},
        {"quoted", "\"anna\"@example.org", NULL},
        {"blank inside", "an na@example.org", NULL},
        {"leading blank", " anna@example.org", NULL},
        {"trailing blank", "anna@example.org ", NULL},
        {"blank before at", "anna @example.org", NULL},
        {"newline", "anna\n@example.org", NULL},
        {"newline at the end", "anna@example.org\n", NULL},
        {"tab", "an\tna@example.org", NULL},
        {"delete", "an\x7Fna@example.org", NULL},
        {"C1 control", "an\xC2\x85na@example.org", NULL},
        {"no-break space", "an\xC2\xA0na@example.org", NULL},
        {"zero width space", "an\xE2\x80\x8Bna@example.org", NULL},
        {"soft hyphen", "an\xC2\xADna@example.org", NULL},
        {"right to left override", "an\xE2\x80\xAEna@example.org", NULL},
        {"line separator", "an\xE2\x80\xA8na@example.org", NULL},
        {"stray byte", "an\xFFna@example.org", NULL},
        {"half a character", "anna\xC3@example.org", NULL},
        {"overlong slash", "a\xC0\xAF@example.org", NULL},
        {"surrogate", "a\xED\xA0\x80@example.org", NULL},
        {"stray byte in the domain", "anna@ex\xFF.org", NULL},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        check_form(&rows[i], address_canonical);
}

static void takes_domains_people_have(void)
{
    static const struct form rows[] = {
        {"plain", "example.org", "example.org"},
        {"upper case", "EXAMPLE.ORG", "example.org"},
        {"label of 63", LABEL63 ".example", LABEL63 ".example"},
        {"253 bytes", LABELS192 SIXTY "a", LABELS192 SIXTY "a"},
        {"252 bytes", LABELS192 SIXTY, LABELS192 SIXTY},
        {"253 bytes and a dot", LABELS192 SIXTY "a.", LABELS192 SIXTY "a"},
        {"hyphens as in no A-label", "ab--cd.example", "ab--cd.example"},
        {"empty", "", NULL},
        {"dot", ".", NULL},
        {"one label", "localhost", NULL},
        {"one label and a dot", "localhost.", NULL},
        {"IPv4 address", "192.0.2.7", NULL},
        {"address literal", "[192.0.2.7]", NULL},
        {"digits last", "example.7", NULL},
        {"254 bytes", LABELS192 SIXTY "aa", NULL},
        {"label of 64", LABEL63 "a.example", NULL},
        {"empty label", "a..example", NULL},
        {"leading dot", ".a.example", NULL},
        {"two trailing dots", "a.example..", NULL},
        {"leading hyphen", "-a.example", NULL},
        {"trailing hyphen", "a-.example", NULL},
        {"underscore", "a_b.example", NULL},
        {"blank", "a b.example", NULL},
        {"slash", "a/b.example", NULL},
        {"fullwidth slash",
         "a\xEF\xBC\x8F"
         "b.example",
         NULL},
        {"fullwidth at",
         "a\xEF\xBC\xA0"
         "b.example",
         NULL},
        {"percent", "a%b.example", NULL},
        {"underscore beside an A-label", "a_b.xn--bcher-kva.example", NULL},
        {"blank beside a U-label",
         "a b.b\xC3\xBC"
         "cher.example",
         NULL},
        {"newline after a U-label",
         "b\xC3\xBC"
         "cher.example\n",
         NULL},
        {"A-label that means nothing", "xn--\x61\x61\x61-.example", NULL},
        {"A-label of a plain word", "xn--abc-.example", NULL},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        check_form(&rows[i], address_domain);
}

static void shows_domains_as_people_write_them(void)
{
    static const struct form rows[] = {
        {"plain", "example.org", "example.org"},
        {"A-label", "xn--bcher-kva.example",
         "b\xC3\xBC"
         "cher.example"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        check_form(&rows[i], address_domain_unicode);
}

/* Fills text with len letters, then tail. */
static void long_text(struct strbuf *buf, size_t len, const char *tail)
{
    for (size_t i = 0; i < len; i++)
        strbuf_append_char(buf, 'x');
    strbuf_append(buf, tail);
}

static void bounds_the_local_part(void)
{
    static const struct {
        const char *name;
        size_t len;
        bool fits;
    } cases[] = {
        {"one below", ADDRESS_LOCAL_BYTES_MAX - 1, true},
        {"the bound", ADDRESS_LOCAL_BYTES_MAX, true},
        {"one above", ADDRESS_LOCAL_BYTES_MAX + 1, false},
        {"huge", 70000, false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct strbuf buf = STRBUF_INIT(100000);
        struct form row = {.name = cases[i].name};

        long_text(&buf, cases[i].len, "@example.org");
        row.text = strbuf_text(&buf);
        row.canonical = cases[i].fits ? row.text : NULL;
        check_form(&row, address_canonical);
        strbuf_clear(&buf);
    }
}

static void counts_bytes_after_composing(void)
{
    struct strbuf typed = STRBUF_INIT(1000);
    struct strbuf canonical = STRBUF_INIT(1000);
    struct form row = {.name = "32 decomposed letters are 64 bytes"};

    for (int i = 0; i < 32; i++) {
        strbuf_append(&typed, "A\xCC\x88");
        strbuf_append(&canonical, "\xC3\xA4");
    }
    strbuf_append(&typed, "@example.org");
    strbuf_append(&canonical, "@example.org");
    row.text = strbuf_text(&typed);
    row.canonical = strbuf_text(&canonical);
    check_form(&row, address_canonical);
    strbuf_clear(&typed);
    strbuf_clear(&canonical);
}

static void reads_login_names(void)
{
    static const struct {
        const char *name;
        const char *user;
        const char *realm;
        const char *text; /* NULL: STATUS_INVALID */
        bool has_domain;
    } cases[] = {
        {"address", "Anna@Example.org", "", "anna@example.org", true},
        {"name and realm", "Anna", "Example.org", "anna@example.org", true},
        {"bare name", "Anna", "", "anna", false},
        {"bare name decomposed", "U\xCC\x88", "", "\xC3\xBC", false},
        {"old domain form", "CORP\\Anna", "", "corp\\anna", false},
        {"bare name with a blank", "Anna Berg", "", "anna berg", false},
        {"star stays for the escaper", "*", "", "*", false},
        {"filter stays for the escaper", ")(uid=*", "", ")(uid=*", false},
        {"empty", "", "", NULL, false},
        {"empty with realm", "", "example.org", NULL, false},
        {"address beside a realm", "anna@example.org", "example.org", NULL,
         false},
        {"bad realm", "anna", "localhost", NULL, false},
        {"leading blank", " anna", "", NULL, false},
        {"trailing blank", "anna ", "", NULL, false},
        {"double blank", "anna  berg", "", NULL, false},
        {"blank alone", " ", "", NULL, false},
        {"no-break space", "anna\xC2\xA0", "", NULL, false},
        {"newline", "anna\n", "", NULL, false},
        {"stray byte", "\xFF", "", NULL, false},
        {"old domain form with realm", "CORP\\anna", "example.org", NULL,
         false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct address_login login = {0};
        struct errtext err = {{0}};
        enum status status =
            address_login(cases[i].user, cases[i].realm, &login, &err);
        bool valid = cases[i].text != NULL;

        CHECK_CASE(cases[i].name,
                   status == (valid ? STATUS_OK : STATUS_INVALID));
        CHECK_CASE(cases[i].name, (login.text != NULL) == valid);
        if (login.text != NULL && valid)
            CHECK_CASE(cases[i].name, strcmp(login.text, cases[i].text) == 0);
        CHECK_CASE(cases[i].name, login.has_domain == cases[i].has_domain);
        free(login.text);
    }
}

static void bounds_a_bare_name(void)
{
    static const struct {
        const char *name;
        size_t len;
        enum status status;
    } cases[] = {
        {"one below", ADDRESS_BYTES_MAX - 1, STATUS_OK},
        {"the bound", ADDRESS_BYTES_MAX, STATUS_OK},
        {"one above", ADDRESS_BYTES_MAX + 1, STATUS_INVALID},
        {"huge", 70000, STATUS_INVALID},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct strbuf buf = STRBUF_INIT(100000);
        struct address_login login = {0};

        long_text(&buf, cases[i].len, "");
        CHECK_CASE(cases[i].name, address_login(strbuf_text(&buf), "", &login,
                                                NULL) == cases[i].status);
        free(login.text);
        strbuf_clear(&buf);
    }
}

static void finds_the_domain(void)
{
    CU_ASSERT_STRING_EQUAL(address_domain_of("anna@example.org"),
                           "example.org");
    CU_ASSERT_STRING_EQUAL(address_domain_of("anna"), "");
    CU_ASSERT_STRING_EQUAL(address_domain_of(""), "");
}

static void checks_path_formats(void)
{
    static const struct {
        const char *name;
        const char *format;
        enum status status;
    } cases[] = {
        {"the default", "%d/%n/", STATUS_OK},
        {"address", "%u/", STATUS_OK},
        {"words around", "v-1/%d/.m_%n/Maildir/", STATUS_OK},
        {"percent sign", "%%/%u/", STATUS_OK},
        {"three values fit", "%u/%u/%u/", STATUS_OK},
        {"empty", "", STATUS_INVALID},
        {"no slash at the end", "%d/%n", STATUS_INVALID},
        {"absolute", "/%d/%n/", STATUS_INVALID},
        {"double slash", "%d//%n/", STATUS_INVALID},
        {"up", "../%d/%n/", STATUS_INVALID},
        {"up in the middle", "%d/../%n/", STATUS_INVALID},
        {"here", "./%d/%n/", STATUS_INVALID},
        {"no domain", "%n/", STATUS_INVALID},
        {"no local part", "%d/", STATUS_INVALID},
        {"nobody's", "mail/", STATUS_INVALID},
        {"values touch", "%n%d/", STATUS_INVALID},
        {"values with a dot between", "%n.%d/", STATUS_INVALID},
        {"unknown letter", "%d/%n/%x/", STATUS_INVALID},
        {"percent before a slash", "%u/%/", STATUS_INVALID},
        {"blank", "%d/ %n/", STATUS_INVALID},
        {"colon", "maildir:%d/%n/", STATUS_INVALID},
        {"newline", "%d/%n\n/", STATUS_INVALID},
        {"UTF-8", "\xC3\xBC/%u/", STATUS_INVALID},
        {"could become too long", "%u/%u/%u/%d/", STATUS_INVALID},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct errtext err = {{0}};

        CHECK_CASE(cases[i].name, address_path_check(cases[i].format, &err) ==
                                      cases[i].status);
        CHECK_CASE(cases[i].name,
                   (err.text[0] != '\0') == (cases[i].status != STATUS_OK));
    }
}

static void expands_paths(void)
{
    static const struct {
        const char *format;
        const char *path;
    } cases[] = {
        {"%d/%n/", "example.org/a%d+b/"},
        {"%u/", "a%d+b@example.org/"},
        {"x%%/%u/Mail/", "x%/a%d+b@example.org/Mail/"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *path = NULL;

        CHECK_CASE(cases[i].format,
                   address_path(cases[i].format, "a%d+b@example.org", &path,
                                NULL) == STATUS_OK);
        CHECK_CASE(cases[i].format,
                   path != NULL && strcmp(path, cases[i].path) == 0);
        free(path);
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"makes one form of every spelling", makes_one_form_of_every_spelling},
        {"refuses what no mailbox may be called",
         refuses_what_no_mailbox_may_be_called},
        {"takes domains people have", takes_domains_people_have},
        {"shows domains as people write them",
         shows_domains_as_people_write_them},
        {"bounds the local part", bounds_the_local_part},
        {"counts bytes after composing", counts_bytes_after_composing},
        {"reads login names", reads_login_names},
        {"bounds a bare name", bounds_a_bare_name},
        {"finds the domain", finds_the_domain},
        {"checks path formats", checks_path_formats},
        {"expands paths", expands_paths},
        CU_TEST_INFO_NULL,
    };

    return run_tests("address", tests);
}
