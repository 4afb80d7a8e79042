# Sourced: the first program of a page in one language.
program() { # PAGE LANGUAGE
    awk -v start="^\`\`\`$2\$" '/^```$/ && inside { exit } inside { print } $0 ~ start { inside = 1 }' "$1"
}
