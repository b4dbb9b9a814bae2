/* directory_client - drives common/directory for tests/integration */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Reads commands from standard input, one a line, words separated by a tab,
 * and prints one line for each:
 *
 *   set KEY VALUE        a setting of the directory opened next
 *   open SLOT, close     slots 0 to 3; open makes the slot the one in use
 *   use SLOT
 *   deadline MS          for the commands that follow
 *   find LOGIN           verify DN PASSWORD      login LOGIN PASSWORD
 *   storm THREADS MS LOGIN PASSWORD      logins in parallel for that long;
 *                        %d in LOGIN and PASSWORD becomes 1 to 1000
 *   forget [LOGIN]       hosts     counts     cpu     descriptors
 *   secret TEXT          is it (written backwards here) in our memory?
 *   quit                 servers of the script hold our input open, too
 */

#include "config.h"

#include "clock.h"
#include "directory.h"
#include "secret.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define SLOTS 4
#define WORDS_MAX 5
#define THREADS_MAX 64
#define LINE_BYTES_MAX 65536
#define LIST_MAX 8
#define STATUSES 5
#define PEOPLE 1000
#define KEPT_MAX 16384
#define RANGE_BYTES_MAX (1UL << 28)

static struct directory_settings settings[SLOTS];
static struct directory *directories[SLOTS];
static size_t slot;
static int deadline_ms = 8000;

/* Test settings live as long as the program; here they can be found. */
static void *kept[KEPT_MAX];
static size_t kept_count;

static void *keep_block(void *block)
{
    if (block == NULL || kept_count == KEPT_MAX)
        abort();
    kept[kept_count++] = block;
    return block;
}

static char *keep(const char *text)
{
    return keep_block(strdup(text));
}

static struct text_list keep_list(const char *text)
{
    struct text_list list = {
        .items = keep_block(calloc(LIST_MAX, sizeof(char *))),
    };

    while (text[0] != '\0' && list.count < LIST_MAX) {
        size_t len = strcspn(text, "|");

        list.items[list.count++] = keep_block(strndup(text, len));
        text += len + (text[len] == '|' ? 1 : 0);
    }
    return list;
}

static long number(const char *text)
{
    return strtol(text, NULL, 10);
}

static void defaults(struct directory_settings *set)
{
    memset(set, 0, sizeof(*set));
    set->name = keep("test");
    set->port = 389;
    set->ca_file = keep("");
    set->bind_dn = keep("");
    set->username_field = keep("mail");
    set->login_fields = keep_list("mail|uid");
    set->windows_domain = keep("");
    set->filter = keep("(objectClass=inetOrgPerson)");
    set->disabled_filter = keep("");
    set->attribute_field = keep("otherMailbox");
    set->name_field = keep("displayName");
    set->alias_field = keep("mailAlternateAddress");
    set->quota_field = keep("mailQuota");
    set->id_field = keep("auto");
    set->connect_timeout_ms = 1000;
    set->operation_timeout_ms = 1000;
    set->retry_after_ms = 2000;
    set->max_connections = 8;
}

static bool set_text(struct directory_settings *set, const char *key,
                     const char *value)
{
    const struct {
        const char *key;
        char **text;
    } texts[] = {
        {"ca_file", &set->ca_file},
        {"bind_dn", &set->bind_dn},
        {"bind_password", &set->bind_password},
        {"username_field", &set->username_field},
        {"filter", &set->filter},
        {"disabled_filter", &set->disabled_filter},
        {"attribute_field", &set->attribute_field},
        {"alias_field", &set->alias_field},
        {"id_field", &set->id_field},
    };
    const struct {
        const char *key;
        struct text_list *list;
    } lists[] = {
        {"hosts", &set->hosts},
        {"base_dns", &set->base_dns},
        {"login_fields", &set->login_fields},
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        if (strcmp(texts[i].key, key) == 0) {
            *texts[i].text = keep(value);
            return true;
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        if (strcmp(lists[i].key, key) == 0) {
            *lists[i].list = keep_list(value);
            return true;
        }
    }
    return false;
}

static bool set_number(struct directory_settings *set, const char *key,
                       long value)
{
    const struct {
        const char *key;
        int64_t *ms;
    } times[] = {
        {"connect_timeout", &set->connect_timeout_ms},
        {"operation_timeout", &set->operation_timeout_ms},
        {"retry_after", &set->retry_after_ms},
        {"entry_ttl", &set->entry_ttl_ms},
    };
    const struct {
        const char *key;
        unsigned *number;
    } numbers[] = {
        {"port", &set->port},
        {"entry_max", &set->entry_max},
        {"max_connections", &set->max_connections},
    };
    const struct {
        const char *key;
        bool *flag;
    } flags[] = {
        {"use_ssl", &set->use_ssl},
        {"use_tls", &set->use_tls},
        {"ignore_ssl_errors", &set->ignore_ssl_errors},
    };

    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        if (strcmp(times[i].key, key) == 0)
            *times[i].ms = value;
    }
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        if (strcmp(numbers[i].key, key) == 0)
            *numbers[i].number = (unsigned)value;
    }
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        if (strcmp(flags[i].key, key) == 0)
            *flags[i].flag = value != 0;
    }
    return true;
}

static void put_list(const char *name, const struct text_list *list)
{
    (void)printf(" %s=", name);
    for (size_t i = 0; i < list->count; i++)
        (void)printf("%s%s", i > 0 ? "|" : "", list->items[i]);
}

static void do_open(const char *which)
{
    struct errtext err = {{0}};
    size_t to = (size_t)number(which) % SLOTS;
    enum status status;

    if (to != slot)
        settings[to] = settings[slot];
    slot = to;
    directory_close(&directories[slot]);
    status = directory_open(&settings[slot], &directories[slot], &err);
    (void)printf("open %s err=%s\n", status_name(status), err.text);
}

static void put_entry(const struct directory_entry *entry, bool remembered)
{
    (void)printf(" remembered=%d disabled=%d dn=%s id=%s name=%s quota=%s",
                 remembered, entry->disabled, entry->dn,
                 entry->id != NULL ? entry->id : "-", entry->name,
                 entry->quota != NULL ? entry->quota : "-");
    put_list("usernames", &entry->usernames);
    put_list("values", &entry->values);
    put_list("aliases", &entry->aliases);
}

static void do_find(const char *login)
{
    struct directory_entry entry = {.dn = NULL};
    struct errtext err = {{0}};
    int64_t start = clock_ms();
    bool remembered = false;
    enum status status =
        directory_find(directories[slot], login, start + deadline_ms, &entry,
                       &remembered, &err);

    (void)printf("find %s ms=%lld", status_name(status),
                 (long long)(clock_ms() - start));
    if (status == STATUS_OK)
        put_entry(&entry, remembered);
    (void)printf(" err=%s\n", err.text);
    directory_entry_clear(&entry);
}

static void do_verify(const char *dn, const char *password)
{
    enum directory_reason reason = DIRECTORY_NO_REASON;
    struct errtext err = {{0}};
    int64_t start = clock_ms();
    enum status status = directory_verify(directories[slot], dn, password,
                                          start + deadline_ms, &reason, &err);

    (void)printf("verify %s ms=%lld reason=%s err=%s\n", status_name(status),
                 (long long)(clock_ms() - start), directory_reason_name(reason),
                 err.text);
}

/* One login, as authd does it. */
static enum status login(const char *name, const char *password,
                         struct errtext *err)
{
    struct directory_entry entry = {.dn = NULL};
    enum directory_reason reason = DIRECTORY_NO_REASON;
    int64_t limit = clock_ms() + deadline_ms;
    bool remembered = false;
    enum status status = directory_find(directories[slot], name, limit, &entry,
                                        &remembered, err);

    if (status == STATUS_OK)
        status = directory_verify(directories[slot], entry.dn, password, limit,
                                  &reason, err);
    directory_entry_clear(&entry);
    return status;
}

static void do_login(const char *name, const char *password)
{
    struct errtext err = {{0}};
    int64_t start = clock_ms();
    enum status status = login(name, password, &err);

    (void)printf("login %s ms=%lld err=%s\n", status_name(status),
                 (long long)(clock_ms() - start), err.text);
}

struct stormer {
    pthread_t thread;
    const char *name;
    const char *password;
    int64_t until;
    unsigned seed;
    unsigned long counts[STATUSES];
    int64_t slowest;
    struct errtext err;
};

/* Replaces the first "%d", if there is one. */
static void number_into(const char *form, unsigned value, char *out,
                        size_t size)
{
    const char *place = strstr(form, "%d");

    if (place == NULL)
        (void)snprintf(out, size, "%s", form);
    else
        (void)snprintf(out, size, "%.*s%u%s", (int)(place - form), form, value,
                       place + 2);
}

static void *storm_run(void *arg)
{
    struct stormer *me = arg;

    while (clock_ms() < me->until) {
        char name[256];
        char password[256];
        int64_t start = clock_ms();
        enum status status;

        me->seed = me->seed * 1103515245U + 12345U;
        number_into(me->name, 1 + me->seed / 65536 % PEOPLE, name,
                    sizeof(name));
        number_into(me->password, 1 + me->seed / 65536 % PEOPLE, password,
                    sizeof(password));
        status = login(name, password, &me->err);
        me->counts[status]++;
        if (clock_ms() - start > me->slowest)
            me->slowest = clock_ms() - start;
        secret_wipe(password, sizeof(password));
    }
    return NULL;
}

static void do_storm(char *const words[])
{
    static struct stormer stormers[THREADS_MAX];
    size_t count = (size_t)number(words[1]) % (THREADS_MAX + 1);
    int64_t start = clock_ms();
    unsigned long total[STATUSES] = {0};
    unsigned long all = 0;
    int64_t slowest = 0;
    const char *text = "";

    memset(stormers, 0, sizeof(stormers));
    for (size_t i = 0; i < count; i++) {
        stormers[i].name = words[3];
        stormers[i].password = words[4];
        stormers[i].until = start + number(words[2]);
        stormers[i].seed = (unsigned)i * 7919U;
        if (pthread_create(&stormers[i].thread, NULL, storm_run,
                           &stormers[i]) != 0)
            abort();
    }
    for (size_t i = 0; i < count; i++) {
        (void)pthread_join(stormers[i].thread, NULL);
        for (size_t k = 0; k < STATUSES; k++)
            total[k] += stormers[i].counts[k];
        if (stormers[i].slowest > slowest)
            slowest = stormers[i].slowest;
        if (stormers[i].err.text[0] != '\0')
            text = stormers[i].err.text;
    }
    (void)printf("storm");
    for (size_t k = 0; k < STATUSES; k++) {
        all += total[k];
        (void)printf(" %s=%lu", status_name((enum status)k), total[k]);
    }
    (void)printf(" rate=%lld slowest=%lld err=%s\n",
                 (long long)all * 1000 / (clock_ms() - start + 1),
                 (long long)slowest, text);
}

static void do_hosts(void)
{
    struct directory_host_state hosts[LIST_MAX];
    size_t count = directory_hosts(directories[slot], hosts, LIST_MAX);

    (void)printf("hosts");
    for (size_t i = 0; i < count && i < LIST_MAX; i++)
        (void)printf(" [%s %s retry=%lld %s]", hosts[i].host,
                     hosts[i].up ? "up" : "resting",
                     (long long)hosts[i].retry_in_ms, hosts[i].error);
    (void)printf("\n");
}

static void do_counts(void)
{
    struct directory_counts counts;

    directory_counts(directories[slot], &counts);
    (void)printf(
        "counts searches=%llu binds=%llu connects=%llu failures=%llu "
        "remembered=%zu\n",
        (unsigned long long)counts.searches, (unsigned long long)counts.binds,
        (unsigned long long)counts.connects,
        (unsigned long long)counts.failures, counts.entries_remembered);
}

static void do_cpu(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    (void)printf("cpu %lld\n",
                 (long long)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) *
                         1000 +
                     (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000);
}

static void do_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    while (dir != NULL && readdir(dir) != NULL)
        count++;
    if (dir != NULL)
        (void)closedir(dir);
    (void)printf("descriptors %d\n", count);
}

/* Counts a text in one writable range of our own memory. */
static int search_range(FILE *memory, unsigned long from, unsigned long to,
                        const char *text, size_t len)
{
    char *copy = malloc(to - from);
    int found = 0;

    if (copy == NULL)
        return 0;
    if (fseek(memory, (long)from, SEEK_SET) == 0 &&
        fread(copy, 1, to - from, memory) == to - from) {
        const char *at = copy;
        size_t left = to - from;

        while ((at = memmem(at, left, text, len)) != NULL) {
            found++;
            at += len;
            left = (to - from) - (size_t)(at - copy);
        }
    }
    secret_wipe(copy, to - from);
    free(copy);
    return found;
}

/* The text comes backwards, so that the command itself is no hit. */
static void do_secret(const char *backwards)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    FILE *memory = fopen("/proc/self/mem", "re");
    char line[512];
    char text[64];
    size_t len = strlen(backwards);
    int found = 0;

    if (maps == NULL || memory == NULL || len >= sizeof(text))
        abort();
    for (size_t i = 0; i < len; i++)
        text[i] = backwards[len - 1 - i];
    while (fgets(line, sizeof(line), maps) != NULL) {
        char *end = NULL;
        unsigned long from = strtoul(line, &end, 16);
        unsigned long to = strtoul(end + 1, &end, 16);

        /* A sanitizer's shadow is larger than any memory. */
        if (strncmp(end, " rw", 3) == 0 && strstr(line, "[stack]") == NULL &&
            to - from < RANGE_BYTES_MAX)
            found += search_range(memory, from, to, text, len);
    }
    secret_wipe(text, sizeof(text));
    (void)fclose(maps);
    (void)fclose(memory);
    (void)printf("secret %d\n", found);
}

static void obey(char *const words[])
{
    const char *word = words[0];

    if (strcmp(word, "set") == 0) {
        if (!set_text(&settings[slot], words[1], words[2]))
            (void)set_number(&settings[slot], words[1], number(words[2]));
        (void)printf("set\n");
    } else if (strcmp(word, "open") == 0) {
        do_open(words[1]);
    } else if (strcmp(word, "use") == 0) {
        slot = (size_t)number(words[1]) % SLOTS;
        (void)printf("use\n");
    } else if (strcmp(word, "deadline") == 0) {
        deadline_ms = (int)number(words[1]);
        (void)printf("deadline\n");
    } else if (strcmp(word, "find") == 0) {
        do_find(words[1]);
    } else if (strcmp(word, "verify") == 0) {
        do_verify(words[1], words[2]);
    } else if (strcmp(word, "login") == 0) {
        do_login(words[1], words[2]);
    } else if (strcmp(word, "storm") == 0) {
        do_storm(words);
    } else if (strcmp(word, "forget") == 0) {
        size_t gone = directory_forget(directories[slot],
                                       words[1][0] != '\0' ? words[1] : NULL);

        (void)printf("forget %zu\n", gone);
    } else if (strcmp(word, "hosts") == 0) {
        do_hosts();
    } else if (strcmp(word, "counts") == 0) {
        do_counts();
    } else if (strcmp(word, "cpu") == 0) {
        do_cpu();
    } else if (strcmp(word, "descriptors") == 0) {
        do_descriptors();
    } else if (strcmp(word, "secret") == 0) {
        do_secret(words[1]);
    } else if (strcmp(word, "close") == 0) {
        directory_close(&directories[slot]);
        (void)printf("close\n");
    } else {
        (void)printf("unknown command\n");
    }
}

/* Reads one line without stdio's buffer, which would keep a password. */
static bool read_line(char *line, size_t size)
{
    size_t len = 0;
    int c;

    while ((c = getchar()) != EOF && c != '\n') {
        if (len + 1 < size)
            line[len++] = (char)c;
    }
    line[len] = '\0';
    return c != EOF;
}

int main(void)
{
    static char line[LINE_BYTES_MAX];

    (void)setvbuf(stdin, NULL, _IONBF, 0);
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    defaults(&settings[0]);
    while (read_line(line, sizeof(line)) && strcmp(line, "quit") != 0) {
        static char empty[] = "";
        char *words[WORDS_MAX] = {empty, empty, empty, empty, empty};
        char *rest = line;
        size_t count = 0;

        while (rest != NULL && count < WORDS_MAX)
            words[count++] = strsep(&rest, "\t");
        obey(words);
        secret_wipe(line, sizeof(line));
    }
    for (size_t i = 0; i < SLOTS; i++)
        directory_close(&directories[i]);
    return EXIT_SUCCESS;
}
