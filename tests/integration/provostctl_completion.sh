#!/bin/sh
# provostctl_completion.sh - help, and completion in a real bash and zsh
# SPDX-License-Identifier: BSD-2-Clause
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin provostctl_completion
ctl=$PROVOST_BUILD/tools/provostctl

# ------------------------------------------------------------------- help --

"$ctl" help >"$LAB/help"
is "help is --help" "$("$ctl" --help)" "$(cat "$LAB/help")"
is "no words are a fault, with the commands" "$("$ctl" 2>&1 | tail -n +2)" "$(tail -n +2 "$LAB/help")"
is "its rows are sorted" "$(grep -E '^  [a-z]' "$LAB/help" | awk '{ print $1 }')" \
    "$(grep -E '^  [a-z]' "$LAB/help" | awk '{ print $1 }' | LC_ALL=C sort)"
nouns=$(grep -E '^  [a-z]' "$LAB/help" | awk '{ print $1 }' | uniq)
for noun in $nouns; do
    is "help $noun has its rows alone" "$("$ctl" help "$noun" | sed -n 's/^  provostctl //p' | awk '{ print $1 }' | sort -u)" "$noun"
    is "as $noun --help" "$("$ctl" "$noun" --help)" "$("$ctl" help "$noun")"
done
"$ctl" help nonsense >"$LAB/out" 2>&1
is "help for what there is not is a fault" $? 64

# ------------------------------------------------------------------- bash --

"$ctl" completion bash >"$LAB/provostctl.bash"
"$ctl" completion zsh >"$LAB/_provostctl"
is "bash reads it without a word" "$(bash -n "$LAB/provostctl.bash" 2>&1)" ""
is "zsh too" "$(zsh -n "$LAB/_provostctl" 2>&1)" ""

# by_bash WORD...: what bash offers for the last of these words.
by_bash() {
    bash -c '. "$1"; shift
        COMP_WORDS=(provostctl "$@"); COMP_CWORD=$#
        complete -p provostctl | grep -q "F _provostctl" || exit 1
        _provostctl; printf "%s\n" "${COMPREPLY[@]}"' bash "$LAB/provostctl.bash" "$@" |
        LC_ALL=C sort | paste -s -d ' ' -
}
# by_zsh WORD...: likewise zsh, at a prompt of its own, the last word empty or
# the beginning of one: what TAB shows.
by_zsh() {
    "$LAB_PYTHON" "$lab_tree/tests/lib/zsh_complete.py" "$LAB" "$*" | paste -s -d ' ' -
}
mkdir "$LAB/empty"
cd "$LAB/empty" || exit 1

# offers TEXT WORDS...: both shells offer TEXT, sorted, for the last word.
offers() {
    offered=$1
    shift
    is "bash offers '$offered' for: $*" "$(by_bash "$@")" "$offered"
    is "zsh offers '$offered' for: $*" "$(by_zsh "$@")" "$offered"
}
offers "doctor domain" "do"
offers "add alias" domain a
offers "follow" --no-headers --format json -c /dev/null event f
offers "csv json table" domain list --format ""
offers "--service" why ada@example.org --s
offers "imap pop3 sieve smtp" why ada@example.org --service ""
offers "ldap local" mailbox source ada@example.org l
offers "--quota" domain add example.org --max-aliases 3 --q
offers "no" domain edit example.org --active n

# Whatever the table has, bash offers: each noun, each verb, each option.
grep -E '^  [a-z]' "$LAB/help" | while read -r noun verb rest; do
    case $verb in
    *"|"*) ;;
    [a-z]*) case " $(by_bash "$noun" "$verb") " in
        *" $verb "*) ;;
        *) echo "$noun $verb" ;;
        esac ;;
    esac
    for word in $rest; do
        case $word in
        \[--*)
            option=${word#[}
            option=${option%%]}
            case " $(by_bash "$noun" "$verb" "$option") " in
            *" $option "*) ;;
            *) case " $(by_bash "$noun" word "$option") " in
                *" $option "*) ;;
                *) echo "$noun $verb $option" ;;
                esac ;;
            esac
            ;;
        esac
    done
done >"$LAB/missing"
is "bash offers every verb and option of the table" "$(cat "$LAB/missing")" ""

# ---------------------------------------------------------------- installed --

(cd "$PROVOST_BUILD" && make -s install-completion DESTDIR="$LAB/root") >"$LAB/log/install.log" 2>&1
for script in share/bash-completion/completions/provostctl:bash share/zsh/site-functions/_provostctl:zsh; do
    installed=$(find "$LAB/root" -path "*/${script%%:*}")
    is "make installs what ${script##*:} looks for" "$(cat "$installed" 2>&1)" "$("$ctl" completion "${script##*:}")"
done
lab_done
