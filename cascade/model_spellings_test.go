package cascade_test

import (
	"strings"
)

// Clients of a lenient model spell the arguments of both sides, of reads and of
// mutations, in ways that its server and its database do not tell apart. Its resolvers
// get what is meant.

// spell returns an argument in another spelling. A search takes letter case, accents and
// space around its term.
func (m *model) spell(v any, search bool) any {
	switch v := v.(type) {
	case string:
		return m.spellText(v, search)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = m.spell(e, search)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			out[k] = m.spell(e, search)
		}
		return out
	}
	return v
}

func (m *model) spellText(text string, search bool) string {
	if !m.lenient || text == "" || !m.chance(60, "spelled") {
		return text
	}
	s := text
	forms := []func(string) string{
		strings.ToUpper, strings.ToLower,
		func(s string) string { return s + " " },
		func(s string) string {
			return strings.NewReplacer("e", "é", "x", "ｘ", "1", "１", "2", "٢").Replace(s)
		},
		func(s string) string { return s[:1] + "-" + s[1:] },
		func(s string) string { return "0" + s },
		func(s string) string { return "+" + s },
		func(s string) string { return "{" + s + "}" },
		func(s string) string {
			if isNumber := strings.Trim(s, "0123456789") == ""; isNumber {
				return s + ".0"
			}
			return s
		},
	}
	if search {
		forms = forms[:4]
	}
	for range 1 + m.pick(2, "changes") {
		if s[0] < 0x80 { // the forms cut bytes
			s = forms[m.pick(len(forms), "form")](s)
		}
	}
	if known, ok := m.means[s]; ok && known != text {
		return text // another value has this spelling already
	}
	m.means[s], m.means[text] = text, text
	return s
}

// meant returns what is meant by arguments.
func (m *model) meant(v any) any {
	switch v := v.(type) {
	case string:
		if text, ok := m.means[v]; ok {
			return text
		}
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = m.meant(e)
		}
		return out
	case []string: // a single value in the place of a list
		out := make([]string, len(v))
		for i, e := range v {
			out[i] = m.meant(e).(string)
		}
		return out
	case map[string]any:
		if v == nil {
			return v
		}
		out := map[string]any{}
		for k, e := range v {
			out[k] = m.meant(e)
		}
		return out
	}
	return v
}
