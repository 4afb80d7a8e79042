# Sourced by test scripts: counts checks. `log` names the file for what a command prints; a command's output is shown if it fails.
passed=0 failed=0
log=${log:-log}

check() { # WHAT COMMAND...
    what=$1
    shift
    if "$@" >"$log" 2>&1; then
        passed=$((passed + 1))
        echo "ok: $what"
    else
        failed=$((failed + 1))
        echo "not ok: $what"
        cat "$log"
    fi
}
