package main

// compatRules break what servers as people build them have shown.
var compatRules = []mutant{
	{
		name: "a held writer hides the method that sends the header",
		file: "gqlcache/internal/wire/writer.go", in: "gqlcache",
		old:  "			now.WriteHeaderNow()\n",
		new:  "			_ = now\n",
		test: "TestHeldHeaderIsSent",
	},
}
