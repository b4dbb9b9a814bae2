/* throttle - see throttle.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "throttle.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Without memory a failure is not counted; uthash would end the process. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define PERSON_BYTES_MAX 320 /* what is longer counts as its beginning */
#define IPV6_BYTES 16
#define IPV6_COUNTED_BYTES 8 /* /64 */
#define IPV4_BYTES 4
#define FIRST_TIMES 4

static const unsigned char mapped_prefix[] = {0, 0, 0, 0, 0,    0,
                                              0, 0, 0, 0, 0xff, 0xff};

/* An IP address; IPv4 takes the first four bytes. */
struct ip {
    bool v4;
    unsigned char bytes[IPV6_BYTES];
};

struct block {
    struct ip ip;
    unsigned bits;
};

/* The two kinds of bucket, as the first byte of a key. */
enum kind {
    KIND_PERSON = 'p',
    KIND_CLIENT = 'c'
};

/* Where the parts of a key begin. */
enum {
    KEY_KIND = 0,
    KEY_V4 = 1,
    KEY_ADDRESS = 2,                               /* unused bytes are 0 */
    KEY_PERSON = KEY_ADDRESS + IPV6_COUNTED_BYTES, /* "" in a client bucket */
    KEY_BYTES_MAX = KEY_PERSON + PERSON_BYTES_MAX + 1
};

struct key {
    unsigned len;
    unsigned char bytes[KEY_BYTES_MAX];
};

struct bucket {
    UT_hash_handle hh; /* uthash keeps the order: the first is least used */
    int64_t *times;    /* of failures, oldest first; only the last `limit` */
    unsigned count;
    unsigned size;
    unsigned key_len;
    unsigned char key[];
};

struct throttle {
    struct throttle_limits limits;
    struct block *trusted;
    size_t trusted_count;
    pthread_mutex_t lock; /* of buckets */
    struct bucket *buckets;
};

static void make_v4_of_mapped(struct ip *ip)
{
    if (ip->v4 || memcmp(ip->bytes, mapped_prefix, sizeof(mapped_prefix)) != 0)
        return;
    memmove(ip->bytes, ip->bytes + sizeof(mapped_prefix), IPV4_BYTES);
    memset(ip->bytes + IPV4_BYTES, 0, IPV6_BYTES - IPV4_BYTES);
    ip->v4 = true;
}

/* Reads an address without a zone. False if it is none. */
static bool read_plain_ip(const char *text, struct ip *ip_r)
{
    struct ip ip = {0};

    if (inet_pton(AF_INET, text, ip.bytes) == 1)
        ip.v4 = true;
    else if (inet_pton(AF_INET6, text, ip.bytes) != 1)
        return false;
    *ip_r = ip;
    return true;
}

/* Reads a client: a zone ("fe80::1%eth0") is left out, IPv4 is IPv4. */
static bool read_client(const char *text, struct ip *ip_r)
{
    char plain[INET6_ADDRSTRLEN];
    size_t len = strcspn(text, "%");

    if (len >= sizeof(plain))
        return false;
    memcpy(plain, text, len);
    plain[len] = '\0';
    if (!read_plain_ip(plain, ip_r))
        return false;
    make_v4_of_mapped(ip_r);
    return true;
}

/* True if all bits of ip from `bits` on are 0. */
static bool rest_is_zero(const struct ip *ip, unsigned bits)
{
    for (unsigned i = bits; i < IPV6_BYTES * 8; i++) {
        if ((ip->bytes[i / 8] & (0x80U >> (i % 8))) != 0)
            return false;
    }
    return true;
}

/* Reads "24" up to max; nothing but digits, no needless zeros. */
static bool read_bits(const char *text, unsigned max, unsigned *bits_r)
{
    size_t len = strspn(text, "0123456789");
    unsigned bits = 0;

    if (len == 0 || len > 3 || text[len] != '\0' || (text[0] == '0' && len > 1))
        return false;
    for (size_t i = 0; i < len; i++)
        bits = bits * 10 + (unsigned)(text[i] - '0');
    *bits_r = bits;
    return bits <= max;
}

/* Reads an address or CIDR block. */
static bool read_block(const char *text, struct block *block_r)
{
    const unsigned mapped_bits = sizeof(mapped_prefix) * 8;
    char address[INET6_ADDRSTRLEN];
    size_t len = strcspn(text, "/");
    struct block block = {0};
    unsigned width;

    if (len >= sizeof(address))
        return false;
    memcpy(address, text, len);
    address[len] = '\0';
    if (!read_plain_ip(address, &block.ip))
        return false;
    width = (block.ip.v4 ? IPV4_BYTES : IPV6_BYTES) * 8;
    block.bits = width;
    if (text[len] == '/' && !read_bits(text + len + 1, width, &block.bits))
        return false;
    /* "10.0.0.1/8" is one host or ten million: only its author knows. */
    if (!rest_is_zero(&block.ip, block.bits))
        return false;
    if (!block.ip.v4 && block.bits >= mapped_bits) {
        make_v4_of_mapped(&block.ip);
        if (block.ip.v4)
            block.bits -= mapped_bits;
    }
    *block_r = block;
    return true;
}

static bool block_holds(const struct block *block, const struct ip *ip)
{
    size_t whole = block->bits / 8;
    unsigned rest = block->bits % 8;
    unsigned mask = (0xff00U >> rest) & 0xffU;

    if (block->ip.v4 != ip->v4 ||
        memcmp(block->ip.bytes, ip->bytes, whole) != 0)
        return false;
    return rest == 0 ||
           ((block->ip.bytes[whole] ^ ip->bytes[whole]) & mask) == 0;
}

static bool is_trusted(const struct throttle *throttle, const struct ip *ip)
{
    for (size_t i = 0; i < throttle->trusted_count; i++) {
        if (block_holds(&throttle->trusted[i], ip))
            return true;
    }
    return false;
}

enum status throttle_new(struct throttle_limits limits,
                         const char *const *trusted, size_t count,
                         struct throttle **throttle_r, struct errtext *err)
{
    struct throttle *throttle = calloc(1, sizeof(*throttle));
    struct block *blocks = calloc(count + 1, sizeof(*blocks));
    enum status status = STATUS_OK;

    if (throttle == NULL || blocks == NULL)
        status = status_no_memory(err);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (!read_block(trusted[i], &blocks[i])) {
            errtext_set(err,
                        "\"%s\" is no IP address or CIDR block, or has "
                        "bits behind its prefix",
                        trusted[i]);
            status = STATUS_INVALID;
        }
    }
    if (status != STATUS_OK || throttle == NULL) {
        free(blocks);
        free(throttle);
        return status;
    }
    throttle->limits = limits;
    throttle->trusted = blocks;
    throttle->trusted_count = count;
    (void)pthread_mutex_init(&throttle->lock, NULL);
    *throttle_r = throttle;
    return STATUS_OK;
}

static void drop(struct throttle *throttle, struct bucket *bucket)
{
    HASH_DEL(throttle->buckets, bucket);
    free(bucket->times);
    free(bucket);
}

void throttle_free(struct throttle **throttle)
{
    if (*throttle == NULL)
        return;
    (void)throttle_flush(*throttle, NULL);
    (void)pthread_mutex_destroy(&(*throttle)->lock);
    free((*throttle)->trusted);
    free(*throttle);
    *throttle = NULL;
}

static void make_key(enum kind kind, const struct ip *ip, const char *person,
                     struct key *key_r)
{
    size_t len = kind == KIND_PERSON ? strnlen(person, PERSON_BYTES_MAX) : 0;

    memset(key_r->bytes, 0, KEY_PERSON);
    key_r->bytes[KEY_KIND] = (unsigned char)kind;
    key_r->bytes[KEY_V4] = ip->v4 ? 1 : 0;
    memcpy(key_r->bytes + KEY_ADDRESS, ip->bytes,
           ip->v4 ? IPV4_BYTES : IPV6_COUNTED_BYTES);
    memcpy(key_r->bytes + KEY_PERSON, person, len);
    key_r->bytes[KEY_PERSON + len] = '\0';
    key_r->len = (unsigned)(KEY_PERSON + len + 1);
}

static const char *person_of(const struct bucket *bucket)
{
    return (const char *)bucket->key + KEY_PERSON;
}

static unsigned limit_of(const struct throttle *throttle,
                         const unsigned char *key)
{
    return key[KEY_KIND] == KIND_PERSON ? throttle->limits.failures
                                        : throttle->limits.failures_per_client;
}

static struct bucket *find(const struct throttle *throttle,
                           const struct key *key)
{
    struct bucket *bucket = NULL;

    HASH_FIND(hh, throttle->buckets, key->bytes, key->len, bucket);
    return bucket;
}

/* Puts the bucket at the end of the order, as the one used last. */
static void put_last(struct throttle *throttle, struct bucket *bucket)
{
    HASH_ADD(hh, throttle->buckets, key[0], bucket->key_len, bucket);
    if (bucket->hh.tbl == NULL) {
        free(bucket->times);
        free(bucket);
    }
}

static void touch(struct throttle *throttle, struct bucket *bucket)
{
    if (bucket->hh.next == NULL)
        return; /* It is the last one already. */
    HASH_DEL(throttle->buckets, bucket);
    put_last(throttle, bucket);
}

/* Leaves out the first count failures. */
static void shift(struct bucket *bucket, unsigned count)
{
    bucket->count -= count;
    memmove(bucket->times, bucket->times + count,
            bucket->count * sizeof(bucket->times[0]));
}

static void forget_old(const struct throttle *throttle, struct bucket *bucket,
                       int64_t now_ms)
{
    unsigned old = 0;

    while (old < bucket->count &&
           now_ms - bucket->times[old] >= throttle->limits.period_ms)
        old++;
    if (old > 0)
        shift(bucket, old);
}

/* Makes room for one more time: at the limit the oldest counts no more. */
static void make_room(struct bucket *bucket, unsigned limit)
{
    unsigned size = bucket->size > 0 ? bucket->size * 2 : FIRST_TIMES;
    int64_t *times;

    if (bucket->count < bucket->size)
        return;
    if (bucket->size < limit) {
        if (size > limit)
            size = limit;
        times = realloc(bucket->times, size * sizeof(times[0]));
        if (times != NULL) {
            bucket->times = times;
            bucket->size = size;
            return;
        }
    }
    if (bucket->count > 0)
        shift(bucket, 1);
}

/* Drops buckets that nobody needs, and one more if there are too many. */
static void trim(struct throttle *throttle, int64_t now_ms)
{
    while (throttle->buckets != NULL) {
        struct bucket *first = throttle->buckets;

        forget_old(throttle, first, now_ms);
        if (first->count > 0 &&
            HASH_COUNT(throttle->buckets) < throttle->limits.buckets_max)
            return;
        drop(throttle, first);
    }
}

/* Finds or makes the bucket and puts it last. NULL without memory. */
static struct bucket *need(struct throttle *throttle, const struct key *key,
                           int64_t now_ms)
{
    struct bucket *bucket = find(throttle, key);

    if (bucket != NULL) {
        touch(throttle, bucket);
        return find(throttle, key);
    }
    trim(throttle, now_ms);
    bucket = calloc(1, sizeof(*bucket) + key->len);
    if (bucket == NULL)
        return NULL;
    bucket->key_len = key->len;
    memcpy(bucket->key, key->bytes, key->len);
    put_last(throttle, bucket);
    return find(throttle, key);
}

static void count_failure(struct throttle *throttle, const struct key *key,
                          int64_t now_ms)
{
    unsigned limit = limit_of(throttle, key->bytes);
    struct bucket *bucket;

    if (limit == 0 || throttle->limits.buckets_max == 0)
        return;
    bucket = need(throttle, key, now_ms);
    if (bucket == NULL)
        return;
    forget_old(throttle, bucket, now_ms);
    make_room(bucket, limit);
    if (bucket->count < bucket->size)
        bucket->times[bucket->count++] = now_ms;
    else
        drop(throttle, bucket); /* There is no memory for one time even. */
}

static bool closed(const struct throttle *throttle, struct bucket *bucket,
                   int64_t now_ms)
{
    forget_old(throttle, bucket, now_ms);
    return bucket->count >= limit_of(throttle, bucket->key);
}

/* True if the key's bucket lets an attempt go on. */
static bool passes(struct throttle *throttle, const struct key *key,
                   int64_t now_ms)
{
    struct bucket *bucket;
    bool open = true;

    if (limit_of(throttle, key->bytes) == 0)
        return true;
    bucket = find(throttle, key);
    if (bucket != NULL) {
        open = !closed(throttle, bucket, now_ms);
        touch(throttle, bucket);
    }
    return open;
}

bool throttle_open(struct throttle *throttle, const char *person,
                   const char *client, int64_t now_ms)
{
    struct key by_person;
    struct key by_client;
    struct ip ip;
    bool open;

    if (!read_client(client, &ip))
        return true;
    make_key(KIND_PERSON, &ip, person, &by_person);
    make_key(KIND_CLIENT, &ip, "", &by_client);
    (void)pthread_mutex_lock(&throttle->lock);
    open = passes(throttle, &by_person, now_ms);
    if (open && !is_trusted(throttle, &ip))
        open = passes(throttle, &by_client, now_ms);
    (void)pthread_mutex_unlock(&throttle->lock);
    return open;
}

void throttle_failure(struct throttle *throttle, const char *person,
                      const char *client, int64_t now_ms)
{
    struct key by_person;
    struct key by_client;
    struct ip ip;

    if (!read_client(client, &ip))
        return;
    make_key(KIND_PERSON, &ip, person, &by_person);
    make_key(KIND_CLIENT, &ip, "", &by_client);
    (void)pthread_mutex_lock(&throttle->lock);
    count_failure(throttle, &by_person, now_ms);
    if (!is_trusted(throttle, &ip))
        count_failure(throttle, &by_client, now_ms);
    (void)pthread_mutex_unlock(&throttle->lock);
}

void throttle_success(struct throttle *throttle, const char *person,
                      const char *client)
{
    struct bucket *bucket;
    struct key key;
    struct ip ip;

    if (!read_client(client, &ip))
        return;
    make_key(KIND_PERSON, &ip, person, &key);
    (void)pthread_mutex_lock(&throttle->lock);
    bucket = find(throttle, &key);
    if (bucket != NULL)
        drop(throttle, bucket);
    (void)pthread_mutex_unlock(&throttle->lock);
}

/* True if the bucket is about that person, or that client. */
static bool is_about(const struct bucket *bucket, const char *person,
                     const struct key *client)
{
    if (person == NULL)
        return true;
    if (client != NULL)
        return memcmp(bucket->key + KEY_V4, client->bytes + KEY_V4,
                      KEY_PERSON - KEY_V4) == 0;
    return bucket->key[KEY_KIND] == KIND_PERSON &&
           strncmp(person_of(bucket), person, PERSON_BYTES_MAX) == 0;
}

size_t throttle_flush(struct throttle *throttle, const char *person)
{
    const struct key *client = NULL;
    struct bucket *bucket;
    struct bucket *next;
    size_t count = 0;
    struct key key;
    struct ip ip;

    if (person != NULL && read_client(person, &ip)) {
        make_key(KIND_CLIENT, &ip, "", &key);
        client = &key;
    }
    (void)pthread_mutex_lock(&throttle->lock);
    for (bucket = throttle->buckets; bucket != NULL; bucket = next) {
        next = bucket->hh.next;
        if (is_about(bucket, person, client)) {
            drop(throttle, bucket);
            count++;
        }
    }
    (void)pthread_mutex_unlock(&throttle->lock);
    return count;
}

size_t throttle_count(struct throttle *throttle)
{
    size_t count;

    (void)pthread_mutex_lock(&throttle->lock);
    count = HASH_COUNT(throttle->buckets);
    (void)pthread_mutex_unlock(&throttle->lock);
    return count;
}

/* Appends "192.0.2.7" or "2001:db8::/64". */
static void append_client(const struct bucket *bucket, struct strbuf *buf)
{
    unsigned char bytes[IPV6_BYTES] = {0};
    char text[INET6_ADDRSTRLEN] = "";
    bool v4 = bucket->key[KEY_V4] != 0;

    memcpy(bytes, bucket->key + KEY_ADDRESS, IPV6_COUNTED_BYTES);
    (void)inet_ntop(v4 ? AF_INET : AF_INET6, bytes, text, sizeof(text));
    strbuf_append(buf, text);
    if (!v4)
        strbuf_append(buf, "/64");
}

static void append_bucket(const struct throttle *throttle,
                          const struct bucket *bucket, int64_t now_ms,
                          struct strbuf *buf)
{
    int64_t left = bucket->times[0] + throttle->limits.period_ms - now_ms;

    if (bucket->key[KEY_KIND] == KIND_CLIENT)
        strbuf_append_char(buf, '*');
    for (const char *next = person_of(bucket); *next != '\0'; next++) {
        if ((unsigned char)*next <= ' ')
            strbuf_appendf(buf, "\\x%02x", (unsigned)(unsigned char)*next);
        else
            strbuf_append_char(buf, *next);
    }
    strbuf_append_char(buf, ' ');
    append_client(bucket, buf);
    strbuf_appendf(buf, " %u %lld\n", bucket->count,
                   (long long)((left + 999) / 1000));
}

void throttle_append(struct throttle *throttle, int64_t now_ms,
                     struct strbuf *buf)
{
    struct bucket *bucket;

    (void)pthread_mutex_lock(&throttle->lock);
    for (bucket = throttle->buckets; bucket != NULL; bucket = bucket->hh.next) {
        if (closed(throttle, bucket, now_ms))
            append_bucket(throttle, bucket, now_ms, buf);
    }
    (void)pthread_mutex_unlock(&throttle->lock);
}

void throttle_client(const char *wire_client, char *out, size_t size)
{
    char address[INET6_ADDRSTRLEN + 16]; /* and the name of a zone */
    size_t len = strcspn(wire_client, ";");
    struct ip ip;

    out[0] = '\0';
    if (len >= sizeof(address))
        return;
    memcpy(address, wire_client, len);
    address[len] = '\0';
    if (read_client(address, &ip) &&
        inet_ntop(ip.v4 ? AF_INET : AF_INET6, ip.bytes, out, (socklen_t)size) ==
            NULL)
        out[0] = '\0';
}

void throttle_counted(const char *client, char *out, size_t size)
{
    char text[INET6_ADDRSTRLEN] = "";
    struct ip ip;

    out[0] = '\0';
    if (!read_client(client, &ip))
        return;
    if (!ip.v4)
        memset(ip.bytes + IPV6_COUNTED_BYTES, 0,
               IPV6_BYTES - IPV6_COUNTED_BYTES);
    if (inet_ntop(ip.v4 ? AF_INET : AF_INET6, ip.bytes, text, sizeof(text)) !=
        NULL)
        (void)snprintf(out, size, "%s%s", text, ip.v4 ? "" : "/64");
}
