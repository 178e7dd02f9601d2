# Reads CTest's JUnit report: a line for every test that failed or was skipped (with the first line of its output that gives
# a reason), then "counts PASSED FAILED SKIPPED".
function unescape(s) {
    gsub(/&lt;/, "<", s); gsub(/&gt;/, ">", s); gsub(/&quot;/, "\"", s); gsub(/&apos;/, "'", s); gsub(/&amp;/, "\\&", s)
    return s
}
function finish() {
    if (name == "") return
    if (status == "run") passed++
    else if (skip) { skipped++; print "skipped: " name (reason == "" ? "" : ": " unescape(reason)) }
    else { failed++; print "FAILED: " name }
    name = ""
}
/<testcase / {
    finish()
    match($0, /name="[^"]*"/); name = substr($0, RSTART + 6, RLENGTH - 7)
    match($0, /status="[^"]*"/); status = substr($0, RSTART + 8, RLENGTH - 9)
    skip = 0; reason = ""; inside = 0
}
/<skipped message="SKIP_/ { skip = 1 } # and not a program that is missing
/<system-out>/ { inside = 1; sub(/.*<system-out>/, "") }
inside && reason == "" && /[^ \t]/ && !/<\/system-out>/ { reason = $0 }
inside && reason == "" && /[^ \t].*<\/system-out>/ { reason = $0; sub(/<\/system-out>.*/, "", reason) }
/<\/system-out>/ { inside = 0 }
END { finish(); printf "counts %d %d %d\n", passed, failed, skipped }
