# sync.awk - rows of bench_sync.sh, as tables in Markdown
# SPDX-License-Identifier: BSD-2-Clause
#
# Medians over the rounds; a ratio is the median of the rounds' own ratios, each
# of neighbours in time. "rate" of a value is seconds here.

{
    key = field["name"] SUBSEP field["people"]
    round = field["round"]
    if (round > rounds)
        rounds = round
    value[key, round, "rate"] = field["seconds"]
    value[key, round, "own"] = field["own"]
    value[key, round, "kib"] = field["kib"]
    if (field["name"] == "read")
        read = field["seconds"]
    if (field["name"] == "load")
        value["limit" SUBSEP field["people"], round, "rate"] = \
            read + field["seconds"]
    if (!(field["people"] in seen))
        sizes[++size_count] = field["people"]
    seen[field["people"]] = 1
}

function largest(key,    most, round) {
    for (round = 1; round <= rounds; round++)
        if (value[key, round, "kib"] + 0 > most)
            most = value[key, round, "kib"] + 0
    return most
}

function table(people,    i, key, s) {
    printf "\n| %d people | seconds | people/s | own seconds | peak MiB |\n", people
    print "|---|---|---|---|---|"
    for (i = 1; i <= name_count; i++) {
        key = names[i] SUBSEP people
        s = median(key, "rate")
        if (s == 0)
            continue
        if (names[i] == "limit") {
            printf "| %s | %.3f | %d | - | - |\n", words[names[i]], s, people / s
            continue
        }
        printf "| %s | %.3f | %d | %.3f | %.1f |\n", words[names[i]], s,
            people / s, median(key, "own"), largest(key) / 1024
    }
}

function target(text, got, wanted, reached) {
    printf "| %s | %s | %s | %s |\n", text, got, wanted, reached ? "yes" : "no"
}

function ratio_row(name, other, people, most,    got) {
    got = ratio_of(name SUBSEP people, other SUBSEP people)
    if (got != "")
        target(words[name] " / " words[other] ", " people " people", \
            sprintf("%.2f", got), sprintf("<= %.1f", most), got <= most)
}

function targets(    i, people, name, most, kib, s, base, n) {
    print "\n| what | measured | target | reached |"
    print "|---|---|---|---|"
    for (i = 1; i <= size_count; i++) {
        people = sizes[i]
        ratio_row("import", "limit", people, 1.5)
        ratio_row("unchanged", "read-again", people, 1.3)
        most = 0
        for (n = 1; n <= name_count; n++) {
            kib = names[n] ~ /^(import|unchanged|changed|changes)$/ ? \
                largest(names[n] SUBSEP people) : 0
            if (kib > most)
                most = kib
        }
        target("peak memory, MiB, " people " people", \
            sprintf("%.1f", most / 1024), \
            sprintf("<= %.1f", 32 + 100 * people / 1048576), \
            most / 1024 <= 32 + 100 * people / 1048576)
        s = median("changes" SUBSEP people, "rate")
        if (s > 0)
            target(words["changes"] ", s, " people " people", \
                sprintf("%.3f", s), "< 0.2", s < 0.2)
    }
    base = sizes[1]
    for (i = 2; i <= size_count; i++)
        for (n = 1; n <= name_count; n++) {
            name = names[n]
            s = median(name SUBSEP base, "rate")
            if (s > 0 && name ~ /^(import|limit|unchanged|read-again)$/)
                printf "| a person's cost at %d / at %d, %s | %.2f | - | - |\n",
                    sizes[i], base, words[name],
                    median(name SUBSEP sizes[i], "rate") / sizes[i] / (s / base)
        }
}

BEGIN {
    name_count = split("read load limit import read-again unchanged changed changes", names, " ")
    words["read"] = "plain read"
    words["load"] = "bulk load"
    words["limit"] = "limit: plain read + bulk load"
    words["import"] = "import"
    words["read-again"] = "plain read, beside the next"
    words["unchanged"] = "full run, nothing changed"
    words["changed"] = "full run, 1 % changed"
    words["changes"] = "--changes, 10 changed"
}

END {
    for (i = 1; i <= size_count; i++)
        table(sizes[i])
    targets()
}
