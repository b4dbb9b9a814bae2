/* test_password - stored hashes, the gate, app passwords */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "clock.h"
#include "password.h"
#include "unit.h"

#include <crypt.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* With a brace, which ends no scheme here, and with UTF-8. */
#define WORD "P\xC3\xA4ssw}rd{1}"

#define SOON (clock_ms() + 60000)

/* Made by Dovecot's doveadm pw, slappasswd, and Python's crypt and hashlib. */
static const char *const hashes[] = {
    "{BLF-CRYPT}"
    "$2y$05$FA/C4GCffeSu5X3q.MTpyeZIfhm2F6ZSZezNoTmkig37veHoo3VJq",
    "{DES-CRYPT}vIv8MaAzKeqnI",
    "{MD5-CRYPT}$1$TCaEe8wm$m3v1N9mc/uoKzdTPdGb.l/",
    "{MD5}$1$CbYxnS4q$.2tI06h5Ibk6uCzTcUwrC0",
    "{MD5}29da05444d0f5ad8a920364db0cc145a",
    "{SHA256-CRYPT}"
    "$5$3PMfmo.wXQfzq4c3$Ap/QnIPqv4nWMcYfGkMAXfG.hN8IuiEdmGL2vMk1B45",
    "{SHA512-CRYPT}$6$QTNdoX.VDf2eFcpI$drsIvoD28cHD4/exkJz/"
    "o.MYCaxS5ptQSU5ksvbtydH/QrXQZWVtaqkjOQCz8Jxoju2K5BvQCGZIUm3Mo9B3c/",
    "{CRYPT}$2y$05$r0RvQM2FXN92g5F0UHPGGepASyX/"
    "evJCz/Q4K6VLzbSo5blv2ImtO",
    "{CRYPT}$2b$05$abcdefghijklmnopqrstuue."
    "qITZPjYiTdH.ARmjon70Agx/gztgy",
    "{CRYPT}$2a$05$abcdefghijklmnopqrstuue."
    "qITZPjYiTdH.ARmjon70Agx/gztgy",
    "{CRYPT}$y$j9T$abcdefghijklmnop$"
    "C3dnr.eSABQtOQwW3ms876guw/PDV3OqMv6z.nH0DL/",
    "{CRYPT}$gy$j9T$abcdefghijklmnop$"
    "T7mZ.ANxUxoJ6f8bCXTSvM/dd5FQkFfW5xRSnDq62d3",
    "{CRYPT}$7$CU..../....abcdefgh$"
    "zWJgzPDSwAvqEmxZDDBzUjZx31YUyFgU8mJxaoRpd/4",
    "{CRYPT}$sha1$24680$abcdefgh$BzH2dRnwJlP8zWgebqI75e.GFEa6",
    "{CRYPT}$md5,rounds=904$abcdefgh$$2Wj7ol.TDm2mvu/tqeSOM0",
    "{CRYPT}$6$rounds=1000$abcdefgh$"
    "xImrPVTK7vN3AjdkvRtvdAbwqdV0obAQoHQ945pQJqFhoaBM8uMG4G9AyBJw5UJGPIUBENyM"
    "YbBlAghkYnE7R/",
    "{CRYPT}$5$rounds=1000$abcdefgh$"
    "DJcPwyZnqMzqy/u"
    "E/l30fQ.0YcMTei.h9YMRHk1/Zm3",
    "{CRYPT}_J9..abcdxtxS4pu/1S2",
    "{CRYPT}$1$abcdefgh$tRPW02og6B5UTP0fWU8zr1",
    "{crypt}abwbuXxhB4vmY",
    "{CLEAR}" WORD,
    "{PLAIN}" WORD,
    "{Cleartext}" WORD,
    "{PLAIN-TRUNC}13-" WORD,
    "{PLAIN-TRUNC}99-" WORD,
    "{LDAP-MD5}KdoFRE0PWtipIDZNsMwUWg==",
    "{PLAIN-MD5}29da05444d0f5ad8a920364db0cc145a",
    "{PLAIN-MD5}29DA05444D0F5AD8A920364DB0CC145A",
    "{SHA}LGVQDRBOSSF0vpRWe55EUtWXg9E=",
    "{SHA1}LGVQDRBOSSF0vpRWe55EUtWXg9E",
    "{SHA256}4TYBIs+qOCV5JxSGC78GbYPsyvHrynnt7+ic6uu5h4k=",
    "{SHA512}78xNW4uQ3mfp1Ra0efp2LvmafCbbMPobThydKZETmqISZ/"
    "6e+8wc+/vZ30O4hnrdqHyfZulE1erBJqdZmb/R4w==",
    "{SMD5}Z/lD0avXF0TeRLICICo2lZ5wG2o=",
    "{SSHA}ZQ/wSsY/hIa3HhZsi1nQ3UCs0U3cJt6x",
    "{SSHA}c5X8WUbKiTU5AxsVCa9IjXeSoAGK6F/9",
    "{ssha256}k/hLSmgpPYvtxuBamb651Aj3pem7yCg1BhLIKOyvNqK+24LX",
    "{SSHA512}SYtZSJKCV+j2D8kUcAhiBhQ2TbmR8KS/"
    "7YoHnRmnzFCXBFHlrMws5GAiLX6Utkw3cEKZAwwbGwM0Jqj8vT6qdtC4k7U=",
    "{SCRAM-SHA-256}4096,U4kO/kbumrDK/Teoms+uYw==,K0FzzT/"
    "xMRLs0hrfXWjqVYPK0eW2pmUiMwrx2uCAkfo=,plZaNJYKOCcxK+aqrOVt+dSZ2Rymc131TD+"
    "tH7mE1fA=",
    "{SCRAM-SHA-1}4096,AtJHGpZQCpGVyI/CGGFeww==,GS+MZHWSW3ih3oSnZlH+Pt/"
    "QCHc=,uZlDxodqhSw0ghgsVcO/HToYxWE=",
    "{PBKDF2}$1$.bNgXD61SpyWPc3S$5000$"
    "01ad51d4118d8d48817b48d16bf4f19799f6168d",
    "{PBKDF2-SHA512}10000$AAECAwQFBgcICQoLDA0ODw==$nTDrFHWu2OedNzgSO2/AIg8+"
    "ROSelo5tmGb+K2MutyfTKdpRkhLwywLE1sIcSUl3ouHtrQ5HxQLlItE/vIO7ZA==",
    "{PBKDF2-SHA512}10000$AAECAwQFBgcICQoLDA0ODw$nTDrFHWu2OedNzgSO2/AIg8."
    "ROSelo5tmGb.K2MutyfTKdpRkhLwywLE1sIcSUl3ouHtrQ5HxQLlItE/vIO7ZA",
    "{PBKDF2-SHA512}10000$AAECAwQFBgcICQoLDA0ODw==$nTDrFHWu2OedNzgSO2/AIg8+"
    "ROSelo5tmGb+K2MutyfTKdpRkhLwywLE1sIcSUl3ouHtrQ5HxQLlItE/vIO7ZEXxIRQjxdlsx"
    "x/vLmuA3JCxk5O+WxImO5IO0r6Pxp4omiHnVXUL1JqNO/"
    "mIpERstzVKPZg4i3QeA/Gv89qELZZRZP8e9zFJJT0uy2diAE0mqyRS1cXvZ/"
    "I0JlAvPgaJq7sBw/y9RzEpiBOSbzg7QFExHqXjNL9gJaQqrKwH0izKE4oZuRuyFoezJCd0hR"
    "x09iugAUeCTxAB4FXFfmjz09v0Hy+fc2UWa/"
    "FM0TAG7i0Z4sF8ciEcVYbeDrBeWaQQXA==",
    "{SSHA.HEX}fe4fb1c349153d47c733368f87b939bd0d53e44497970a7e",
    "{SHA256.HEX}"
    "e1360122cfaa3825792714860bbf066d83eccaf1ebca79edefe89ceaebb98789",
    "{SHA512.B64}78xNW4uQ3mfp1Ra0efp2LvmafCbbMPobThydKZETmqISZ/"
    "6e+8wc+/vZ30O4hnrdqHyfZulE1erBJqdZmb/R4w==",
    "{PLAIN.B64}UMOkc3N3fXJkezF9",
    "{PLAIN.Base64}UMOkc3N3fXJkezF9",
    "{plain.hex}50c3a47373777d72647b317d",
    "{PLAIN-MD5.B64}KdoFRE0PWtipIDZNsMwUWg==",
    "{BLF-CRYPT.B64}JDJ5JDA1JHUwM1dHck9WdU1DVmZia2dyeVhqak93VjdvYTRLV1NGM0lq"
    "LlIzYW16S0xaaEw5akpOMDBH",
    "{SMD5.HEX}b16b1c64269d095977f1dd28753c7454e502abd5",
#ifdef HAVE_LIBSODIUM
    "{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$wrDO6RZnOms+DtIJcaCTHA$"
    "bTsZP6rgdF2PjWI3mpjDLeinoMOYjPRsUAZ6oelHtvA",
    "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$VkFwYW+Y+yJ48DoKBBVzHA$"
    "mS97f7RBnsuk4oNlTkLuL5lEhIdyQEDxn8ROimrZvSo",
#endif
};

static struct password_gate *make_gate(unsigned at_once)
{
    struct password_gate *gate = password_gate_new(at_once);

    CU_ASSERT_PTR_NOT_NULL_FATAL(gate);
    return gate;
}

static enum status verify(struct password_gate *gate, const char *hash,
                          const char *password)
{
    return password_verify(gate, hash, password, SOON, NULL);
}

static void knows_every_scheme(void)
{
    struct password_gate *gate = make_gate(1);

    for (size_t i = 0; i < ARRAY_SIZE(hashes); i++) {
        CHECK_CASE(hashes[i], password_check(hashes[i], NULL) == STATUS_OK);
        CHECK_CASE(hashes[i], verify(gate, hashes[i], WORD) == STATUS_OK);
        CHECK_CASE(hashes[i],
                   verify(gate, hashes[i], "wrong") == STATUS_DENIED);
        CHECK_CASE(hashes[i], verify(gate, hashes[i], "") == STATUS_DENIED);
    }
    password_gate_free(&gate);
    CU_ASSERT_PTR_NULL(gate);
    password_gate_free(&gate);
}

/* The first eight bytes are all that DES and BSDi look at. */
static void one_bit_makes_another_password(void)
{
    struct password_gate *gate = make_gate(1);

    for (size_t i = 0; i < ARRAY_SIZE(hashes); i++) {
        for (size_t at = 0; at < 8; at += 7) {
            char word[] = WORD;

            word[at] = (char)(word[at] ^ 1);
            CHECK_CASE(hashes[i],
                       verify(gate, hashes[i], word) == STATUS_DENIED);
        }
    }
    password_gate_free(&gate);
}

/* The text behind the last '$' or '}' is the hash proper. */
static void one_bit_makes_another_hash(void)
{
    struct password_gate *gate = make_gate(1);

    for (size_t i = 0; i < ARRAY_SIZE(hashes); i++) {
        size_t len = strlen(hashes[i]);
        char hash[PASSWORD_HASH_BYTES_MAX];

        /* Hexadecimal digits have no case that counts: change two bits. */
        for (size_t back = 1; back < 12; back += 5) {
            memcpy(hash, hashes[i], len + 1);
            if (hash[len - back] == '=')
                continue;
            hash[len - back] = (char)(hash[len - back] ^ 3);
            CHECK_CASE(hash, verify(gate, hash, WORD) != STATUS_OK);
        }
    }
    password_gate_free(&gate);
}

static void cannot_say_about_what_it_cannot_read(void)
{
    static const struct {
        const char *name;
        const char *hash;
    } cases[] = {
        {"empty", ""},
        {"no scheme", "$6$abc$def"},
        {"plain text", "secret"},
        {"brace alone", "{"},
        {"no end", "{PLAIN"},
        {"no name", "{}secret"},
        {"blank before", " {PLAIN}secret"},
        {"unknown", "{ROT13}frperg"},
        {"long name", "{PLAINPLAINPLAINPLAINPLAINPLAINPLAINPLAIN}secret"},
        {"unknown suffix", "{PLAIN.B32}secret"},
        {"empty suffix", "{PLAIN.}secret"},
        {"two suffixes", "{PLAIN.B64.B64}c2VjcmV0"},
        {"SCRAM", "{SCRAM-SHA-256}4096,c2FsdA==,a,b"},
        {"challenge", "{CRAM-MD5}aa"},
        {"digest too short", "{SHA256}LGVQDRBOSSF0vpRWe55EUtWXg9E="},
        {"digest too long", "{SHA}4TYBIs+qOCV5JxSGC78GbYPsyvHrynnt7+"
                            "ic6uu5h4k="},
        {"digest empty", "{SHA}"},
        {"salted without salt", "{SSHA}LGVQDRBOSSF0vpRWe55EUtWXg9E="},
        {"not base64", "{SHA}LGVQDRBOSSF0vpRWe55EUtWXg9!="},
        {"blank in base64", "{SHA}LGVQDRBOSSF0 vpRWe55EUtWXg9E="},
        {"padding inside", "{SHA}LGVQ==BOSSF0vpRWe55EUtWXg9E="},
        {"padding too long", "{SHA}LGVQDRBOSSF0vpRWe55EUtWXg9E=="},
        {"unused bits", "{SHA}LGVQDRBOSSF0vpRWe55EUtWXg9F="},
        {"not hexadecimal", "{PLAIN-MD5}29da05444d0f5ad8a920364db0cc145g"},
        {"odd number of digits", "{PLAIN.HEX}50c"},
        {"NUL in a text", "{PLAIN.HEX}500063"},
        {"crypt empty", "{CRYPT}"},
        {"crypt nonsense", "{CRYPT}:no:"},
        {"crypt unknown", "{CRYPT}$9$abc$def"},
        {"bcrypt too short", "{BLF-CRYPT}$2y$05$abc"},
        {"trunc without number", "{PLAIN-TRUNC}secret"},
        {"trunc without text", "{PLAIN-TRUNC}0-"},
        {"trunc without hyphen", "{PLAIN-TRUNC}8secret"},
        {"PBKDF2 of another kind",
         "{PBKDF2}$2$salt$5000$01ad51d4118d8d48817b48d16bf4f19799f6168d"},
        {"PBKDF2 without rounds", "{PBKDF2}$1$salt"},
        {"PBKDF2 of 0 rounds",
         "{PBKDF2}$1$salt$0$01ad51d4118d8d48817b48d16bf4f19799f6168d"},
        {"PBKDF2 of negative rounds",
         "{PBKDF2}$1$salt$-1$01ad51d4118d8d48817b48d16bf4f19799f6168d"},
        {"PBKDF2 without key", "{PBKDF2}$1$salt$5000$"},
        {"PBKDF2 with a short key", "{PBKDF2}$1$salt$5000$01ad"},
        {"PBKDF2-SHA512 without key", "{PBKDF2-SHA512}10000$AAEC"},
        {"SCRAM without keys", "{SCRAM-SHA-256}4096,AAEC"},
        {"SCRAM with a short key", "{SCRAM-SHA-256}4096,AAEC,AAEC,AAEC"},
        {"SCRAM of 0 rounds",
         "{SCRAM-SHA-1}0,AAEC,AAECAwQFBgcICQoLDA0ODxAREhM=,"
         "AAECAwQFBgcICQoLDA0ODxAREhM="},
        {"SCRAM of no rounds",
         "{SCRAM-SHA-1}x,AAEC,AAECAwQFBgcICQoLDA0ODxAREhM=,"
         "AAECAwQFBgcICQoLDA0ODxAREhM="},
        {"SCRAM with five fields",
         "{SCRAM-SHA-1}4096,AAEC,AAECAwQFBgcICQoLDA0ODxAREhM=,"
         "AAECAwQFBgcICQoLDA0ODxAREhM=,AAEC"},
        {"argon2 without parameters", "{ARGON2ID}$argon2id$v=19$abc$def"},
        {"argon2 of another name",
         "{ARGON2ID}$argon2d$v=19$m=32768,t=4,p=1$wrDO6RZnOms$bTsZP6rg"},
        {"argon2 cut short",
         "{ARGON2ID}$argon2id$v=19$m=32768,t=4,p=1$wrDO6RZnOms"},
    };
    struct password_gate *gate = make_gate(1);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct errtext err = {{0}};

        CHECK_CASE(cases[i].name,
                   password_verify(gate, cases[i].hash, WORD, SOON, &err) ==
                       STATUS_TEMPFAIL);
        CHECK_CASE(cases[i].name, err.text[0] != '\0');
        CHECK_CASE(cases[i].name, strstr(err.text, WORD) == NULL);
        CHECK_CASE(cases[i].name, strlen(cases[i].hash) < 8 ||
                                      strstr(err.text, cases[i].hash) == NULL);
        CHECK_CASE(cases[i].name,
                   verify(gate, cases[i].hash, "") == STATUS_DENIED);
    }
    password_gate_free(&gate);
}

static void does_not_begin_what_costs_too_much(void)
{
    static const struct {
        const char *name;
        const char *hash;
        bool fits;
    } cases[] = {
        {"bcrypt 16",
         "{CRYPT}$2y$16$FA/C4GCffeSu5X3q.MTpyeZIfhm2F6ZSZezNoTmkig37veHoo3VJq",
         true},
        {"bcrypt 17",
         "{CRYPT}$2y$17$FA/C4GCffeSu5X3q.MTpyeZIfhm2F6ZSZezNoTmkig37veHoo3VJq",
         false},
        {"sha512 10,000,000", "{CRYPT}$6$rounds=10000000$abcdefgh$x", true},
        {"sha512 10,000,001", "{CRYPT}$6$rounds=10000001$abcdefgh$x", false},
        {"sha256 endless",
         "{CRYPT}$5$rounds=99999999999999999999999$abcdefgh$x", false},
        {"sha1 10,000,001", "{CRYPT}$sha1$10000001$abcdefgh$x", false},
        {"sunmd5 10,000,001", "{CRYPT}$md5,rounds=10000001$abcdefgh$x", false},
        /* N is 2^15 and 2^18 with r = 32: 128 MiB and 1 GiB. */
        {"yescrypt 128 MiB", "{CRYPT}$y$jCT$abcdefghijklmnop$x", true},
        {"yescrypt 1 GiB", "{CRYPT}$y$jFT$abcdefghijklmnop$x", true},
        {"yescrypt 2 GiB", "{CRYPT}$y$jGT$abcdefghijklmnop$x", false},
        {"gost-yescrypt 2 GiB", "{CRYPT}$gy$jGT$abcdefghijklmnop$x", false},
        {"yescrypt with more passes", "{CRYPT}$y$j9T..$abcdefghijklmnop$x",
         false},
        {"yescrypt without end", "{CRYPT}$y$j9", false},
        {"scrypt 1 GiB", "{CRYPT}$7$GU..../....abcdefgh$x", true},
        {"scrypt 2 GiB", "{CRYPT}$7$HU..../....abcdefgh$x", false},
        {"scrypt in parallel", "{CRYPT}$7$GU....zz...abcdefgh$x", false},
        {"scrypt without end", "{CRYPT}$7$C", false},
        {"BSDi", "{CRYPT}_J9..abcdxtxS4pu/1S2", true},
        {"BSDi with all bits", "{CRYPT}_zzzzabcdxtxS4pu/1S2", false},
        {"PBKDF2 10,000,000",
         "{PBKDF2}$1$salt$10000000$01ad51d4118d8d48817b48d16bf4f19799f6168d",
         true},
        {"PBKDF2 10,000,001",
         "{PBKDF2}$1$salt$10000001$01ad51d4118d8d48817b48d16bf4f19799f6168d",
         false},
        {"SCRAM 10,000,000",
         "{SCRAM-SHA-1}10000000,AAEC,AAECAwQFBgcICQoLDA0ODxAREhM=,"
         "AAECAwQFBgcICQoLDA0ODxAREhM=",
         true},
        {"SCRAM 10,000,001",
         "{SCRAM-SHA-1}10000001,AAEC,AAECAwQFBgcICQoLDA0ODxAREhM=,"
         "AAECAwQFBgcICQoLDA0ODxAREhM=",
         false},
        {"PBKDF2-SHA512 10,000,001",
         "{PBKDF2-SHA512}10000001$AAECAwQFBgcICQoLDA0ODw==$"
         "nTDrFHWu2OedNzgSO2/AIg==",
         false},
#ifdef HAVE_LIBSODIUM
        {"argon2 1 GiB",
         "{ARGON2ID}$argon2id$v=19$m=1048576,t=8,p=1$wrDO6RZnOms$bTsZP6rg",
         true},
        {"argon2 1 GiB and 1 KiB",
         "{ARGON2ID}$argon2id$v=19$m=1048577,t=1,p=1$wrDO6RZnOms$bTsZP6rg",
         false},
        {"argon2 nine passes of 1 GiB",
         "{ARGON2ID}$argon2id$v=19$m=1048576,t=9,p=1$wrDO6RZnOms$bTsZP6rg",
         false},
        {"argon2 endless",
         "{ARGON2ID}$argon2id$v=19$m=4294967295,t=4294967295,p=1$wrDO$bTsZ",
         false},
#endif
    };
    struct password_gate *gate = make_gate(1);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CHECK_CASE(cases[i].name,
                   password_check(cases[i].hash, NULL) ==
                       (cases[i].fits ? STATUS_OK : STATUS_INVALID));
        if (!cases[i].fits)
            CHECK_CASE(cases[i].name,
                       verify(gate, cases[i].hash, WORD) == STATUS_TEMPFAIL);
    }
    password_gate_free(&gate);
}

static void bounds_the_text_of_a_hash(void)
{
    static const struct {
        const char *name;
        size_t len;
        enum status status;
    } cases[] = {
        {"one below", PASSWORD_HASH_BYTES_MAX - 1, STATUS_OK},
        {"the bound", PASSWORD_HASH_BYTES_MAX, STATUS_OK},
        {"one above", PASSWORD_HASH_BYTES_MAX + 1, STATUS_TEMPFAIL},
    };
    struct password_gate *gate = make_gate(1);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char hash[PASSWORD_HASH_BYTES_MAX + 2] = "{PLAIN}";

        memset(hash + 7, 'x', cases[i].len - 7);
        CHECK_CASE(cases[i].name,
                   verify(gate, hash, hash + 7) == cases[i].status);
    }
    password_gate_free(&gate);
}

static void a_locked_hash_matches_nothing(void)
{
    static const char *const locked[] = {"{CRYPT}!", "{CRYPT}*", "{CRYPT}!!",
                                         "{CRYPT}!$6$abcdefgh$x",
                                         "{SHA512-CRYPT}*0"};
    struct password_gate *gate = make_gate(1);

    for (size_t i = 0; i < ARRAY_SIZE(locked); i++) {
        CHECK_CASE(locked[i], verify(gate, locked[i], WORD) == STATUS_DENIED);
        CHECK_CASE(locked[i], verify(gate, locked[i], "!") == STATUS_DENIED);
        CHECK_CASE(locked[i], verify(gate, locked[i], "*0") == STATUS_DENIED);
    }
    password_gate_free(&gate);
}

static void truncates_only_as_told(void)
{
    static const struct {
        const char *hash;
        const char *password;
        enum status status;
    } cases[] = {
        {"{PLAIN-TRUNC}8-eightbyt", "eightbyt", STATUS_OK},
        {"{PLAIN-TRUNC}8-eightbyt", "eightbytes", STATUS_OK},
        {"{PLAIN-TRUNC}8-eightbyt", "eightby", STATUS_DENIED},
        {"{PLAIN-TRUNC}8-eightby", "eightbytes", STATUS_DENIED},
        {"{PLAIN-TRUNC}8-eightby", "eightby", STATUS_OK},
        {"{PLAIN-TRUNC}20-eightbytes", "eightbytes", STATUS_OK},
        {"{PLAIN-TRUNC}20-eightbytes", "eightbytesx", STATUS_DENIED},
        {"{PLAIN-TRUNC}3-a-b", "a-b", STATUS_OK},
        {"{PLAIN}", "x", STATUS_DENIED},
        {"{PLAIN}1e1", "10", STATUS_DENIED},
    };
    struct password_gate *gate = make_gate(1);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK_CASE(cases[i].hash, verify(gate, cases[i].hash,
                                         cases[i].password) == cases[i].status);
    password_gate_free(&gate);
}

static void reads_md4_where_openssl_still_can(void)
{
    static const char hash[] = "{PLAIN-MD4}65b77158757eb39029e7b87a1ff8593e";
    struct password_gate *gate = make_gate(1);
    enum status right = verify(gate, hash, WORD);
    enum status wrong = verify(gate, hash, "wrong");

    CU_ASSERT((right == STATUS_OK && wrong == STATUS_DENIED) ||
              (right == STATUS_TEMPFAIL && wrong == STATUS_TEMPFAIL));
    password_gate_free(&gate);
}

static void refuses_a_password_longer_than_crypt_takes(void)
{
    struct password_gate *gate = make_gate(1);
    char password[CRYPT_MAX_PASSPHRASE_SIZE + 1];

    memset(password, 'x', sizeof(password) - 1);
    password[sizeof(password) - 1] = '\0';
    CU_ASSERT_EQUAL(verify(gate, "{CRYPT}abwbuXxhB4vmY", password),
                    STATUS_DENIED);
    password_gate_free(&gate);
}

static void hashes_what_it_verifies(void)
{
    struct password_gate *gate = make_gate(1);
    char word[CRYPT_MAX_PASSPHRASE_SIZE + 1] = WORD;
    char *hash = NULL;
    char *other = NULL;

    CU_ASSERT_EQUAL(password_hash(gate, word, &hash, NULL), STATUS_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(hash);
    CU_ASSERT_EQUAL(strncmp(hash, "{CRYPT}$y$", 10), 0);
    CU_ASSERT_EQUAL(verify(gate, hash, word), STATUS_OK);
    CU_ASSERT_EQUAL(verify(gate, hash, "wrong"), STATUS_DENIED);
    CU_ASSERT_EQUAL(password_hash(gate, word, &other, NULL), STATUS_OK);
    CU_ASSERT_STRING_NOT_EQUAL(hash, other);
    free(hash);
    free(other);
    hash = NULL;
    CU_ASSERT_EQUAL(password_hash(gate, "", &hash, NULL), STATUS_INVALID);
    memset(word, 'x', sizeof(word) - 1);
    CU_ASSERT_EQUAL(password_hash(gate, word, &hash, NULL), STATUS_INVALID);
    CU_ASSERT_PTR_NULL(hash);
    password_gate_free(&gate);
}

/*
 * Stands before libxcrypt's own: counts who is in it at once. The pause makes
 * them meet. It is on for the tests of the gate alone.
 */
static struct {
    atomic_bool on;
    atomic_int now;
    atomic_int most;
} inside;

char *crypt_rn(const char *phrase, const char *setting, void *data, int size)
{
    char *(*real)(const char *, const char *, void *, int) = NULL;
    void *symbol = dlsym(RTLD_NEXT, "crypt_rn");
    char *made;
    int now;

    /* ISO C has no conversion between the two kinds of pointer. */
    memcpy(&real, &symbol, sizeof(real));
    if (!atomic_load(&inside.on))
        return real(phrase, setting, data, size);
    now = atomic_fetch_add(&inside.now, 1) + 1;
    if (now > atomic_load(&inside.most))
        atomic_store(&inside.most, now);
    clock_sleep_ms(20);
    made = real(phrase, setting, data, size);
    atomic_fetch_sub(&inside.now, 1);
    return made;
}

struct crowd {
    struct password_gate *gate;
    int64_t deadline_ms;
    atomic_int told[STATUS_TEMPFAIL + 1];
};

static void *verify_once(void *argument)
{
    struct crowd *crowd = argument;
    enum status status = password_verify(
        crowd->gate, "{CRYPT}$1$abcdefgh$tRPW02og6B5UTP0fWU8zr1", WORD,
        crowd->deadline_ms, NULL);

    atomic_fetch_add(&crowd->told[status], 1);
    return NULL;
}

/* Eight verify the right password with a gate of at_once places. */
static void run_crowd(struct crowd *crowd, unsigned at_once)
{
    pthread_t threads[8];

    crowd->gate = make_gate(at_once);
    atomic_store(&inside.most, 0);
    atomic_store(&inside.on, true);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        CU_ASSERT_EQUAL_FATAL(
            pthread_create(&threads[i], NULL, verify_once, crowd), 0);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        (void)pthread_join(threads[i], NULL);
    atomic_store(&inside.on, false);
    password_gate_free(&crowd->gate);
}

static void lets_in_so_many_at_once(void)
{
    static const unsigned places[] = {1, 2, 3};

    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        struct crowd crowd = {.deadline_ms = SOON};

        run_crowd(&crowd, places[i]);
        CU_ASSERT_EQUAL(crowd.told[STATUS_OK], 8);
        CU_ASSERT_EQUAL(inside.most, (int)places[i]);
    }
}

static void who_finds_no_place_in_time_gets_no_answer(void)
{
    struct crowd crowd = {.deadline_ms = clock_ms() + 30};

    run_crowd(&crowd, 1);
    CU_ASSERT(crowd.told[STATUS_OK] >= 1);
    CU_ASSERT(crowd.told[STATUS_TEMPFAIL] >= 1);
    CU_ASSERT_EQUAL(crowd.told[STATUS_OK] + crowd.told[STATUS_TEMPFAIL], 8);
}

static void tells_app_passwords_from_others(void)
{
    char app[PASSWORD_APP_BYTES];
    char other[PASSWORD_APP_BYTES];
    unsigned taken = 0;

    CU_ASSERT_EQUAL(password_app_new(app, NULL), STATUS_OK);
    CU_ASSERT_EQUAL(password_app_new(other, NULL), STATUS_OK);
    CU_ASSERT_EQUAL(strlen(app), PASSWORD_APP_BYTES - 1);
    CU_ASSERT_STRING_NOT_EQUAL(app, other);
    CU_ASSERT_TRUE(password_is_app(app));
    /* Any other letter in any place makes it another text. */
    for (size_t i = 0; i < sizeof(app) - 1; i++) {
        char wrong[PASSWORD_APP_BYTES];

        memcpy(wrong, app, sizeof(wrong));
        wrong[i] = wrong[i] == 'a' ? 'b' : 'a';
        if (password_is_app(wrong))
            taken++;
    }
    CU_ASSERT_EQUAL(taken, 0);
}

static void takes_no_random_text_for_an_app_password(void)
{
    static const char *const texts[] = {
        "",
        "pv-",
        "pv-aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaa",
        "pv-aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaa",
        "pv-aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaa",
        "PV-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA",
        "pv-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "correct horse battery staple & other words",
        "pv-\xC3\xA4\xC3\xA4-aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaa",
    };
    static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789";
    char text[] = "pv-aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaa";
    uint32_t random = 1;
    unsigned taken = 0;

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        CHECK_CASE(texts[i], !password_is_app(texts[i]));
    /* Of the right form, one in a million passes. */
    for (unsigned i = 0; i < 20000; i++) {
        for (size_t at = 3; at < sizeof(text) - 1; at++) {
            random = random * 1664525U + 1013904223U;
            if (text[at] != '-')
                text[at] = alphabet[random >> 27];
        }
        if (password_is_app(text))
            taken++;
    }
    CU_ASSERT(taken <= 1);
}

static void hashes_an_app_password_quickly_and_with_salt(void)
{
    struct password_gate *gate = password_gate_new(1);
    char app[PASSWORD_APP_BYTES];
    char *hash = NULL;
    char *again = NULL;

    CU_ASSERT_PTR_NOT_NULL_FATAL(gate);
    CU_ASSERT_EQUAL(password_app_new(app, NULL), STATUS_OK);
    CU_ASSERT_EQUAL(password_app_hash(app, &hash, NULL), STATUS_OK);
    CU_ASSERT_EQUAL(password_app_hash(app, &again, NULL), STATUS_OK);
    CU_ASSERT_STRING_NOT_EQUAL(hash, again);
    CU_ASSERT_EQUAL(strncmp(hash, "{SSHA256}", 9), 0);
    CU_ASSERT_EQUAL(password_verify(gate, hash, app, INT64_MAX, NULL),
                    STATUS_OK);
    app[5] = app[5] == 'a' ? 'b' : 'a';
    CU_ASSERT_EQUAL(password_verify(gate, hash, app, INT64_MAX, NULL),
                    STATUS_DENIED);
    free(hash);
    free(again);
    password_gate_free(&gate);
}

static void app_passwords_use_their_alphabet_evenly(void)
{
    unsigned seen[128] = {0};
    unsigned letters = 0;

    for (unsigned i = 0; i < 2000; i++) {
        char app[PASSWORD_APP_BYTES];

        CU_ASSERT_EQUAL(password_app_new(app, NULL), STATUS_OK);
        CU_ASSERT_TRUE(password_is_app(app));
        for (size_t at = 3; app[at] != '\0'; at++)
            seen[(unsigned char)app[at]]++;
    }
    for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
        if (seen[i] == 0 || i == '-')
            continue;
        letters++;
        CU_ASSERT(seen[i] > 1600 && seen[i] < 2400);
    }
    CU_ASSERT_EQUAL(letters, 32);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"knows every scheme", knows_every_scheme},
        {"one bit makes another password", one_bit_makes_another_password},
        {"one bit makes another hash", one_bit_makes_another_hash},
        {"cannot say about what it cannot read",
         cannot_say_about_what_it_cannot_read},
        {"does not begin what costs too much",
         does_not_begin_what_costs_too_much},
        {"bounds the text of a hash", bounds_the_text_of_a_hash},
        {"a locked hash matches nothing", a_locked_hash_matches_nothing},
        {"truncates only as told", truncates_only_as_told},
        {"reads MD4 where OpenSSL still can",
         reads_md4_where_openssl_still_can},
        {"refuses a password longer than crypt takes",
         refuses_a_password_longer_than_crypt_takes},
        {"hashes what it verifies", hashes_what_it_verifies},
        {"lets in so many at once", lets_in_so_many_at_once},
        {"who finds no place in time gets no answer",
         who_finds_no_place_in_time_gets_no_answer},
        {"tells app passwords from others", tells_app_passwords_from_others},
        {"hashes an app password quickly and with salt",
         hashes_an_app_password_quickly_and_with_salt},
        {"takes no random text for an app password",
         takes_no_random_text_for_an_app_password},
        {"app passwords use their alphabet evenly",
         app_passwords_use_their_alphabet_evenly},
        CU_TEST_INFO_NULL,
    };

    return run_tests("password", tests);
}
