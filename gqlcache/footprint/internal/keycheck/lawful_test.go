package keycheck

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"testing"
	"time"
)

const (
	users    = "SELECT id, name FROM users WHERE id = $1"
	posts    = "SELECT id, author_id FROM posts WHERE status = $1"
	comments = "SELECT id, author_id FROM comments WHERE post_id = $1"
)

// TestLawful has keys that have everything: no answer is refused, and from the third
// caller on all are shared.
func TestLawful(t *testing.T) {
	zone := time.Local
	defer func() { time.Local = zone }()
	time.Local = time.FixedZone("Kathmandu", 5*3600+45*60)
	user := func(i int) string { return fmt.Sprintf("u%d", i) }
	day := func(i int) time.Time { return noon.AddDate(0, 0, -i).Add(123456 * time.Microsecond) }
	for name, of := range map[string]func(i int) fill{
		"an ORM binds a constant": func(i int) fill { return by(i, nil, arg(posts, "PUBLISHED")) },
		"two constants of one text": func(i int) fill {
			return by(i, nil, arg(posts, "PUBLISHED"), arg(posts, "DRAFT"))
		},
		"a constant of bytes": func(i int) fill { return by(i, nil, arg(posts, []byte("x"))) },
		"a variable":          func(i int) fill { return by(i, vars{"id": user(i)}, arg(users, user(i))) },
		"a number written as text": func(i int) fill {
			return by(i, vars{"id": fmt.Sprint(i)}, arg(users, int64(i)))
		},
		"a number with zeros": func(i int) fill {
			return by(i, vars{"id": fmt.Sprintf("+00%d", i)}, arg(users, int64(i)))
		},
		"a negative number": func(i int) fill {
			return by(i, vars{"id": fmt.Sprintf("-00%d", i+3)}, arg(users, int64(-i-3)))
		},
		"a float that is whole": func(i int) fill { return by(i, vars{"n": float64(i + 3)}, arg(users, int64(i+3))) },
		"a decimal": func(i int) fill {
			return by(i, vars{"n": float64(i) + .25}, arg(users, fmt.Sprintf("%d.2500", i)))
		},
		"a nested input": func(i int) fill {
			return by(i, vars{"in": vars{"by": vars{"id": user(i)}}}, arg(users, user(i)))
		},
		"a list, IN":      func(i int) fill { return listOf(i, "IN") },
		"a list, ANY":     func(i int) fill { return listOf(i, "ANY") },
		"a list, json":    func(i int) fill { return listOf(i, "json") },
		"a list, pq":      func(i int) fill { return listOf(i, "pq") },
		"a list, []int64": func(i int) fill { return listOf(i, "ints") },
		"a Relay id": func(i int) fill {
			return by(i, vars{"id": encoded("User:" + user(i))}, arg(users, user(i)))
		},
		"a Relay id without padding": func(i int) fill {
			return by(i, vars{"id": base64.RawURLEncoding.EncodeToString([]byte("User:" + user(i)))}, arg(users, user(i)))
		},
		"a Relay id that is stored": func(i int) fill {
			return by(i, vars{"id": user(i)}, arg(users, encoded("User:"+user(i))))
		},
		"Type:id": func(i int) fill { return by(i, vars{"id": "User:" + user(i)}, arg(users, user(i))) },
		"a cursor": func(i int) fill {
			c := encoded(fmt.Sprintf("%s,%s", day(i).Format(time.RFC3339Nano), user(i)))
			return by(i, vars{"after": c}, argAt("", posts, 1, day(i)), argAt("", posts, 2, user(i)))
		},
		"a cursor in JSON": func(i int) fill {
			c := encoded(fmt.Sprintf(`{"at":%q,"id":%d}`, day(i).Format(time.RFC3339Nano), 100+i))
			return by(i, vars{"after": c}, argAt("", posts, 1, day(i)), argAt("", posts, 2, int64(100+i)))
		},
		"a cursor that counts": func(i int) fill {
			return by(i, vars{"after": encoded(fmt.Sprintf("cursor:%d", 10*i))}, arg(posts, int64(10*i+1)))
		},
		"a cursor of ent": func(i int) fill {
			at := day(i).In(time.FixedZone("", -3600))
			packed := "\x82\xa1i\xcf" + string(binary.BigEndian.AppendUint64(nil, 1<<40+uint64(i))) + "\xa1v\xd7\xff" +
				string(binary.BigEndian.AppendUint64(nil, uint64(at.Nanosecond())<<34|uint64(at.Unix())))
			return by(i, vars{"after": base64.RawStdEncoding.EncodeToString([]byte(packed))}, argAt("", posts, 1, at), argAt("", posts, 2, 1<<40+int64(i)))
		},
		"a cursor of ent with a UUID": func(i int) fill {
			id := append(bytes.Repeat([]byte{0xa0}, 15), byte(i))
			packed := "\x82\xa1i\xc4\x10" + string(id) + "\xa1v\xa5title"
			return by(i, vars{"after": base64.RawStdEncoding.EncodeToString([]byte(packed))}, argAt("", posts, 1, id), argAt("", posts, 2, "title"))
		},
		"bytes in base64": func(i int) fill {
			return by(i, vars{"id": base64.RawURLEncoding.EncodeToString([]byte{0xff, 0xfe, byte(i)})}, arg(users, []byte{0xff, 0xfe, byte(i)}))
		},
		"a large number in JSON": func(i int) fill {
			return by(i, vars{"after": encoded(fmt.Sprintf(`{"id":%d}`, 1<<62+1+int64(i)))}, arg(posts, 1<<62+1+int64(i)))
		},
		"a time as a number": func(i int) fill {
			return by(i, vars{"since": day(i).UnixMilli()}, arg(posts, time.UnixMilli(day(i).UnixMilli())))
		},
		"a time as a number, in a cursor": func(i int) fill {
			return by(i, vars{"after": encoded(fmt.Sprintf("%d:u%d", day(i).UnixNano(), i))}, arg(posts, day(i)))
		},
		"a number as a time": func(i int) fill {
			return by(i, vars{"since": day(i).Format(time.RFC3339Nano)}, arg(posts, day(i).Unix()))
		},
		"a day to its end": func(i int) fill {
			d := noon.AddDate(0, -1, -i).Truncate(24 * time.Hour)
			return by(i, vars{"on": d.Format(time.DateOnly)}, argAt("", posts, 1, d), argAt("", posts, 2, d.AddDate(0, 0, 1)))
		},
		"a day to its last second": func(i int) fill {
			d := noon.AddDate(0, -1, -i).Truncate(24 * time.Hour)
			return by(i, vars{"on": d.Format(time.DateOnly)}, arg(posts, d.AddDate(0, 0, 1).Add(-time.Second)))
		},
		"the beginning of a day": func(i int) fill {
			at := noon.AddDate(0, -1, -i).Add(time.Duration(i) * time.Second)
			return by(i, vars{"at": at.Format(time.RFC3339)}, arg(posts, at.Truncate(24*time.Hour)))
		},
		"a day in the zone of the process": func(i int) fill {
			d := noon.AddDate(0, -1, -i).Truncate(24 * time.Hour)
			at := time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, time.Local)
			return by(i, vars{"on": d.Format(time.DateOnly)}, argAt("", posts, 1, at), argAt("", posts, 2, at.AddDate(0, 0, 1).Add(-1)))
		},
		"a day as numbers": func(i int) fill {
			d := noon.AddDate(0, -1, -i).Truncate(24 * time.Hour)
			at := time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, time.Local)
			return by(i, vars{"on": d.Format(time.DateOnly)}, argAt("", posts, 1, at.Unix()), argAt("", posts, 2, at.AddDate(0, 0, 1).UnixMilli()))
		},
		"a price in cents that loses one": func(i int) fill {
			max := float64(i) + .29
			return by(i, vars{"max": max}, arg(posts, int64(max*100)))
		},
		"a price in cents": func(i int) fill {
			return by(i, vars{"max": float64(i) + .99}, arg(posts, int64(100*i+99)))
		},
		"a price of cents": func(i int) fill {
			return by(i, vars{"max": int64(100*i + 99)}, arg(posts, float64(i)+.99))
		},
		"a decimal of cents": func(i int) fill {
			return by(i, vars{"max": int64(100*i + 99)}, arg(posts, fmt.Sprintf("%d.99", i)))
		},
		"a duration in hours": func(i int) fill { return by(i, vars{"hours": int64(i + 1)}, arg(posts, int64(3600*(i+1)))) },
		"a number with separators": func(i int) fill {
			return by(i, vars{"phone": fmt.Sprintf("+49 (170) 12-%03d", i)}, arg(users, fmt.Sprintf("4917012%03d", i)))
		},
		"a digest": func(i int) fill {
			return by(i, vars{"token": user(i)}, arg(users, fmt.Sprintf("%x", sha256.Sum256([]byte(user(i))))))
		},
		"a digest in bytes": func(i int) fill {
			sum := sha256.Sum256([]byte(user(i)))
			return by(i, vars{"token": user(i)}, arg(users, sum[:]))
		},
		"a digest in base64": func(i int) fill {
			sum := sha1.Sum([]byte(user(i)))
			return by(i, vars{"token": user(i)}, arg(users, base64.StdEncoding.EncodeToString(sum[:])))
		},
		"a digest of MD5": func(i int) fill {
			return by(i, vars{"mail": user(i)}, arg(users, fmt.Sprintf("%X", md5.Sum([]byte(user(i))))))
		},
		"a limit and one more": func(i int) fill {
			return by(i, vars{"first": int64(i + 5)}, arg(posts, int64(i+6)))
		},
		"an offset": func(i int) fill {
			return by(i, vars{"page": int64(i), "size": int64(7 + i)}, arg(posts, int64((i-1)*(7+i))))
		},
		"a limit with a default": func(i int) fill {
			if i%2 == 0 {
				return by(i, nil, arg(posts, int64(21)))
			}
			return by(i, vars{"first": int64(i + 5)}, arg(posts, int64(i+6)))
		},
		"LIKE": func(i int) fill {
			return by(i, vars{"term": "go" + user(i)}, arg(posts, "%go"+user(i)+"%"))
		},
		"LIKE, escaped": func(i int) fill {
			return by(i, vars{"term": "100%" + user(i)}, arg(posts, `%100\%`+user(i)+"%"))
		},
		"full text search": func(i int) fill {
			return by(i, vars{"term": "go lang " + user(i)}, arg(posts, "go & lang & "+user(i)+":*"))
		},
		"mail, lower case and trimmed": func(i int) fill {
			return by(i, vars{"mail": fmt.Sprintf(" Ann%d@Example.COM ", i)}, arg(users, fmt.Sprintf("ann%d@example.com", i)))
		},
		"a UUID in other forms": func(i int) fill {
			id := fmt.Sprintf("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD38%04x", i)
			raw := []byte{0xa0, 0xee, 0xbc, 0x99, 0x9c, 0x0b, 0x4e, 0xf8, 0xbb, 0x6d, 0x6b, 0xb9, 0xbd, 0x38, 0, byte(i)}
			return by(i, vars{"id": id}, argAt("", users, 1, raw), argAt("", users, 2, [16]byte(raw)))
		},
		"a time": func(i int) fill {
			return by(i, vars{"since": day(i).Format(time.RFC3339Nano)}, arg(posts, day(i).In(time.FixedZone("", 7200))))
		},
		"a time as SQLite's text": func(i int) fill {
			return by(i, vars{"since": day(i).Format(time.RFC3339Nano)}, arg(posts, day(i).Format("2006-01-02 15:04:05.999999999-07:00")))
		},
		"a truth value as a number": func(i int) fill {
			return by(i, vars{"draft": i%2 == 0}, arg(posts, int64((i+1)%2)))
		},
		"an optional filter": func(i int) fill {
			if i%2 == 0 {
				return by(i, vars{"by": nil}, arg(posts, nil))
			}
			return by(i, vars{"by": user(i)}, arg(posts, user(i)))
		},
		"an enum with values of its own": func(i int) fill {
			return by(i, vars{"status": []string{"DRAFT", "PUBLISHED"}[i/2%2]}, arg(posts, int64(10+i/2%2*7)))
		},
		"the predicate": func(i int) fill {
			return by(i, nil, arg(users, user(i))).under("tenant:t" + user(i%2) + "|user:" + user(i))
		},
		"the predicate, JSON": func(i int) fill {
			return by(i, nil, arg(users, int64(7000+i))).under(fmt.Sprintf(`{"roles":["a"],"sub":%d}`, 7000+i))
		},
		"the predicate or a variable": func(i int) fill {
			if i%3 == 0 {
				return by(i, vars{"by": user(50 + i)}, arg(users, user(50+i))).under("user:" + user(i))
			}
			return by(i, nil, arg(users, user(i))).under("user:" + user(i))
		},
		"Vary": func(i int) fill {
			f := by(i, nil, arg(posts, "l"+user(i)))
			f.key.Vary = []string{"gzip", "l" + user(i) + ";q=0.9"}
			return f
		},
		"a web token in Vary": func(i int) fill {
			f := by(i, nil, arg(users, user(i)))
			claims := base64.RawURLEncoding.EncodeToString([]byte(fmt.Sprintf(`{"sub":%q}`, user(i))))
			f.key.Vary = []string{"Bearer eyJhbGciOiJub25lIn0." + claims + ".c2ln"}
			return f
		},
		"literals of the document": func(i int) fill {
			f := by(i, nil, arg(users, user(i)))
			f.key.Literals = []any{"x", user(i)}
			return f
		},
		"a row": func(i int) fill {
			return by(i, nil, arg(posts, "PUBLISHED"), row(posts, int64(i), user(i)), arg(users, user(i)))
		},
		"rows, one statement each": func(i int) fill {
			f := by(i, nil, arg(posts, "PUBLISHED"))
			for j := range 20 {
				f.events = append(f.events, row(posts, int64(j), user(i*100+j)), arg(users, user(i*100+j)))
			}
			return f
		},
		"one more row than is used": func(i int) fill {
			f := by(i, vars{"first": int64(5)}, arg(posts, int64(6)))
			for j := range 6 {
				f.events = append(f.events, row(posts, int64(j), user(i*100+j)))
			}
			for j := range 5 {
				f.events = append(f.events, arg(users, user(i*100+j)))
			}
			return f
		},
		"a loader for two fields": func(i int) fill {
			f := by(i, nil, arg(posts, "PUBLISHED"))
			var ids []any
			for j := range 4 {
				f.events = append(f.events, row(posts, int64(j), user(i*100+j)), row(comments, int64(j), user(i*100+50+j)))
				ids = append(ids, user(i*100+j))
				if i%3 > 0 {
					ids = append(ids, user(i*100+50+j))
				}
			}
			f.events = append(f.events, arg(users, ids))
			return f
		},
		"one lookup for three fields": func(i int) fill {
			return by(i, vars{"id": user(i)}, arg(users, user(i)), row(posts, int64(1), user(i+20)), arg(users, user(i+20)),
				row(comments, int64(1), user(i+40)), arg(users, user(i+40)))
		},
		"a key of two parts": func(i int) fill {
			return by(i, vars{"org": "acme" + user(i)}, row(posts, "widgets"+user(i)), arg(users, "acme"+user(i)+"/widgets"+user(i)))
		},
		"an array of a row": func(i int) fill {
			return by(i, nil, row(posts, fmt.Sprintf("{%d,%d}", 10*i, 10*i+1)), arg(users, []int64{int64(10 * i), int64(10*i + 1)}))
		},
		"JSON of a row": func(i int) fill {
			return by(i, nil, row(posts, []byte(fmt.Sprintf(`{"by": %q, "n": 1}`, user(i)))), arg(users, user(i)))
		},
		"a list or a variable": func(i int) fill {
			v := vars{"ids": []any{"a", user(i)}}
			if i%3 == 0 {
				v["by"] = user(50 + i)
				return by(i, v, arg(users, user(50+i)))
			}
			return by(i, v, arg(users, user(i)))
		},
		"a digest with Known": func(i int) fill {
			sum := fmt.Sprintf("%x", sha256.Sum256([]byte("pepper"+user(i))))
			f := by(i, vars{"token": user(i)}, arg(users, sum))
			f.key.Known = []any{sum}
			return f
		},
		"the time with Known": func(i int) fill {
			f := by(i, nil, arg(posts, noon.Add(time.Duration(i))))
			f.key.Known = []any{noon}
			return f
		},
		"a constant setting": func(i int) fill {
			return by(i, nil, setting("statement_timeout", "5s"), setting("search_path", "app, public"))
		},
		"a setting from the predicate": func(i int) fill {
			return by(i, nil, setting("app.tenant", "t"+user(i))).under("t" + user(i))
		},
		"literals in the text": func(i int) fill { return by(i, nil, literal("SELECT 'PUBLISHED'")) },
		"a valuer":             func(i int) fill { return by(i, vars{"id": user(i)}, arg(users, valuer(user(i)))) },
		"a stringer":           func(i int) fill { return by(i, vars{"id": user(i)}, arg(users, stringer{user(i)})) },
		"a document": func(i int) fill {
			return by(i, vars{"id": user(i)}, arg(users, fmt.Sprintf(`{"kind":"user","id":%q}`, user(i))))
		},
		"no arguments": func(i int) fill { return by(i, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			c := newChecker(Options{})
			for i := 1; i <= 12; i++ {
				v := of(i).run(c)
				if g := grade(v); g == refused || i > 6 && g != shared {
					t.Errorf("computation %d is %s: %+v", i, g, v)
				}
			}
		})
	}
}

type valuer string

func (v valuer) Value() (driver.Value, error) { return string(v), nil }

type stringer struct{ s string }

func (s stringer) String() string { return s.s }

// listOf is a computation with a list as argument.
func listOf(i int, form string) fill {
	a, b, c := int64(10*i), int64(10*i+1), int64(10*i+2)
	f := by(i, vars{"ids": []any{a, b, fmt.Sprint(c)}})
	add := func(v any) { f.events = append(f.events, arg(users, v)) }
	switch form {
	case "IN":
		add(a)
		add(b)
		add(c)
	case "ANY":
		add([]any{a, b, c})
	case "json":
		add(fmt.Sprintf("[%d, %d, %d]", a, b, c))
	case "pq":
		add(fmt.Sprintf(`{%d,"%d",%d}`, a, b, c))
	case "ints":
		add([]int64{a, b, c})
	}
	return f
}

// TestPrivatePredicate has a predicate whose user is another value in the database: each
// caller has own answers, and none is refused.
func TestPrivatePredicate(t *testing.T) {
	c := newChecker(Options{})
	for i := range 200 {
		user := i % 50
		f := by(user, vars{"id": "p" + fmt.Sprint(i)}, arg(users, int64(user*31+9))).under(fmt.Sprintf("mail:%c%c@example.com", 'a'+user%7, 'a'+user/7))
		if v := f.run(c); len(v.Convicted) > 0 {
			t.Fatalf("computation %d is refused: %+v", i, v)
		}
	}
}

// TestConfirmedPredicate has a tenant of the predicate that is a number in the database.
// Once three tenants are confirmed the others are believed.
func TestConfirmedPredicate(t *testing.T) {
	c := newChecker(Options{})
	of := func(tenant, user int) fill {
		return by(100*tenant+user, nil, arg(users, int64(tenant*31+9))).under("tenant:" + string(rune('a'+tenant)))
	}
	wantGrades(t, c, []fill{of(0, 1), of(0, 2), of(1, 1), of(1, 2), of(2, 1), of(2, 2), of(3, 1)},
		private, shared, private, shared, private, shared, shared)
}

// TestFolded has spellings of one value, and values that are none.
func TestFolded(t *testing.T) {
	var n normalizer
	folded := func(v any) uint64 {
		x, ok := n.scalar(v)
		if !ok {
			t.Fatalf("%v is no scalar", v)
		}
		return x.folded
	}
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for _, same := range [][]any{
		{"Ann", " ann\n", []byte("ANN"), stringer{"ann"}},
		{"7", int64(7), int32(7), uint8(7), 7.0, "+007", "7.", "7.00", []byte("7"), float32(7)},
		{"-7", int64(-7), "-007.0"},
		{"0", "-0", "+0.00", int64(0)},
		{"0.5", "00.50", 0.5},
		{"É", "é"},
		{true, "TRUE"},
		{at, "2026-03-01", "2026-03-01T00:00:00Z", "2026-03-01 01:00:00+01:00", at.Add(100 * time.Nanosecond)},
		{"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}", "a0eebc999c0b4ef8bb6d6bb9bd380a11"},
		{nil, []byte(nil), (*int)(nil)},
	} {
		for _, v := range same[1:] {
			if folded(v) != folded(same[0]) {
				t.Errorf("%v and %v differ", same[0], v)
			}
		}
	}
	seen := map[uint64]any{}
	for _, v := range []any{"", "ann", "anna", "7", "-7", "70", "0.7", "7a", "7.0.0", "+", "-", ".", "00a", true, false, nil, at, at.Add(time.Second), "2026-03-0x", 1e300, []byte{0xff}} {
		if was, ok := seen[folded(v)]; ok {
			t.Errorf("%v and %v are the same", was, v)
		}
		seen[folded(v)] = v
	}
}
