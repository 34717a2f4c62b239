package memstore_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/cascadeql/cascadeql/gqlcache/store/memstore"
)

func BenchmarkGetHit(b *testing.B) {
	for _, size := range []int{32, 512} {
		b.Run(fmt.Sprintf("key=%d", size), func(b *testing.B) {
			ctx, key := context.Background(), []byte(strings.Repeat("k", size))
			s := newStore(b, memstore.Options{MaxBytes: 1 << 20, MaxEntries: 1000})
			if err := s.Put(ctx, key, &store.Entry{Size: 1000, Expires: time.Now().Add(time.Hour)}); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := s.Get(ctx, key); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

func BenchmarkGetMiss(b *testing.B) {
	ctx, key := context.Background(), []byte("absent")
	s := newStore(b, memstore.Options{MaxBytes: 1 << 20})
	b.ReportAllocs()
	for b.Loop() {
		_, _ = s.Get(ctx, key)
	}
}

// BenchmarkPut puts new keys into a full store, so that each put evicts.
func BenchmarkPut(b *testing.B) {
	ctx, key := context.Background(), make([]byte, 64)
	s := newStore(b, memstore.Options{MaxBytes: 1 << 20, MaxEntries: 1000})
	e := &store.Entry{Size: 1000, Expires: time.Now().Add(time.Hour)}
	b.ReportAllocs()
	for i := uint64(0); b.Loop(); i++ {
		binary.BigEndian.PutUint64(key, i)
		if err := s.Put(ctx, key, e); err != nil {
			b.Fatal(err)
		}
	}
}
