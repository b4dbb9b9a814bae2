# policy.awk - rows of bench_policy.sh, as tables in Markdown
# SPDX-License-Identifier: BSD-2-Clause
#
# Medians over the rounds; a ratio is the median of the rounds' own ratios.

{
    if (field["kind"] == "memory")
        rss = field["rss_kib"]
    if (field["kind"] != "run")
        next
    name = field["name"]
    if (!(name in seen)) {
        seen[name] = 1
        names[++count] = name
    }
    key = name SUBSEP field["connections"]
    round = field["round"]
    if (round > rounds)
        rounds = round
    value[key, round, "rate"] = field["rate"]
    value[key, round, "p50"] = field["p50_us"]
    value[key, round, "p99"] = field["p99_us"]
    value[key, round, "cpu"] = field["cpu_us"]
    value[key, round, "no"] = field["refused"]
    value[key, round, "failed"] = field["failed"]
}

function ratio(a, b, connections) {
    return ratio_of(a SUBSEP connections, b SUBSEP connections)
}

function judge(what, measured, format, target, reached) {
    if (measured == "")
        return
    printf "| %s | " format " | %s | %s |\n", what, measured, target, \
        target == "-" ? "-" : reached ? "yes" : "no"
}

END {
    print "\n| server | connections | requests/s | p50 us | p99 us | its own CPU us a request | refused | unanswered |"
    print "|---|---|---|---|---|---|---|---|"
    split("1 8 64", sizes, " ")
    for (i = 1; i <= count; i++)
        for (s = 1; s <= 3; s++) {
            key = names[i] SUBSEP sizes[s]
            if (median(key, "rate") == 0)
                continue
            printf "| %s | %d | %.0f | %.0f | %.0f | %.1f | %.0f | %.0f |\n", \
                names[i], sizes[s], median(key, "rate"), median(key, "p50"), \
                median(key, "p99"), median(key, "cpu"), median(key, "no"), \
                median(key, "failed")
        }
    print "\n| at 64 connections | measured | target | reached |"
    print "|---|---|---|---|"
    r = ratio("policyd-none", "limit", 64)
    judge("no rule / the unparsed limit", r, "%.2f", ">= 0.40", r >= 0.4)
    r = ratio("policyd-all", "policyd-none", 64)
    judge("all rules / no rule", r, "%.2f", ">= 0.70", r >= 0.7)
    r = ratio("policyd-all", "dovecot", 64)
    judge("all rules / Dovecot quota-status", r, "%.0f", ">= 50", r >= 50)
    r = ratio("policyd-all", "postfwd", 64)
    judge("all rules / postfwd", r, "%.0f", "-", 1)
    r = ratio("policyd-all", "policyd-rate-limit", 64)
    judge("all rules / policyd-rate-limit", r, "%.0f", "-", 1)
    if ("policyd-all" in seen) {
        r = median("policyd-all" SUBSEP 64, "p99") / 1000
        judge("all rules, 99th percentile, ms", r, "%.2f", "< 5", r < 5)
    }
    r = ratio("policyd-cold", "select", 64)
    judge("all rules, every account cold / one SELECT a request", r, "%.2f", ">= 0.80", r >= 0.8)
    if (rss != "")
        judge("resident with 1000 connections and the counters, MiB", rss / 1024, "%.1f", "< 64", rss < 65536)
    print ""
}
