package main

const (
	foldFile       = "cascade/fold.go"
	comparableFile = "cascade/comparable.go"
	cascadeValue   = "cascade/value.go"
	cascadeTags    = "cascade/tags.go"
	cascadeReads   = "cascade/reads.go"
	lintFile       = "cascade/lint.go"
)

// valuesRules are those by which one row, and one value, is one however it is spelled.
var valuesRules = []mutant{
	{
		name: "a tag named twice has the columns of the last one", file: "cascade/tag/tag.go",
		old: "last.Mask |= t.Mask", new: "last.Mask = t.Mask",
		test: "TestMerge",
	},
	{
		name: "letter case tells keys apart", file: foldFile,
		old: "			c += 'a' - 'A'\n", new: "",
		test: "TestSpellings|TestEqualValuesMeet",
	},
	{
		name: "zeros before a key tell it from others", file: foldFile,
		old: "				zero = true\n				continue\n", new: "				zero = false\n",
		test: "TestSpellings",
	},
	{
		name: "punctuation tells keys apart", file: foldFile,
		old: "		default:\n			continue\n", new: "		default:\n",
		test: "TestSpellings",
	},
	{
		name: "letters beyond ASCII are like any", file: foldFile,
		old: "		case c >= utf8.RuneSelf || c == 0:\n", new: "		case c >= utf8.RuneSelf:\n		case c == 0:\n",
		test: "TestOneRowHoweverSpelled", in: "gqlcache",
	},
	{
		name: "NUL is like nothing", file: foldFile,
		old: "c >= utf8.RuneSelf || c == 0", new: "c >= utf8.RuneSelf",
		test: "TestSpellings",
	},
	{
		name: "numbers are compared as text", file: foldFile,
		old: "	if !mayBeNumber(text) {", new: "	if true {",
		test: "TestOneRowHoweverSpelled", in: "gqlcache",
	},
	{
		name: "other bases are no numbers", file: foldFile,
		old: "number[i] == '0' && i+1 < len(number)", new: "false",
		test: "TestSpellings",
	},
	{
		name: "true is no number", file: foldFile,
		old: "		add(\"1\")\n", new: "",
		test: "TestSpellings",
	},
	{
		name: "fractions are compared in double precision", file: foldFile,
		old: "f = float64(float32(f))", new: "_ = f",
		test: "TestSpellings",
	},
	{
		name: "a value without a class is known", file: foldFile,
		old: "			if !ok {\n				return nil, false\n			}\n			others", new: "			_ = ok\n			others",
		test: "TestSpellings",
	},
	{
		name: "a value has one class", file: foldFile,
		old: "for _, o := range others[:n] {", new: "for _, o := range others[:0] {",
		test: "TestSpellings",
	},
	{
		name: "a row has one class", file: cascadeTags,
		old: "	return hashes, 1 + more\n", new: "	return hashes, 1\n",
		test: "TestSpellings",
	},
	{
		name: "a change of a row without a class reaches nobody", file: cascadeTags,
		old: "if n == 0 && !e.All {", new: "if false {",
		test: "TestSpellings",
	},
	{
		name: "a row without a class hears nothing", file: cascadeReads,
		old: "	if classes == 0 {", new: "	if false {",
		test: "TestSpellings",
	},
	{
		name: "null is not like nothing", file: cascadeTags,
		old: "h = append(h, 0) // null", new: "h = append(h, byte(v.kind)) // null",
		test: "TestSpellings",
	},
	{
		name: "spelled tenants are two", file: cascadeTags,
		old: "appendClass(append(buf[:0], 'p'), name)", new: "append(append(buf[:0], 'p'), name...), true",
		test: "TestSpelledPartitions",
	},
	{
		name: "searches take accents for letters", file: containsFile,
		old: "if r >= utf8.RuneSelf {", new: "if r < 0 && r >= utf8.RuneSelf {",
		test: "TestContainsCorners",
	},
	{
		name: "a returned row is not heard", file: outcomeFile,
		old: "			w.returned(&rw.writes[j])\n", new: "			_ = j\n",
		test: "TestSpellings",
	},
	{
		name: "a returned row in a payload is not heard", file: outcomeFile,
		old: "objects = slices.Concat(objects, w.inside)", new: "_ = w.inside",
		test: "TestSpellings",
	},
	{
		name: "what is set hides what is shown", file: outcomeFile,
		old: "				vals = slices.Concat(given, vals)\n", new: "				vals = given\n",
		test: "TestSpellings",
	},
	{
		name: "what is shown hides what is set", file: outcomeFile,
		old: "				vals = slices.Concat(given, vals)\n", new: "",
		test: "TestSpellings",
	},
	{
		name: "a report of rows drops those spelled otherwise", file: reportAllFile,
		old: "return mayBeSame(row, k)", new: "return row == k",
		test: "TestReportsOfSpelledRows",
	},
	{
		name: "a report is about a row spelled otherwise", file: reportFile,
		old: "		at := slices.Index(e.Rows, key)\n", new: "		at := slices.IndexFunc(e.Rows, func(k string) bool { return mayBeSame(k, key) })\n",
		test: "TestReportsOfSpelledRows",
	},
	{
		name: "unchanged counts for a row that moved under another spelling", file: reportFile,
		old: "return r.contradicts(row)", new: "return false && r.contradicts(row)",
		test: "TestReportsOfSpelledRows",
	},
	{
		name: "letter case of a UUID is no change", file: cascadeValue,
		old: "		v.exact = s\n", new: "",
		test: "TestReportsOfSpelledRows",
	},
	{
		name: "Go's names of an enum's values are taken for the schema's", file: comparableFile,
		old: "val.kind != valueText || def == nil", new: "true || val.kind != valueText || def == nil",
		test: "TestReportsOfSpelledRows",
	},
	{
		name: "arguments with directives are known", file: comparableFile,
		old: "	if by := r.changing(arg.Directives); by != \"\" {", new: "	if by := r.changing(arg.Directives); false {",
		test: "TestChangedValues",
	},
	{
		name: "arguments with directives are known, in a server", file: comparableFile,
		old: "		if !r.passive[d.Name] {", new: "		if false {",
		test: "TestOneRowHoweverSpelled", in: "gqlcache",
	},
	{
		name: "input fields with directives are known", file: comparableFile,
		old: "return r.changing(input.Directives, f.Directives)", new: "return r.changing(input.Directives)",
		test: "TestChangedValues",
	},
	{
		name: "input objects with directives are known", file: comparableFile,
		old: "		return r.changing(def.Directives)\n", new: "		return \"\"\n",
		test: "TestChangedValues",
	},
	{
		name: "input fields with resolvers are known", file: comparableFile,
		old: "a != nil && a.Value != nil && a.Value.Raw == \"true\"", new: "a != nil && a.Value == nil",
		test: "TestChangedValues",
	},
	{
		name: "scalars of the schema's own are compared", file: comparableFile,
		old: "def.Kind != ast.Scalar || ", new: "def.Kind != ast.Scalar || true || ",
		test: "TestChangedValues",
	},
	{
		name: "keys that a directive changes have spellings", file: comparableFile,
		old: "			why := rules.changing(def.Directives, f.Directives)\n", new: "			why := \"\"\n",
		test: "TestChangedValues",
	},
	{
		name: "a scalar of the schema's own tells what is derived", file: "cascade/compile_graph.go",
		old: "			e.key = \"\" // the value tells no row: any may follow\n", new: "",
		test: "TestChangedValues",
	},
	{
		name: "a column without values does not matter", file: "cascade/compile_reads.go",
		old: "c.mask(v, using) | vague", new: "c.mask(v, using) | vague&0",
		test: "TestChangedValues",
	},
	{
		name: "the inferred row is what the argument says", file: "cascade/compile_reads.go",
		old: ", unknown: unknown},", new: "},",
		test: "TestChangedValues",
	},
	{
		name: "lint names the row that is copied", file: lintFile,
		old: `; if it only creates the rows that it returns, say op: \"CREATE\", and not that row`, new: "",
		test: "TestLintDoesNotNameTheRowThatIsCopied",
	},
}
