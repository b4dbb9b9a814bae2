# rows.awk - rows of a benchmark, for the reports made of them
# SPDX-License-Identifier: BSD-2-Clause
#
# usage: awk -f rows.awk -f REPORT.awk ROWS
#
# A row's "name=value" words are in field[]. The report puts what is measured
# into value[key, round, what], and the number of rounds into rounds.

{
    split("", field)
    for (i = 1; i <= NF; i++) {
        at = index($i, "=")
        field[substr($i, 1, at - 1)] = substr($i, at + 1)
    }
}

# The median of list[1..n].
function middle(list, n,    i, j, swap) {
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && list[j] < list[j - 1]; j--) {
            swap = list[j]
            list[j] = list[j - 1]
            list[j - 1] = swap
        }
    if (n == 0)
        return 0
    return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}

function median(key, what,    list, n, round) {
    split("", list)
    for (round = 1; round <= rounds; round++)
        if ((key, round, what) in value)
            list[++n] = value[key, round, what] + 0
    return middle(list, n)
}

# The median of the rounds' own ratios; "" if one of the two was not measured.
function ratio_of(key, other,    list, n, round, left, right) {
    split("", list)
    for (round = 1; round <= rounds; round++) {
        if (!((key, round, "rate") in value) || !((other, round, "rate") in value))
            continue
        left = value[key, round, "rate"]
        right = value[other, round, "rate"]
        if (left > 0 && right > 0)
            list[++n] = left / right
    }
    return n ? middle(list, n) : ""
}
