package extractor

// A pathWalk collects the values of the hidden paths of one object.
type pathWalk struct {
	sel    *Selection
	steps  []step
	values [][][]byte
	failed []bool
	// seen holds, per want, the visit during which its member was last met. A visit is
	// one object on a path, so that a list tells for each of its elements whether the
	// member was missing.
	seen   []int
	visits int
}

func newPathWalk(sel *Selection, steps []step) *pathWalk {
	p := &pathWalk{
		sel: sel, steps: steps, seen: make([]int, len(sel.wants)),
		values: make([][][]byte, len(sel.Paths)), failed: make([]bool, len(sel.Paths)),
	}
	for i := range p.failed {
		p.failed[i] = true // until a want stands for the path
	}
	for i, want := range sel.wants {
		if want.path >= 0 {
			p.failed[want.path] = false
		}
		p.seen[i] = -1
	}
	return p
}

// pathStep reads the value of a hidden path member of an object that the step parent led
// to. p is nil when the object has no paths: its node is in a fragment that another
// position has paths for.
func (w *walker) pathStep(p *pathWalk, id, parent, visit int) bool {
	if p == nil || id >= len(p.steps) || p.steps[id].parent != parent {
		_, ok := w.value()
		return ok
	}
	for i, want := range p.sel.wants {
		if want.step == id {
			p.seen[i] = visit
		}
	}
	return w.pathValue(p, id, 0)
}

func (w *walker) pathValue(p *pathWalk, id, depth int) bool {
	leaf := p.steps[id].leaf
	switch c := w.next(); {
	case c == '[':
		return depth < maxListDepth && w.pathList(p, id, depth+1)
	case c == '{' && !leaf:
		return w.pathObject(p, id)
	case c == '{' || c == 'n' || !leaf:
		p.fail(id)
		_, ok := w.value()
		return ok
	}
	raw, ok := w.value()
	for _, want := range p.sel.wants {
		if want.step == id && want.path >= 0 {
			p.values[want.path] = append(p.values[want.path], raw)
		}
	}
	return ok
}

func (w *walker) pathList(p *pathWalk, id, depth int) bool {
	w.pos++
	if w.next() == ']' {
		w.pos++
		return true
	}
	for {
		if !w.pathValue(p, id, depth) {
			return false
		}
		if w.accept(',') {
			continue
		}
		return w.accept(']')
	}
}

func (w *walker) pathObject(p *pathWalk, id int) bool {
	p.visits++
	visit := p.visits
	ok := w.eachMember(func(kind byte, rest []byte) bool {
		if child, isNumber := hiddenNumber(rest); kind == aliasPath && isNumber {
			return w.pathStep(p, child, id, visit)
		}
		_, ok := w.value()
		return ok
	})
	p.missing(id, visit)
	return ok
}

// eachMember calls read for every member of the object at the cursor; read consumes the
// value.
func (w *walker) eachMember(read func(kind byte, rest []byte) bool) bool {
	w.pos++
	if w.next() == '}' {
		w.pos++
		return true
	}
	for {
		name, ok := w.member()
		if !ok || !read(hiddenName(name)) {
			return false
		}
		if w.accept(',') {
			continue
		}
		return w.accept('}')
	}
}

// missing fails the paths that lead through a member that a visited object did not have.
func (p *pathWalk) missing(parent, visit int) {
	for i, want := range p.sel.wants {
		if p.steps[want.step].parent == parent && p.seen[i] != visit {
			p.fail(want.step)
		}
	}
}

// fail marks the paths that lead through a step.
func (p *pathWalk) fail(id int) {
	for _, want := range p.sel.wants {
		if want.path < 0 {
			continue
		}
		for s := want.step; s >= 0; s = p.steps[s].parent {
			if s == id {
				p.failed[want.path] = true
			}
		}
	}
}

// finish returns the values per path, nil for paths that could not be read.
func (p *pathWalk) finish(key []byte, hasKey bool) [][][]byte {
	p.missing(-1, 0)
	for i, failed := range p.failed {
		if failed {
			p.values[i] = nil
		} else if p.values[i] == nil {
			p.values[i] = [][]byte{}
		}
	}
	if hasKey {
		for _, i := range p.sel.keyPaths {
			p.values[i] = [][]byte{key}
		}
	}
	return p.values
}
