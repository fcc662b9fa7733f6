-- Tasks of many priorities: claimed by priority, then in the order of submission, also if some of them are cancelled.
CREATE SCHEMA task_levels;
SET search_path = task_levels;
SELECT corm.pool_create('levels', workers => 1, capacity => 2000);
SELECT corm.pool_pause('levels');

CREATE TABLE submitted AS
	SELECT i, pr, corm.submit(corm.task('levels', priority => pr), 'SELECT 1') AS id
	FROM (SELECT i, CASE i WHEN 1 THEN -2147483648 WHEN 2 THEN 2147483647 ELSE i * 7919 % 601 - 300 END AS pr
		FROM generate_series(1, 1500) i) x;
SELECT count(DISTINCT pr) AS priorities FROM submitted;
SELECT * FROM corm.work_check();

-- from the middle, the beginning and the end of levels
WITH gone AS (DELETE FROM submitted WHERE i % 3 = 1 OR i = 2 RETURNING id)
SELECT count(*) FROM gone WHERE corm.task_cancel(id);
SELECT * FROM corm.work_check();

CREATE TABLE claimed (n int GENERATED ALWAYS AS IDENTITY, id bigint);
INSERT INTO claimed (id) SELECT corm_test.claim_task('levels') FROM generate_series(1, (SELECT count(*) / 2 FROM submitted));
SELECT * FROM corm.work_check();
-- more of them come, into levels that are there and into new ones
INSERT INTO submitted SELECT i, pr, corm.submit(corm.task('levels', priority => pr), 'SELECT 1')
	FROM (SELECT i, -310 + i % 41 AS pr FROM generate_series(2001, 2100) i) x;
INSERT INTO claimed (id) SELECT corm_test.claim_task('levels') FROM generate_series(1, (SELECT count(*) FROM submitted) - (SELECT count(*) FROM claimed));
SELECT corm_test.claim_task('levels') AS none;
SELECT * FROM corm.work_check();
SELECT count(*) AS tasks, count(*) FILTER (WHERE s.id IS DISTINCT FROM c.id) AS misplaced
FROM (SELECT id, row_number() OVER (ORDER BY pr DESC, i) AS n FROM submitted) s FULL JOIN claimed c USING (n);

DO $$ BEGIN PERFORM corm_test.settle_task(id, true) FROM claimed; END $$;
SELECT * FROM corm.work_check();
SELECT corm.pool_drop('levels');
DROP TABLE submitted, claimed;
DROP SCHEMA task_levels;
