package wire

import "strings"

const (
	// MaxEncodings bounds the encodings that an answer may be sent in.
	MaxEncodings = 8

	// fullWeight is a weight of 1: weights have up to three decimals.
	fullWeight = 1000

	identity = "identity"
)

// weights returns the weight of each of an owner's encodings, 0 for those that are not to
// be used: the client does not accept them, or likes the body as it is more. Who does not
// say what it accepts gets the body as it is. It agrees with weight, and reads the header
// once.
func weights(accepted []string, own []Encoding) (list [MaxEncodings]int) {
	own = own[:min(len(own), MaxEncodings)]
	var named uint // a bit for each of the owner's
	plain, others := -1, 0
	for _, line := range accepted {
		for element := range strings.SplitSeq(line, ",") {
			name, w, ok := weighted(element)
			switch {
			case !ok:
				continue
			case name == "*":
				others = w
				continue
			case plain < 0 && sameCoding(name, identity):
				plain = w
				continue
			}
			for i := range own {
				if named>>i&1 == 0 && sameCoding(name, own[i].Name) {
					list[i], named = w, named|1<<i
				}
			}
		}
	}
	if plain < 0 {
		plain = others
	}
	for i := range own {
		if named>>i&1 == 0 {
			list[i] = others
		}
		if list[i] < plain {
			list[i] = 0
		}
	}
	return list
}

// best returns the index of the greatest weight, the first of equal ones, or -1 if all
// are 0.
func best(list *[MaxEncodings]int) int {
	index, most := -1, 0
	for i, w := range list {
		if w > most {
			index, most = i, w
		}
	}
	return index
}

// weight returns the weight of a coding in the lines of an Accept-Encoding, in
// thousandths. Not to name identity does not exclude it, but anything that is named comes
// before it: its weight is 0 then, too.
func weight(lines []string, coding string) int {
	others := 0
	for _, line := range lines {
		for element := range strings.SplitSeq(line, ",") {
			name, w, ok := weighted(element)
			switch {
			case !ok:
			case sameCoding(name, coding):
				return w
			case name == "*":
				others = w
			}
		}
	}
	return others
}

// acceptsEncoding reports whether an Accept-Encoding allows anything but the body as it
// is.
func acceptsEncoding(lines []string) bool {
	for _, line := range lines {
		for element := range strings.SplitSeq(line, ",") {
			if name, w, ok := weighted(element); ok && w > 0 && !strings.EqualFold(name, identity) {
				return true
			}
		}
	}
	return false
}

// weighted parses an element of an Accept-Encoding. It is not ok if it is malformed: such
// an element does not count.
func weighted(element string) (name string, w int, ok bool) {
	name, parameters, _ := strings.Cut(element, ";")
	name, w = trimSpace(name), fullWeight
	for parameters != "" {
		var one string
		one, parameters, _ = strings.Cut(parameters, ";")
		key, value, _ := strings.Cut(trimSpace(one), "=")
		if !strings.EqualFold(key, "q") {
			continue
		}
		if w, ok = parseWeight(value); !ok {
			return "", 0, false
		}
	}
	return name, w, name != ""
}

// parseWeight parses a weight: 0 or 1, with up to three decimals.
func parseWeight(s string) (w int, ok bool) {
	if s == "" || s[0] != '0' && s[0] != '1' || len(s) > len("0.000") {
		return 0, false
	}
	w = int(s[0]-'0') * fullWeight
	if len(s) == 1 {
		return w, true
	}
	if s[1] != '.' {
		return 0, false
	}
	for i, unit := 2, fullWeight/10; i < len(s); i, unit = i+1, unit/10 {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		w += int(s[i]-'0') * unit
	}
	return w, w <= fullWeight
}

// sameCoding reports whether a client's name is that of a coding. Some have an old name,
// too.
func sameCoding(client, coding string) bool {
	if client == coding {
		return true
	}
	if len(client) == len(coding) {
		return strings.EqualFold(client, coding)
	}
	return coding == "gzip" && strings.EqualFold(client, "x-gzip")
}
