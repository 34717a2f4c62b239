package cascade

import (
	"bytes"
	"reflect"
	"slices"

	"github.com/cascadeql/cascadeql/extractor"
)

// bindEntities plans what _entities reads.
func (o *Operation) bindEntities(f *extractor.Field) {
	fr := &o.reads[f.ID]
	fr.args, fr.entities = fieldArguments(f), true
	for _, on := range f.On {
		e := o.plan.entities[on.Object.Name]
		if e == nil {
			continue
		}
		byOthers := slices.ContainsFunc(e.keys, func(k entityKey) bool { return k.row == nil })
		for _, v := range e.views {
			note(&o.rows, v)
			if byOthers {
				note(&o.sets, v)
				note(&o.byOthers, v)
			}
		}
	}
}

// showsNothing says that an object has no member beside its type's name.
func showsNothing(s *extractor.Selection) bool {
	return !slices.ContainsFunc(s.Fields, func(f *extractor.Field) bool { return f.Definition.Name != "__typename" })
}

// entities adds what an answer to _entities depends on by the representations that it was
// asked for. The i-th element of the answer is what was found for the i-th
// representation. The tags of the rows that it shows are added by reader.object.
func (r *reader) entities(f *extractor.Field, fr *fieldReads) {
	reps, ok := objectsIn(r.args(fr)[representations])
	shown := r.elements(f)
	if !ok || len(shown) > 0 && len(shown) != len(reps) {
		r.anything()
		return
	}
	first := map[string]map[string]any{} // of each type
	for i, rep := range reps {
		var obj *extractor.Object // none, where the field was skipped
		if len(shown) > 0 {
			obj = shown[i]
		}
		if name, ok := rep["__typename"].(string); ok && first[name] == nil {
			first[name] = rep
		} else if ok {
			r.batched(first[name], rep)
		}
		r.entity(rep, obj)
	}
}

// batched adds by what else a representation may have been found: where a resolver gets all
// representations of a type together, gqlgen takes the one for a key of the first, and zero
// values of what another one lacks.
func (r *reader) batched(first, rep map[string]any) {
	e := r.o.plan.entities[rep["__typename"].(string)]
	if e == nil || len(e.keys) < 2 { // who lacks the only one has no other
		return
	}
	if slices.ContainsFunc(e.keys, func(k entityKey) bool { return k.in(first) && !k.in(rep) }) {
		r.wholes(e.views)
	}
}

// elements returns the objects and nulls of a list below the root, in their order.
func (r *reader) elements(f *extractor.Field) (list []*extractor.Object) {
	for i := range r.res.Objects {
		if obj := &r.res.Objects[i]; obj.Field == f {
			list = append(list, obj)
		}
	}
	return list
}

// objectsIn returns the objects of a list as variables have it, or the only one.
func objectsIn(v any) ([]map[string]any, bool) {
	if m, ok := v.(map[string]any); ok {
		return []map[string]any{m}, true
	}
	list := reflect.ValueOf(v) // gqlparser makes typed slices too
	if list.Kind() != reflect.Slice {
		return nil, false
	}
	objects := make([]map[string]any, list.Len())
	for i := range objects {
		m, ok := list.Index(i).Interface().(map[string]any)
		if !ok {
			return nil, false
		}
		objects[i] = m
	}
	return objects, true
}

// entity adds by what one entity was found. Which of a type's keys its resolver has used
// is not known: each that the representation has counts.
func (r *reader) entity(rep map[string]any, obj *extractor.Object) {
	name, _ := rep["__typename"].(string)
	e := r.o.plan.entities[name]
	if e == nil || slices.ContainsFunc(e.views, func(v *View) bool { return !v.written && !v.static }) {
		r.anything()
		return
	}
	if obj != nil && !obj.Null && !r.shows(obj, e.views) {
		r.anything() // it is of another type
		return
	}
	found := false
	for i := range e.keys {
		if k := &e.keys[i]; k.in(rep) {
			r.entityKey(e, k, rep, obj)
			found = true
		}
	}
	if !found {
		r.wholes(e.views)
	}
}

// shows says that an object is a row of each of these views.
func (r *reader) shows(obj *extractor.Object, views []*View) bool {
	if obj.Selection == nil {
		return false
	}
	own := r.o.sels[obj.Selection.ID].views
	return !slices.ContainsFunc(views, func(v *View) bool { return !slices.Contains(own, v) })
}

func (r *reader) wholes(views []*View) {
	for _, v := range views {
		r.whole(v, AllColumns)
	}
}

// in says that a representation has the fields of the key.
func (k *entityKey) in(rep map[string]any) bool {
	return !slices.ContainsFunc(k.paths, func(path []string) bool {
		var v any = rep
		for _, step := range path {
			m, ok := v.(map[string]any)
			if !ok {
				return false // below a null or a list: no value is known there
			}
			if v, ok = m[step]; !ok {
				return true
			}
		}
		return false
	})
}

func (r *reader) entityKey(e *entity, k *entityKey, rep map[string]any, obj *extractor.Object) {
	missing := obj == nil || obj.Null
	if k.row == nil {
		if k.read == nil {
			r.wholes(e.views)
			return
		}
		read := *k.read
		if missing {
			read.Using = AllColumns // any column may be what keeps the row from being found
		}
		r.where(&boundRead{readDecl: &read, paths: noPaths[:len(read.Where)]}, rep, nil, listPlace{})
		return
	}
	keys, ok := r.rowKeys(&boundRead{readDecl: &readDecl{Row: *k.row}, paths: noPaths[:1]}, rep, nil)
	if !ok || len(keys) != 1 {
		r.wholes(e.views)
		return
	}
	own := !missing && bytes.Equal(obj.Key, keys[0])
	if !missing && !own && !sameKey(obj.Key, keys[0]) {
		r.anything() // the field is not the key after all
	}
	for _, v := range e.views {
		if own {
			r.presentRow(v, keys[0], presence|k.others) // and what of it is shown
		} else {
			r.anyRow(v, keys[0])
		}
	}
}

// noPaths are the paths of operands that need no enclosing object.
var noPaths = [maxTerms]int{-1, -1, -1, -1}
