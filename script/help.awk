# The entries of corm.help from the documentation: awk -f script/help.awk docs/reference.md docs/reference/*.md
#
# The table "By task" of the first file says what functions are for.  On the pages, a section of three hashes is about what its indented
# lines sign; its first paragraph is the summary, its first example the example.  The output is initializers of C.

function literal(s,   i, c, r)
{
	r = ""
	for (i = 1; i <= length(s); i++)
	{
		c = substr(s, i, 1)
		if (c == "\\" || c == "\"")
			r = r "\\" c
		else if (c == "\n")
			r = r "\\n"
		else if (c != "\r")
			r = r c
	}
	# databases in any encoding can hold ASCII
	gsub("→", "->", r)
	gsub(/[^ -~]/, "", r)
	return "\"" r "\""
}

# A paragraph without the marks of links and code
function plain(s,   a, b, c)
{
	while (match(s, /\[[^]]*\]\([^)]*\)/))
	{
		a = substr(s, 1, RSTART - 1)
		b = substr(s, RSTART, RLENGTH)
		c = substr(s, RSTART + RLENGTH)
		sub(/\]\([^)]*\)$/, "", b)
		s = a substr(b, 2) c
	}
	gsub(/`/, "", s)
	return s
}

function finish(   i, name)
{
	for (i = 1; i <= nsignatures; i++)
	{
		name = signatures[i]
		sub(/^corm\./, "", name)
		sub(/[^a-z_0-9].*/, "", name)
		if (name != "")
			printf "\t{%s,\n\t\t%s,\n\t\t%s,\n\t\t%s,\n\t\t%s,\n\t%s,\n\t%s},\n", literal("corm." name), literal(signatures[i]), literal(section),
				literal(plain(summary)), literal(example), literal(tasks[name]), literal(plain(words))
	}
	nsignatures = 0
	summary = example = words = ""
	has_summary = in_example = has_example = 0
}

FNR == 1 { finish(); fenced = 0; first = (NR == 1); in_section = 0 }

/^```/ {
	if (!fenced)
	{
		fenced = 1
		in_example = in_section && $0 == "```sql" && !has_example
	}
	else
	{
		fenced = 0
		if (in_example)
			has_example = 1
		in_example = 0
	}
	next
}
fenced { if (in_example) example = example (example == "" ? "" : "\n") $0; next }

first && /^\| .* \| .*corm\./ {
	split($0, cells, "|")
	rest = cells[3]
	for (i = 4; i in cells && cells[i] != ""; i++)
		rest = rest cells[i]
	while (match(rest, /`corm\.[a-z_0-9]+/))
	{
		task = substr(rest, RSTART + 6, RLENGTH - 6)
		rest = substr(rest, RSTART + RLENGTH)
		tasks[task] = tasks[task] " " plain(cells[2])
	}
	next
}
first { next }

/^# / { page = substr($0, 3); section = page; next }
/^## / { finish(); in_section = 0; section = page ": " substr($0, 4); next }
/^### / { finish(); in_section = 1; next }
!in_section { next }
/^    corm\./ && !has_summary && summary == "" { signatures[++nsignatures] = substr($0, 5); next }
/^        / && nsignatures > 0 && summary == "" { gsub(/^ +/, ""); signatures[nsignatures] = signatures[nsignatures] " " $0; next }
/^$/ { if (summary != "") has_summary = 1; next }
!has_summary && !/^[-|]/ { summary = summary (summary == "" ? "" : " ") $0; words = words " " $0; next }
{ words = words " " $0 }

END { finish() }
