package fleet

import (
	"encoding/binary"
	"errors"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// meta goes with an entry of the shared store: the place in the log that its computation
// is based on, and its tags behind the mark of its schema.
type meta struct {
	at   changelog.Position
	tags []tag.Tag
}

const metaVersion = 1

// AppendBinary implements encoding.BinaryAppender.
func (m *meta) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, metaVersion)
	b = binary.LittleEndian.AppendUint64(b, m.at.Epoch)
	b = binary.LittleEndian.AppendUint64(b, m.at.Number)
	for _, t := range m.tags {
		b = binary.LittleEndian.AppendUint64(b, t.Hash)
		b = binary.LittleEndian.AppendUint64(b, t.Mask)
	}
	return b, nil
}

var errMeta = errors.New("gqlcache: no stamp of a shared entry, or of another version")

// DecodeMeta decodes what Share attaches to entries. It does not keep the bytes.
func DecodeMeta(b []byte) (store.Meta, error) {
	const head, each = 17, 16
	if len(b) < head || b[0] != metaVersion || (len(b)-head)%each != 0 {
		return nil, errMeta
	}
	m := &meta{at: changelog.Position{
		Epoch:  binary.LittleEndian.Uint64(b[1:]),
		Number: binary.LittleEndian.Uint64(b[9:]),
	}}
	m.tags = make([]tag.Tag, 0, (len(b)-head)/each)
	for b = b[head:]; len(b) > 0; b = b[each:] {
		m.tags = append(m.tags, tag.Tag{
			Hash: binary.LittleEndian.Uint64(b),
			Mask: binary.LittleEndian.Uint64(b[8:]),
		})
	}
	return m, nil
}
