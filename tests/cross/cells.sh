# Sourced by the scripts of the targets, after they have set `triple`: fills the target's row of the table, cell by cell.
#
# Each cell's output lies in target/cross/TRIPLE/COLUMN.log. CROSS_RESULTS names the file that receives the results. CELLS chooses columns, with
# commas between them, and all without it.
out=$PWD/target/cross/$triple
results=${CROSS_RESULTS:-$out/results}
mkdir -p "$out"

result() { # COLUMN RESULT
    printf '%s\t%s\t%s\n' "$triple" "$1" "$2" >>"$results"
    echo "$triple: $1: $2"
}

chosen() { # COLUMN
    case ",${CELLS:-$1}," in *",$1,"*) ;; *) return 1 ;; esac
}

# Runs a command, or a function under `set -e`. A failure shows the end of the log.
cell() { # COLUMN COMMAND...
    column=$1
    shift
    if ! chosen "$column"; then
        not_run "$column" "CELLS is $CELLS"
        return
    fi
    log=$out/$(echo "$column" | tr ' ' '-').log
    begun=$(date +%s)
    (set -eu && "$@") >"$log" 2>&1 &
    if wait $!; then
        result "$column" passed
    else
        result "$column" failed
        tail -n 30 "$log"
    fi
    grep '^not run: ' "$log" || true
    echo "$triple: $column took $(($(date +%s) - begun)) s"
}

not_run() { # COLUMN REASON
    result "$1" "not run: $2"
}

# A part of a cell that cannot run here. It is named in the output of the cell and of the script.
leaves_out() { # NAME REASON
    echo "not run: $1: $2"
}

# Whether a column has passed.
passed() { # COLUMN
    grep -qx "$(printf '%s\t%s\tpassed' "$triple" "$1")" "$results"
}
