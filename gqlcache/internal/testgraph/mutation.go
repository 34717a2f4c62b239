package testgraph

import (
	"context"
	"errors"
	"io"
	"iter"
	"maps"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade/payload"
	"github.com/google/uuid"
)

type mutation resolver

func keys[V any](m map[string]V) iter.Seq[string] { return maps.Keys(m) }

// do runs a root field of a mutation.
func do[T any](ctx context.Context, m mutation, work func() (T, error)) (T, error) {
	return at(ctx, m.Store, "Mutation."+graphql.GetFieldContext(ctx).Field.Name, work)
}

func (m mutation) CreateUser(ctx context.Context, id *string, input UserInput) (*User, error) {
	return do(ctx, m, func() (*User, error) {
		u := User{s: m.Store, ID: m.newID(id), Name: input.Name, Email: input.Email, Tags: []string{}}
		m.users[u.ID] = u
		return &u, nil
	})
}

// change applies a function to a user, if there is one. REQUIRES: mu.
func (s *Store) change(id string, f func(*User)) *User {
	u, ok := s.users[id]
	if !ok {
		return nil
	}
	f(&u)
	s.users[id] = u
	return &u
}

func patch(p UserPatch) func(*User) {
	return func(u *User) {
		if p.Name != nil {
			u.Name = *p.Name
		}
		if p.Email != nil {
			u.Email = p.Email
		}
		if p.BossID != nil {
			u.BossID = p.BossID
		}
		if p.Tags != nil {
			u.Tags = p.Tags
		}
	}
}

func rename(name string) func(*User) { return func(u *User) { u.Name = name } }

func (m mutation) UpdateUser(ctx context.Context, id string, input UserPatch) (*User, error) {
	return do(ctx, m, func() (*User, error) { return m.change(id, patch(input)), nil })
}

func (m mutation) RenameUser(ctx context.Context, id, name string) (bool, error) {
	return do(ctx, m, func() (bool, error) { return m.change(id, rename(name)) != nil, nil })
}

func (m mutation) RenameUndeclared(ctx context.Context, id, name string) (bool, error) {
	return m.RenameUser(ctx, id, name)
}

func (m mutation) UpdateUserPayload(ctx context.Context, id string, input UserPatch) (*UserPayload, error) {
	return do(ctx, m, func() (*UserPayload, error) {
		u := m.change(id, patch(input))
		return &UserPayload{Ok: u != nil, User: u}, nil
	})
}

func (m mutation) DeleteUser(ctx context.Context, id string) (bool, error) {
	return do(ctx, m, func() (bool, error) { return m.deleteUser(id), nil })
}

func (m mutation) DeleteUserNull(ctx context.Context, id string) (*User, error) {
	return do(ctx, m, func() (*User, error) {
		m.deleteUser(id)
		return nil, nil
	})
}

func (m mutation) DeleteUserPayload(ctx context.Context, id string) (*OkPayload, error) {
	return do(ctx, m, func() (*OkPayload, error) { return &OkPayload{Ok: m.deleteUser(id)}, nil })
}

func (m mutation) RenameUsers(ctx context.Context, ids []string, name string) (int, error) {
	return do(ctx, m, func() (int, error) {
		n := 0
		for _, id := range ids {
			if m.change(id, rename(name)) != nil {
				n++
			}
		}
		return n, nil
	})
}

func (m mutation) CreatePost(ctx context.Context, id *string, authorID, name string, status Status) (*PostPayload, error) {
	return do(ctx, m, func() (*PostPayload, error) {
		p := Post{s: m.Store, ID: m.newID(id), Name: name, Status: status, authorID: authorID}
		m.posts[p.ID] = p
		return &PostPayload{s: m.Store, Ok: true, id: p.ID}, nil
	})
}

func (m mutation) UpdatePost(ctx context.Context, id string, input PostPatch) (*Post, error) {
	return do(ctx, m, func() (*Post, error) {
		p, ok := m.posts[id]
		if !ok {
			return nil, nil
		}
		if input.Name != nil {
			p.Name = *input.Name
		}
		if input.Status != nil {
			p.Status = *input.Status
		}
		if input.AuthorID != nil {
			p.authorID = *input.AuthorID
		}
		m.posts[id] = p
		return &p, nil
	})
}

func (m mutation) PublishAll(ctx context.Context, authorID string) (int, error) {
	return do(ctx, m, func() (int, error) {
		n := 0
		for id, p := range m.posts {
			if p.authorID == authorID && p.Status != StatusPublished {
				p.Status = StatusPublished
				m.posts[id] = p
				n++
			}
		}
		return n, nil
	})
}

func (m mutation) AddComment(ctx context.Context, id *string, postID, text string) (*Comment, error) {
	return do(ctx, m, func() (*Comment, error) {
		c := Comment{s: m.Store, ID: m.newID(id), Text: text, postID: postID}
		m.comments[c.ID] = c
		return &c, nil
	})
}

func (m mutation) SetCounter(ctx context.Context, id, value int) (*Counter, error) {
	return do(ctx, m, func() (*Counter, error) {
		m.counters[id] = value
		return &Counter{ID: id, Value: value}, nil
	})
}

func (m mutation) SetDoc(ctx context.Context, id uuid.UUID, name string) (*Doc, error) {
	return do(ctx, m, func() (*Doc, error) {
		m.docs[id.String()] = name
		return &Doc{ID: id, Name: name}, nil
	})
}

func (m mutation) SetSetting(ctx context.Context, key, value string) (map[string]any, error) {
	return do(ctx, m, func() (map[string]any, error) {
		m.settings[key] = value
		return maps.Clone(m.settings), nil
	})
}

func (m mutation) SetBlurb(ctx context.Context, text string) (*Blurb, error) {
	return do(ctx, m, func() (*Blurb, error) {
		m.blurb = text
		return &Blurb{Text: text}, nil
	})
}

func (m mutation) SetBroken(ctx context.Context, mode, label string) (*Broken, error) {
	return do(ctx, m, func() (*Broken, error) {
		m.broken[mode] = label
		return &Broken{mode: mode, Label: label}, nil
	})
}

// put sets one value of a table of texts.
func (m mutation) put(ctx context.Context, table map[string]string, id, text string) (bool, error) {
	return do(ctx, m, func() (bool, error) {
		table[id] = text
		return true, nil
	})
}

func (m mutation) SetFlash(ctx context.Context, id, text string) (bool, error) {
	return m.put(ctx, m.flashes, id, text)
}

func (m mutation) SetBanner(ctx context.Context, id, text string) (bool, error) {
	return m.put(ctx, m.banners, id, text)
}

func (m mutation) SetLoose(ctx context.Context, id, name string) (bool, error) {
	return m.put(ctx, m.loose, id, name)
}

func (m mutation) SetNote(ctx context.Context, id, owner, name string) (bool, error) {
	return do(ctx, m, func() (bool, error) {
		m.notes[id] = noteRow{owner, name}
		return true, nil
	})
}

func (m mutation) RenameUserCascade(ctx context.Context, id, name string) (*RenameUserCascade, error) {
	return do(ctx, m, func() (*RenameUserCascade, error) {
		out, report := &RenameUserCascade{}, payload.Report{Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
		if u := m.change(id, rename(name)); u == nil {
			out.Errors = []*CascadeError{{Message: "no such user", Code: "NOT_FOUND"}}
		} else {
			out.Success, out.Data = true, u
			report.Changes = []payload.Change{payload.Updated("User", id, u)}
		}
		var err error
		out.Cascade, err = payload.Build[CascadeUpdates](report)
		return out, err
	})
}

func (m mutation) RecountUsers(ctx context.Context) (bool, error) {
	return do(ctx, m, func() (bool, error) { return true, nil })
}

func (m mutation) RenameFromFile(ctx context.Context, id string, file graphql.Upload) (*User, error) {
	name, err := io.ReadAll(file.File)
	if err != nil {
		return nil, err
	}
	return do(ctx, m, func() (*User, error) { return m.change(id, rename(string(name))), nil })
}

func (m mutation) Boom(ctx context.Context) (bool, error) {
	return do(ctx, m, func() (bool, error) { return false, errors.New("boom") })
}

func (m mutation) Log(ctx context.Context) (bool, error) {
	return do(ctx, m, func() (bool, error) { return true, nil })
}
