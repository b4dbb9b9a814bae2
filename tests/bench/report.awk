# report.awk - rows of bench_auth.sh, as tables in Markdown
# SPDX-License-Identifier: BSD-2-Clause
#
# Medians over the rounds; a ratio is the median of the rounds' own ratios.

{
    if (field["kind"] == "memory") {
        rss = field["rss_kib"]
        pss = field["pss_kib"]
    }
    if (field["kind"] == "plugin")
        added = field["added_us"]
    if (field["kind"] != "run")
        next
    name = field["name"]
    if (!(name in seen)) {
        seen[name] = 1
        names[++count] = name
    }
    key = name SUBSEP field["people"] SUBSEP field["clients"]
    round = field["round"]
    if (round > rounds)
        rounds = round
    value[key, round, "rate"] = field["rate"]
    value[key, round, "p50"] = field["p50_us"]
    value[key, round, "p99"] = field["p99_us"]
    value[key, round, "cpu"] = \
        field["daemon_cpu_us"] + field["slapd_cpu_us"] + field["mariadbd_cpu_us"]
    value[key, round, "own"] = field["daemon_cpu_us"]
    value[key, round, "errors"] = field["no"] + field["temporary"] + field["failed"]
}

function sum(key, what,    n, round) {
    for (round = 1; round <= rounds; round++)
        n += value[key, round, what]
    return n + 0
}

function ratio(name, other, people, clients) {
    return ratio_of(name SUBSEP people SUBSEP clients, \
        other SUBSEP people SUBSEP clients)
}

function table(people,    i, c, clients, key, line) {
    printf "\n### %d people\n\n", people
    print "| server | clients | logins/s | p50 us | p99 us | server CPU us a login (of it its own) | errors |"
    print "|---|---|---|---|---|---|---|"
    for (i = 1; i <= count; i++)
        for (c = 1; c <= 3; c++) {
            clients = c == 1 ? 1 : c == 2 ? 8 : 32
            key = names[i] SUBSEP people SUBSEP clients
            if (!((key, 1, "rate") in value) || names[i] ~ /-login$/)
                continue
            printf "| %s | %d | %d | %d | %d | %.0f (%.0f) | %d |\n", names[i],
                clients, median(key, "rate"), median(key, "p50"),
                median(key, "p99"), median(key, "cpu"), median(key, "own"),
                sum(key, "errors")
        }
}

function target(text, got, wanted, reached) {
    printf "| %s | %s | %s | %s |\n", text, got, wanted, \
        wanted == "-" ? "-" : reached ? "yes" : "no"
}

function ratio_row(name, other, people, wanted,    got) {
    got = ratio(name, other, people, 32)
    if (got > 0)
        target(name " / " other ", " people " people", sprintf("%.2f", got),
            wanted == 0 ? "-" : sprintf(">= %.2f", wanted),
            wanted == 0 || got >= wanted)
}

function better_peer(people,    i, best, rate) {
    split("saslauthd dovecot dovecot-workers", peers, " ")
    best = peers[1]
    for (i = 1; i <= 3; i++) {
        rate = median(peers[i] SUBSEP people SUBSEP 32, "rate")
        if (rate > median(best SUBSEP people SUBSEP 32, "rate"))
            best = peers[i]
    }
    return best
}

function targets(    p, people, plain, first) {
    print "\n### Ratios at 32 clients, and the targets\n"
    print "| what | measured | target | reached |"
    print "|---|---|---|---|"
    for (p = 1; p <= 2; p++) {
        people = p == 1 ? few : many
        ratio_row("authd", "limit-select-search-bind", people, 0.85)
        ratio_row("authd-entries", "limit-select-bind", people, 0.85)
        ratio_row("authd-cache", "limit-select", people, 0.85)
        ratio_row("authd", better_peer(people), people, 1.5)
    }
    ratio_row("authd-cache", "saslauthd-c", many, 1.3)
    ratio_row("authd-cache", "saslauthd-C", many, 0)
    ratio_row("authd", "saslauthd-5", many, 0)
    ratio_row("limit-select-search-bind", better_peer(many), many, 0)
    plain = median("plain-login" SUBSEP many SUBSEP 1, "p50")
    for (p in value)
        if (split(p, part, SUBSEP) == 5 && part[1] == "first-login")
            first = median(part[1] SUBSEP part[2] SUBSEP part[3], "p50")
    if (first > 0)
        target("first login over a plain one, median", \
            sprintf("%.2f ms", (first - plain) / 1000), "<= 3 ms", \
            first - plain <= 3000)
    if (added != "")
        target("the plugin over the socket call, median", added " us", \
            "<= 200 us", added + 0 <= 200)
    if (rss > 0)
        target("authd with " many " remembered logins, resident", \
            sprintf("%.1f MiB (%.1f its own share)", rss / 1024, pss / 1024), \
            "< 40 MiB", rss < 40 * 1024)
}

END {
    table(few)
    table(many)
    targets()
}
