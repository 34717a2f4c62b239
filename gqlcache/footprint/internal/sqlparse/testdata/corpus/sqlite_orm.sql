SELECT * FROM `users` WHERE `users`.`deleted_at` IS NULL AND `users`.`id` = ? ORDER BY `users`.`id` LIMIT 1

SELECT * FROM `users` WHERE (name = ? AND age >= ?) OR role IN (?,?,?) LIMIT 10 OFFSET 20

SELECT count(*) FROM `posts` WHERE author_id = ? AND `posts`.`deleted_at` IS NULL

INSERT INTO `users` (`created_at`,`updated_at`,`deleted_at`,`name`) VALUES (?,?,?,?),(?,?,?,?) RETURNING `id`

INSERT INTO `users` (`name`,`id`) VALUES (?,?) ON CONFLICT (`id`) DO UPDATE SET `name`=`excluded`.`name`

UPDATE `users` SET `name`=?,`updated_at`=? WHERE `id` = ?

UPDATE `users` SET `deleted_at`=? WHERE `users`.`id` = ? AND `users`.`deleted_at` IS NULL

DELETE FROM `user_roles` WHERE `user_roles`.`user_id` = ?

SELECT `users`.`id`,`users`.`name`,`Manager`.`id` AS `Manager__id` FROM `users` LEFT JOIN `users` `Manager` ON `users`.`manager_id` = `Manager`.`id`

SELECT "users"."id", "users"."name" FROM "users" WHERE "users"."id" = ? LIMIT 2

SELECT `t1`.`id`, `t1`.`name` FROM `groups` AS `t1` JOIN (SELECT `group_users`.`group_id` FROM `group_users` WHERE `group_users`.`user_id` = ?) AS `t2` ON `t1`.`id` = `t2`.`group_id`

INSERT INTO `pets` (`name`, `owner_id`) VALUES (?, ?) RETURNING `id`

SELECT "u"."id", "u"."name" FROM "users" AS "u" WHERE ("u"."id" IN (1, 2, 3)) ORDER BY "u"."id" DESC

WITH "_data" ("id", "name") AS (VALUES (1, 'a'), (2, 'b')) UPDATE "users" AS "user" SET "name" = _data."name" FROM _data WHERE ("user"."id" = _data."id")

SELECT id, name, bio FROM authors WHERE id = ?1 LIMIT 1

SELECT id FROM books WHERE title LIKE '%' || ?1 || '%' AND (?2 IS NULL OR author_id = ?2)

SELECT id FROM books WHERE author_id IN (SELECT value FROM json_each(?))

INSERT INTO authors (name, bio) VALUES (?, ?) RETURNING *

UPDATE authors SET name = coalesce(?1, name) WHERE id = ?2 RETURNING *

SELECT * FROM users WHERE name = :name AND age > @age AND email <> $email AND nick = :name

SELECT * FROM users WHERE id = $1 AND name = $2
