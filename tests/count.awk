# SPDX-License-Identifier: BSD-2-Clause
# One program's TAP: a line for people, with its failures and skips, on stdout; "passed failed
# skipped" appended to `results`, "outcome place test" to `outcomes`. Set by -v: label, place,
# log_file, status (exit code), results, outcomes, times, ci ("true": what is not installed is a failure).
#
# A plan that was not kept, an exit code that no test explains and a program that says nothing are
# failures; a plan of none is kept (no test has the words asked for). cmocka's dialect: "not ok 2 #
# SKIP name", and its words after the line; our harness explains before it.

function say(text) { lines = lines text "\n" }

function outcome(word, name) { print word, place, name >>outcomes }

function how_it_ended() {
	return status == 124 || status == 137 ? "killed at its time limit" : "exit code " status
}

function say_notes(   n, i, part) {
	n = split(notes, part, "\n") - 1
	for (i = n > 12 ? n - 11 : 1; i <= n; i++)
		say("       " part[i])
}

/^[0-9]+\.\.[0-9]+/ {
	split($1, plan, /\.\./)
	planned += plan[2]
	seen_plan = 1
	next
}

/^(not )?ok( |$)/ {
	name = $0
	sub(/^(not )?ok *[0-9]* *(- *)?/, "", name)
	explaining = 0
	if (match(name, /# *[Ss][Kk][Ii][Pp] */)) {
		reason = substr(name, RSTART + RLENGTH)
		name = substr(name, 1, RSTART - 1)
		sub(/ *$/, "", name)
		if (ci == "true" && reason ~ /(is|are) not installed/) {
			failed++
			say("     FAIL " name (name == "" ? "" : ": ") reason ", and CI is set")
			outcome("fail", name)
			notes = ""
			next
		}
		skipped++
		say("     skip " name (name == "" ? "" : ": ") reason)
		outcome("skip", name == "" ? reason : name)
	} else if ($1 == "ok") {
		passed++
		outcome("pass", name)
	} else {
		failed++
		say("     FAIL " name)
		if (notes == "")
			unexplained = 1
		say_notes()
		outcome("fail", name)
		explaining = notes == "" ? 12 : 1
	}
	notes = ""
	next
}

# It failed, and is run again: what it said is told, whatever comes of it.
/^# AGAIN / {
	name = $3
	sub(/:$/, "", name)
	say("     once " name " failed, and was run again")
	say_notes()
	outcome("again", name)
	notes = ""
	next
}

# How long it took, both times if it was run again: in milliseconds.
/^# took / {
	print $3, place, $5 >>times
	next
}

/^#/ {
	unexplained = unexplained && explaining <= 0
	if (explaining-- > 0)
		say("       " $0)
	else
		notes = notes $0 "\n"
	next
}

{ other[++others] = $0 }

END {
	missing = planned - passed - failed - skipped
	if (missing > 0) {
		failed += missing
		say("     FAIL " missing " of " planned " did not run: " how_it_ended())
		show = 1
	} else if (status == 77 && passed + failed + skipped == 0) {
		skipped++
		say("     skip " other[others])
	} else if (status != 0 && !failed) {
		failed++
		say("     FAIL " how_it_ended() ", which no test explains")
		show = 1
	} else if (!seen_plan && passed + failed + skipped == 0) {
		failed++
		say("     FAIL it ran no tests")
		show = 1
	}
	for (i = others > 25 ? others - 24 : 1; (show || unexplained) && i <= others; i++)
		say("       " other[i])
	printf "%-4s %s: %d passed", failed ? "FAIL" : "ok", label, passed
	if (failed)
		printf ", %d failed", failed
	if (skipped)
		printf ", %d skipped", skipped
	printf "%s\n%s", failed ? " (" log_file ")" : "", lines
	print passed + 0, failed + 0, skipped + 0, label >>results
}
