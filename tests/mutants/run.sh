#!/bin/sh
# Breaks one line of the library at a time and expects a suite or a model to notice each.
# Arguments: the source folder; the plan that CMake has written, with objects and commands; a list of
# mutants; optional: how many of them to try, others at each commit. A mutant is a line with " | " in
# between:
#     noticed by | file | function | what to find in it | what to put there | seconds
# What notices is a suite, one case of a suite (suite/case), or a model (model:name). The last
# field is for those that are noticed because nothing ends; a minute if it is left out.
set -u
source=$1
plan=$2
list=$3
sample=${4:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. "$plan"
separator=$(printf '\037')

mutants() {
    sed -e '/^#/d' -e '/^ *$/d' -e "s/ | /$separator/g" "$list"
}

# The same ones as long as the commit is the same; where there is none, as long as it is day.
chosen() {
    seed=$(git -C "$source" rev-parse HEAD 2>/dev/null || date +%j)
    mutants | while read -r line; do
        printf '%s%s%s\n' "$(printf '%s\n' "$seed $line" | cksum | cut -d' ' -f1)" "$separator" "$line"
    done | sort -n | head -n "$sample" | cut -d"$separator" -f2-
}

# Replace in one function: from its first line to the closing brace in column one.
mutate() { # in out function find put
    NAME="$3(" FIND=$4 PUT=$5 awk '
        index($0, ENVIRON["NAME"]) && /^[a-z].*[^;]$/ { inside = 1 }
        inside && !done { at = index($0, ENVIRON["FIND"])
            if (at) {
                $0 = substr($0, 1, at - 1) ENVIRON["PUT"] substr($0, at + length(ENVIRON["FIND"]))
                done = 1
            } }
        /^}/ { inside = 0 }
        { print }
        END { exit !done }' "$1" >"$2"
}

# Link what notices from its objects, with `mutant` instead of the one of that file; none: as it is.
build() { # folder who file mutant
    name=${2#model:}
    name=${name%%/*}
    folder=$1
    mutant=$4
    if [ "$name" = "${2%%/*}" ]; then
        eval "objects=\$suite_$name"
        # The library is an archive: what the mutant defines is not taken from there.
        # shellcheck disable=SC2086
        $link_suite $mutant $objects $libraries -o "$folder/program"
    else
        eval "objects=\$model_$name"
        others=""
        for object in $objects; do
            case $mutant:$object in :* | *:*/"$3".o) ;; *) others="$others $object" ;; esac
            [ -n "$mutant" ] || others="$others $object"
        done
        # shellcheck disable=SC2086
        $link_model $mutant $others -o "$folder/program"
    fi
}

run() { # folder who seconds
    case $2 in
    */*) export CK_RUN_CASE="${2#*/}" ;;
    *) unset CK_RUN_CASE ;;
    esac
    (cd "$1" && timeout "$3" ./program >output 2>&1)
}

try() { # folder who file function find put seconds
    path=$(ls "$source"/runtime/*/"$3" "$source"/api/*/"$3" 2>/dev/null)
    mutate "$path" "$1/$3" "$4" "$5" "$6" 2>/dev/null || { echo "no such place"; return; }
    case $2 in model:*) compile=$compile_model ;; *) compile=$compile_suite ;; esac
    # shellcheck disable=SC2086
    $compile -c "$1/$3" -o "$1/mutant.o" 2>/dev/null && build "$1" "$2" "$3" "$1/mutant.o" 2>/dev/null ||
        { echo "does not compile"; return; }
    run "$1" "$2" "${7:-60}" && echo "survived"
}

# One line for each that is not killed.
try_all() { # folder, lines on standard input
    mkdir -p "$1"
    while IFS="$separator" read -r who file function find put seconds; do
        verdict=$(try "$1" "$who" "$file" "$function" "$find" "$put" "${seconds:-}")
        [ -z "$verdict" ] || printf '%s\n' "$verdict: $file $function: $find -> $put ($who)"
    done
}

# Those that are not tried today must have their places, too.
find_all() { # folder, lines on standard input
    mkdir -p "$1"
    while IFS="$separator" read -r who file function find put seconds; do
        path=$(ls "$source"/runtime/*/"$file" "$source"/api/*/"$file" 2>/dev/null)
        mutate "$path" "$1/found" "$function" "$find" "$put" 2>/dev/null ||
            printf '%s\n' "no such place: $file $function: $find ($who)"
    done
}

# Without a mutant all must be well, or nothing was shown.
check_all() { # folder; the list on standard input
    mkdir -p "$1"
    while read -r who; do
        build "$1" "$who" "" "" && run "$1" "$who" 300 || echo "fails without a mutant: $who"
    done
}

in_parallel() { # function file
    jobs=$(nproc)
    for job in $(seq "$jobs"); do
        awk -v jobs="$jobs" -v job="$job" 'NR % jobs == job - 1' "$2" |
            "$1" "$work/$job" >"$work/$job.report" &
    done
    wait
    cat "$work"/*.report
}

if [ -n "$sample" ]; then chosen; else mutants; fi >"$work/mutants"
cut -d"$separator" -f1 "$work/mutants" | sort -u >"$work/checks"
mutants >"$work/all"
in_parallel find_all "$work/all" >"$work/bad"
in_parallel check_all "$work/checks" >>"$work/bad"
in_parallel try_all "$work/mutants" >>"$work/bad"
cat "$work/bad"
echo "$(wc -l <"$work/mutants") mutants, $(wc -l <"$work/bad") complaints"
[ -s "$work/mutants" ] && [ ! -s "$work/bad" ]
