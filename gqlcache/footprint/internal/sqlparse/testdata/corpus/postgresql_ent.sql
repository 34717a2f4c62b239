SELECT "users"."id", "users"."age", "users"."name" FROM "users" WHERE "users"."id" = $1 LIMIT 2

SELECT DISTINCT "users"."id", "users"."age", "users"."name" FROM "users" WHERE "users"."name" = $1 AND "users"."age" > $2

SELECT "t1"."id", "t1"."model" FROM "cars" AS "t1" JOIN (SELECT "users"."id" FROM "users" WHERE "users"."id" = $1) AS "t2" ON "t1"."user_cars" = "t2"."id"

SELECT "t1"."group_id", "groups"."id", "groups"."name" FROM "groups" JOIN "group_users" AS "t1" ON "groups"."id" = "t1"."group_id" WHERE "t1"."user_id" IN ($1, $2, $3)

SELECT "pets"."id", "pets"."name", "pets"."owner_id" FROM "pets" WHERE "pets"."owner_id" IN ($1, $2)

SELECT COUNT(DISTINCT "users"."id") FROM "users" WHERE EXISTS (SELECT "pets"."owner_id" FROM "pets" WHERE "users"."id" = "pets"."owner_id" AND "pets"."name" LIKE $1)

SELECT "users"."id" FROM "users" WHERE NOT ("users"."name" = $1) AND ("users"."age" IS NULL OR "users"."age" < $2) ORDER BY "users"."id" ASC NULLS FIRST LIMIT 11

INSERT INTO "users" ("age", "name", "created_at") VALUES ($1, $2, $3) RETURNING "id"

INSERT INTO "users" ("age", "name") VALUES ($1, $2), ($3, $4) ON CONFLICT ("name") DO UPDATE SET "age" = "excluded"."age" RETURNING "id"

UPDATE "users" SET "age" = COALESCE("users"."age", 0) + $1, "name" = $2 WHERE "id" = $3 RETURNING "id", "age", "name"

UPDATE "cars" SET "user_cars" = NULL WHERE "user_cars" = $1 AND "id" IN ($2, $3)

DELETE FROM "group_users" WHERE "user_id" = $1 AND "group_id" IN ($2)

DELETE FROM "users" WHERE "users"."id" IN (SELECT "t1"."id" FROM "users" AS "t1" WHERE "t1"."age" < $1)

SELECT "posts"."id" FROM "posts" WHERE (("posts"."created_at" < $1 OR ("posts"."created_at" = $2 AND "posts"."id" < $3))) ORDER BY "posts"."created_at" DESC, "posts"."id" DESC LIMIT 21

WITH "src" AS (SELECT "todos".*, ROW_NUMBER() OVER (PARTITION BY "todo_children" ORDER BY "id") AS "row_number" FROM "todos" WHERE "todo_children" IN ($1, $2)) SELECT "id", "todo_children", "text" FROM "src" AS "todos" WHERE "todos"."row_number" <= 3

SELECT "todos"."status", COUNT(*) AS "count", SUM("todos"."points") AS "sum" FROM "todos" GROUP BY "todos"."status" HAVING COUNT(*) > $1

SELECT "users"."id" FROM "public"."users" WHERE "users"."settings"->'theme'->>'name' = $1 AND ("users"."tags")::jsonb @> $2
