SELECT * FROM "users" WHERE "users"."deleted_at" IS NULL AND "users"."id" = $1 ORDER BY "users"."id" LIMIT $2

SELECT * FROM "users" WHERE name <> $1 AND "users"."deleted_at" IS NULL

SELECT * FROM "users" WHERE (name = $1 OR (name = $2 AND age >= $3)) AND "users"."deleted_at" IS NULL LIMIT 10 OFFSET 5

SELECT count(*) FROM "orders" WHERE user_id IN ($1,$2,$3) AND "orders"."deleted_at" IS NULL

SELECT "users"."id","users"."name","Company"."id" AS "Company__id","Company"."name" AS "Company__name" FROM "users" LEFT JOIN "companies" "Company" ON "users"."company_id" = "Company"."id" WHERE "users"."deleted_at" IS NULL

INSERT INTO "users" ("created_at","updated_at","deleted_at","name","age") VALUES ($1,$2,$3,$4,$5) RETURNING "id"

INSERT INTO "users" ("name","age","id") VALUES ($1,$2,$3) ON CONFLICT ("id") DO UPDATE SET "updated_at"=$4,"name"="excluded"."name"

UPDATE "users" SET "name"=$1,"updated_at"=$2 WHERE id = $3 AND "users"."deleted_at" IS NULL

UPDATE "products" SET "price"=price * $1 + $2,"updated_at"=$3 WHERE "id" = $4

UPDATE "users" SET "deleted_at"=$1 WHERE "users"."id" = $2 AND "users"."deleted_at" IS NULL

DELETE FROM "user_languages" WHERE "user_languages"."user_id" = $1 AND ("user_languages"."user_id","user_languages"."language_id") IN (($2,$3),($4,$5))

SELECT * FROM "accounts" WHERE "id" = $1 FOR UPDATE

SELECT * FROM "accounts" FOR SHARE OF "accounts" NOWAIT

SAVEPOINT sp0x7f3a

ROLLBACK TO SAVEPOINT sp0x7f3a

SELECT "u"."id", "u"."name", "u"."emails" FROM "users" AS "u" WHERE ("u"."id" = 1)

SELECT "book"."id", "book"."title", "author"."id" AS "author__id", "author"."name" AS "author__name" FROM "books" AS "book" LEFT JOIN "authors" AS "author" ON ("author"."id" = "book"."author_id") ORDER BY "book"."id" ASC LIMIT 100

SELECT "item"."id" FROM "items" AS "item" JOIN "order_to_items" AS "oti" ON ("oti"."order_id") IN (1, 2) WHERE ("item"."id" = "oti"."item_id")

INSERT INTO "books" ("id", "title") VALUES (DEFAULT, 'it''s'), (DEFAULT, 'another') RETURNING "id"

WITH "_data" ("id", "title", "text") AS (VALUES (1::BIGINT, 'x'::VARCHAR, 'y'::VARCHAR), (2::BIGINT, 'z'::VARCHAR, NULL::VARCHAR)) UPDATE "books" AS "book" SET "title" = _data."title", "text" = _data."text" FROM _data WHERE (_data."id" = "book"."id")

UPDATE "users" AS "user" SET "name" = 'a', "tags" = '{"x","y"}' WHERE ("user"."id" = 7) RETURNING *

DELETE FROM "books" AS "book" WHERE ("book"."id" IN (1, 2)) RETURNING "id"

SELECT EXISTS (SELECT "user"."id" FROM "users" AS "user" WHERE (name LIKE '%a%'))

(SELECT "id" FROM "a" WHERE x = 1) UNION ALL (SELECT "id" FROM "b" ORDER BY id LIMIT 3) ORDER BY 1 LIMIT 5

SELECT * FROM "posts" WHERE tags && '{go,sql}'::text[] AND published_at BETWEEN '2020-01-01' AND '2021-01-01'
