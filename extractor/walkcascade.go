package extractor

// noCascade notes that a root field's value has no GraphQL Cascade report where one was
// asked for.
func (w *walker) noCascade(f *Field) {
	if f.Cascade {
		w.cascades = append(w.cascades, CascadePayload{Root: f})
	}
}

// cascadeInData returns the cascade member inside a hidden data member, nil when there is
// none.
func (w *walker) cascadeInData() (raw []byte, ok bool) {
	if w.next() != '{' {
		_, ok = w.value()
		return nil, ok
	}
	ok = w.eachMember(func(kind byte, _ []byte) bool {
		value, ok := w.value()
		if kind == aliasCascade {
			raw = value
		}
		return ok
	})
	return raw, ok
}

// finishCascade reports the payload of an object returned by a root field.
func (w *walker) finishCascade(o *objectWalk) {
	f := o.sel.Field
	if f == nil || !f.Cascade {
		return
	}
	w.noCascade(f)
	if shape := o.sel.cascade; shape != nil {
		c := &w.cascades[len(w.cascades)-1]
		c.Raw = o.cascade
		c.Failed = shape.success != nil && string(o.success) != "true"
	}
}
