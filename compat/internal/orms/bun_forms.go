package orms

import (
	"context"
	"database/sql"

	"github.com/uptrace/bun"
)

// Forms implements Former.
func (s *bunStore) Forms(ctx context.Context) (errs []error) {
	db := s.q(ctx)
	var posts []*bunPost
	var comments []*bunComment
	var names []string
	var rows []map[string]any
	var n int
	sel := func(model any) *bun.SelectQuery { return db.NewSelect().Model(model) }
	for _, q := range []*bun.SelectQuery{
		sel(&posts).WhereGroup(" AND ", func(q *bun.SelectQuery) *bun.SelectQuery {
			return q.Where("title = ?", "a").WhereOr("title = ?", "it's")
		}).Where("status <> ?", "x"),
		sel(&posts).Where("? = ?", bun.Ident("status"), "DRAFT").OrderExpr("title DESC NULLS LAST").Offset(3).Limit(5),
		sel(&posts).Where("(author_id, status) IN (VALUES (?, ?), (2, 'PUBLISHED'))", 1, "DRAFT"),
		sel(&posts).Where("author_id IN (?)", db.NewSelect().Model((*bunUser)(nil)).Column("id").Where("name LIKE ?", "user%")),
		sel(&posts).Where("EXISTS (?)", db.NewSelect().Model((*bunComment)(nil)).ColumnExpr("1").Where("c.post_id = p.id")),
		sel(&posts).Relation("Author").Relation("Comments").Relation("Tags").Where("author.name = ?", "user 1"),
		sel(&posts).WhereDeleted(),
		sel(&posts).WhereAllWithDeleted(),
		sel(&posts).ExcludeColumn("status"),
		sel(&posts).With("recent", db.NewSelect().Model((*bunPost)(nil)).Column("id").OrderExpr("id DESC").Limit(3)).Join("JOIN recent AS r ON r.id = p.id"),
		sel(&posts).Where("comment_count BETWEEN ? AND ?", 1, 3),
		sel(&posts).ColumnExpr("p.*").OrderExpr("CASE WHEN status = 'DRAFT' THEN 0 ELSE 1 END").ModelTableExpr("posts AS p"),
	} {
		if err := q.Scan(ctx); err != nil {
			errs = append(errs, err)
		}
	}
	note := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	note(sel((*bunPost)(nil)).Distinct().Column("status").Scan(ctx, &names))
	note(sel((*bunPost)(nil)).ColumnExpr("author_id, sum(comment_count) AS total").Group("author_id").Having("sum(comment_count) > ?", 1).Scan(ctx, &rows))
	note(sel((*bunPost)(nil)).ColumnExpr("coalesce(max(id), 0)").Scan(ctx, &n))
	note(db.NewSelect().TableExpr("(?) AS sub", db.NewSelect().Model((*bunPost)(nil)).Column("author_id")).ColumnExpr("count(*)").Scan(ctx, &n))
	note(db.NewRaw("SELECT id, text, post_id FROM comments WHERE post_id = ? OR text = ?", 1, "x").Scan(ctx, &comments))
	_, err := sel((*bunPost)(nil)).Where("status = ?", "DRAFT").Count(ctx)
	note(err)
	_, err = sel((*bunPost)(nil)).Where("status = ?", "DRAFT").Exists(ctx)
	note(err)
	_, err = sel(&posts).Limit(2).ScanAndCount(ctx)
	note(err)
	exec := func(q interface {
		Exec(ctx context.Context, dest ...any) (sql.Result, error)
	},
	) {
		_, err := q.Exec(ctx)
		note(err)
	}
	exec(db.NewInsert().Model(&[]*bunTag{{Name: "b1"}, {Name: "b2"}}).Ignore())
	exec(db.NewInsert().Model(&bunUser{ID: 1, Name: "upserted"}).On("CONFLICT (id) DO UPDATE").Set("name = EXCLUDED.name").Where("u.name <> EXCLUDED.name"))
	exec(db.NewInsert().Model(&bunTag{Name: "b1"}).On("CONFLICT DO NOTHING").Returning("NULL"))
	exec(db.NewInsert().Model(&map[string]any{"name": "from a map"}).TableExpr("users"))
	exec(db.NewUpdate().Model(&bunPost{ID: 1, Title: "omitted"}).OmitZero().WherePK())
	exec(db.NewUpdate().Model((*bunPost)(nil)).Set("title = title || ?", "x").Where("id IN (?)", db.NewSelect().Model((*bunComment)(nil)).Column("post_id").Where("text = ?", "x")))
	data := []*bunUser{{ID: 1, Name: "bulk one"}, {ID: 2, Name: "bulk two"}}
	exec(db.NewUpdate().With("_data", db.NewValues(&data)).Model((*bunUser)(nil)).TableExpr("_data").Set("name = _data.name").Where("u.id = _data.id"))
	exec(db.NewUpdate().Model(&data).Column("name").Bulk())
	exec(db.NewUpdate().Model(&bunPost{ID: 1, Title: "r"}).Column("title").WherePK().Returning("id, title"))
	exec(db.NewDelete().Model((*bunComment)(nil)).Where("text = ?", "nothing"))
	exec(db.NewDelete().Model((*bunPost)(nil)).Where("id = ?", 99999).ForceDelete())
	exec(db.NewDelete().Model(&bunComment{ID: 99999}).WherePK().Returning("*"))
	note(db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		_ = tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error { // a savepoint
			if _, err := tx.NewInsert().Model(&bunUser{Name: "undone"}).Exec(ctx); err != nil {
				return err
			}
			return errRolledBack
		})
		_, err := tx.NewInsert().Model(&bunUser{Name: "done"}).Exec(ctx)
		return err
	}))
	return errs
}
