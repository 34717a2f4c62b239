package orms

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Forms implements Former.
func (s *GORM) Forms(ctx context.Context) []error {
	db := s.q(ctx)
	var posts []gormPost
	var post gormPost
	var users []gormUser
	var comments []gormComment
	var tags []gormTag
	var n int64
	var names []string
	var rows []map[string]any
	run := func(list ...*gorm.DB) (out []error) {
		for _, tx := range list {
			if tx.Error != nil {
				out = append(out, tx.Error)
			}
		}
		return out
	}
	published := func(db *gorm.DB) *gorm.DB { return db.Where("status = ?", "PUBLISHED") }
	errs := run(
		db.Where(db.Where("title = ?", "a").Or("title = ?", "b")).Where("status <> ?", "x").Find(&posts),
		db.Not("status = ?", "DRAFT").Or(&gormPost{Title: "x"}).Find(&posts),
		db.Where("status IN ?", []string{"DRAFT", "PUBLISHED"}).Order(clause.OrderByColumn{Column: clause.Column{Name: "title"}, Desc: true}).Offset(3).Limit(5).Find(&posts),
		db.Where(map[string]any{"status": "DRAFT", "author_id": []int{1, 2}}).Find(&posts),
		db.Where("comment_count BETWEEN ? AND ?", 1, 4).Find(&posts),
		db.Where("(author_id, status) IN ?", [][]any{{1, "DRAFT"}, {2, "PUBLISHED"}}).Find(&posts),
		db.Where("author_id IN (?)", db.Model(&gormUser{}).Select("id").Where("name LIKE ?", "user%")).Find(&posts),
		db.Where("EXISTS (?)", db.Model(&gormComment{}).Select("1").Where("comments.post_id = posts.id")).Find(&posts),
		db.Table("(?) AS p", db.Model(&gormPost{}).Select("author_id, status")).Where("p.status = ?", "DRAFT").Count(&n),
		db.Model(&gormPost{}).Distinct("status").Pluck("status", &names),
		db.Model(&gormPost{}).Distinct().Count(&n),
		db.Model(&gormPost{}).Select("author_id, sum(comment_count) AS total").Group("author_id").Having("sum(comment_count) > ?", 1).Find(&rows),
		db.Model(&gormPost{}).Select("coalesce(avg(comment_count), 0)").Scan(&n),
		db.Scopes(published).Last(&post),
		db.Unscoped().Where("deleted_at IS NOT NULL").Find(&posts),
		db.Preload("Author").Preload("Tags").Preload("Comments", "text <> ?", "x").Find(&posts),
		db.Preload("Posts.Comments").Find(&users),
		db.Preload(clause.Associations).Take(&post),
		db.InnerJoins("Author").Where("Author.name = ?", "user 1").Find(&posts),
		db.Joins("LEFT JOIN comments ON comments.post_id = posts.id AND comments.text = ?", "one").Group("posts.id").Find(&posts),
		db.Raw("SELECT * FROM comments WHERE post_id = @post OR text = @text", map[string]any{"post": 1, "text": "x"}).Scan(&comments),
		db.Raw("WITH recent AS (SELECT id FROM posts ORDER BY id DESC LIMIT 3) SELECT c.* FROM comments c JOIN recent r ON r.id = c.post_id").Scan(&comments),
		db.Select("*", "CASE WHEN status = 'DRAFT' THEN 0 ELSE 1 END AS rank").Order("rank, id").Find(&posts),
		db.Clauses(clause.Returning{}).Create(&gormTag{Name: "returned"}),
		db.Clauses(clause.OnConflict{DoNothing: true}).Create(&[]gormTag{{Name: "returned"}, {Name: "more"}}),
		db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&gormUser{ID: 1, Name: "upserted"}),
		db.Clauses(clause.OnConflict{
			Columns:   []clause.Column{{Name: "name"}},
			DoUpdates: clause.Assignments(map[string]any{"name": gorm.Expr("excluded.name || ?", "!")}),
			Where:     clause.Where{Exprs: []clause.Expression{clause.Expr{SQL: "tags.id > ?", Vars: []any{0}}}},
		}).Create(&gormTag{Name: "more"}),
		db.Where(gormTag{Name: "first"}).FirstOrCreate(&gormTag{}),
		db.Where(gormTag{Name: "first"}).Attrs(gormTag{Name: "first"}).FirstOrInit(&gormTag{}),
		db.Where(gormUser{Name: "assigned"}).Assign(gormUser{Name: "assigned"}).FirstOrCreate(&gormUser{}),
		db.Model(&gormPost{}).Where("author_id = ?", 1).Updates(gormPost{Title: "t", CommentCount: 3}),
		db.Model(&gormPost{}).Where("id IN (?)", db.Model(&gormComment{}).Select("post_id").Where("text = ?", "x")).Update("title", gorm.Expr("title || ?", "x")),
		db.Model(&gormPost{ID: 1}).Select("title").Omit("status").Updates(map[string]any{"title": "s", "status": "x"}),
		db.Model(&gormPost{ID: 1}).Clauses(clause.Returning{Columns: []clause.Column{{Name: "title"}}}).Update("title", "u"),
		db.Session(&gorm.Session{AllowGlobalUpdate: true}).Model(&gormTag{}).Update("name", gorm.Expr("lower(name)")),
		db.Where("text LIKE ?", "%nothing%").Delete(&gormComment{}),
		db.Clauses(clause.Returning{}).Where("text = ?", "nothing").Delete(&comments),
		db.Unscoped().Delete(&gormPost{}, 99999),
		db.Exec("UPDATE posts SET title = ? WHERE id = (SELECT max(id) FROM posts)", "last"),
		db.Session(&gorm.Session{PrepareStmt: true}).Find(&posts, []int{1, 2}),
		db.Model(&gormPost{}).Where("id = ?", 1).Select("count(*) > 0").Find(&n),
	)
	p := &gormPost{ID: 2}
	tags = []gormTag{{Name: "a1"}, {Name: "a2"}}
	of := func() *gorm.Association { return db.Model(p).Association("Tags") }
	errs = append(errs, of().Replace(&tags), of().Delete(&tags[0]), of().Clear())
	_ = of().Count()
	errs = append(errs,
		db.FindInBatches(&posts, 2, func(*gorm.DB, int) error { return nil }).Error,
		db.Transaction(func(tx *gorm.DB) error {
			_ = tx.Transaction(func(tx *gorm.DB) error { // a savepoint
				if err := tx.Create(&gormUser{Name: "undone"}).Error; err != nil {
					return err
				}
				return errRolledBack
			})
			return tx.SavePoint("sp").RollbackTo("sp").Error
		}),
		db.Create(&gormUser{Name: "nested", Posts: []gormPost{{Title: "nested", Comments: []gormComment{{Text: "nested"}}, Tags: []gormTag{{Name: "nested"}}}}}).Error,
	)
	r, err := db.Model(&gormPost{}).Where("status = ?", "DRAFT").Rows()
	if err != nil {
		return append(errs, err)
	}
	for r.Next() {
		errs = append(errs, db.ScanRows(r, &post))
	}
	return append(errs, r.Close(), r.Err())
}
