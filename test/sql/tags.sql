-- Tags in comments.
\pset null '(null)'
CREATE SCHEMA tagged;
SET search_path = tagged;

CREATE TABLE books (
	id int PRIMARY KEY, title text, isbn text, secret text,
	created timestamptz, updated timestamp, deleted timestamptz, ver int, flag boolean);

-- Each key does what it says
COMMENT ON TABLE books IS 'All books. @orm:name=Book';
COMMENT ON COLUMN books.title IS 'The title. @orm:name=Title,unique,index=by_title,default=''no, title'',not_null';
COMMENT ON COLUMN books.isbn IS '@orm: read_only , filterable = false ';
COMMENT ON COLUMN books.secret IS 'Not for us. @orm:-';
COMMENT ON COLUMN books.created IS E'First line\n@orm:created_at\nlast line, with a comma';
COMMENT ON COLUMN books.updated IS E'@orm:name="Changed, at"\r\nand\r\n@orm:updated_at';
COMMENT ON COLUMN books.deleted IS '@orm:soft_delete';
COMMENT ON COLUMN books.ver IS '@orm:version=true';
COMMENT ON COLUMN books.flag IS 'An ordinary comment: user@example.org';
SELECT name, column_name, read_only, filterable, tags FROM corm.fields WHERE model = 'books'::regclass;
SELECT corm.describe('books') - 'fields';
COMMENT ON COLUMN books.ver IS '@orm:version=false';
SELECT corm.describe('books')->'version' AS version;
COMMENT ON COLUMN books.ver IS '@orm:default=greatest(1, 2),index';
SELECT tags FROM corm.fields WHERE model = 'books'::regclass AND name = 'ver';
COMMENT ON COLUMN books.ver IS '@orm:name="say ""ver"""';
SELECT name FROM corm.fields WHERE model = 'books'::regclass AND column_name = 'ver';
COMMENT ON COLUMN books.ver IS NULL;

-- A name that tags give is a name; so are the column's and the CamelCase form
SELECT corm.get_field(b, 'Title'), corm.get_field(b, 'title'), corm.get_field(b, 'Isbn'), corm.get_field(b, 'Changed, at')
FROM (SELECT (1, 'Emma', '123', 's', now(), 'epoch', NULL, 1, NULL)::books AS b) x;
SELECT corm.get_field(NULL::books, 'secret');

-- Errors name the object and the tag, when the model is used
CREATE FUNCTION try(tag text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d text; h text;
BEGIN
	EXECUTE format('COMMENT ON COLUMN tagged.books.ver IS %L', tag);
	RETURN corm.describe('tagged.books')->'version';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, d, NULLIF(h, ''));
END $$;
SELECT try(tag) FROM unnest(ARRAY[
	'@orm:', '@orm: ', '@orm:,', '@orm:version,', '@orm:versoin', '@orm:soft-delete', '@orm:what is this',
	'@orm:version,version', E'@orm:version\n@orm:version', '@orm:name', '@orm:name=', '@orm:name=""', '@orm:name="a',
	'@orm:default=f(a', '@orm:default=''it', '@orm:version=yes', '@orm:filterable=no', '@orm:=x', '@orm:inverse=x',
	'@orm:table=x', '@orm:column=isbn', '@orm:name=Title', '@orm:name=' || repeat('x', 64), '@orm:' || repeat('é', 300),
	'@orm:soft_delete', '@orm:created_at', '@orm:-,version', '@orm:-,primary_key']) AS tag;
COMMENT ON COLUMN books.ver IS NULL;

-- A role needs a column of a fitting type
SELECT try(NULL);
COMMENT ON COLUMN books.deleted IS NULL;
COMMENT ON COLUMN books.title IS '@orm:soft_delete';
SELECT corm.describe('books');
COMMENT ON COLUMN books.title IS '@orm:version';
SELECT corm.describe('books');
COMMENT ON COLUMN books.title IS NULL;
COMMENT ON COLUMN books.flag IS '@orm:soft_delete';
SELECT corm.describe('books')->'soft_delete' AS soft_delete;
COMMENT ON COLUMN books.flag IS NULL;
CREATE DOMAIN moment AS date;
ALTER TABLE books ADD gone moment, ADD hidden timestamptz NOT NULL, ADD twice int GENERATED ALWAYS AS (ver * 2) STORED;
COMMENT ON COLUMN books.gone IS '@orm:soft_delete';
SELECT corm.describe('books')->'soft_delete' AS soft_delete;
COMMENT ON COLUMN books.gone IS NULL;
COMMENT ON COLUMN books.hidden IS '@orm:soft_delete';
SELECT corm.describe('books');
COMMENT ON COLUMN books.hidden IS NULL;
COMMENT ON COLUMN books.twice IS '@orm:version';
SELECT corm.describe('books');

-- One bad model does not spoil the others, nor the views
CREATE TABLE good (id int PRIMARY KEY);
SELECT name, primary_key, error FROM corm.models WHERE model IN ('good'::regclass, 'books'::regclass) ORDER BY name;
SELECT name FROM corm.fields WHERE model IN ('good'::regclass, 'books'::regclass);
SELECT corm.describe('good')->'name' AS name;
COMMENT ON COLUMN books.twice IS NULL;

-- Comments on other objects are nobody's business
COMMENT ON SCHEMA tagged IS '@orm:nonsense';
COMMENT ON FUNCTION try(text) IS '@orm:nonsense';
COMMENT ON CONSTRAINT books_pkey ON books IS '@orm:nonsense';
COMMENT ON DOMAIN moment IS '@orm:nonsense';
COMMENT ON TYPE books IS '@orm:nonsense';
SELECT corm.describe('books')->'name' AS name;
COMMENT ON TABLE books IS '@orm:nonsense';
SELECT corm.describe('books')->'name' AS name;
COMMENT ON TABLE books IS '@orm:version';
SELECT corm.describe('books')->'name' AS name;
COMMENT ON TABLE books IS NULL;

-- A mapped type inherits what the table says of its columns, and hides what it lacks
COMMENT ON COLUMN books.isbn IS '@orm:read_only,filterable=false';
COMMENT ON COLUMN books.deleted IS '@orm:soft_delete';
COMMENT ON COLUMN books.ver IS '@orm:version';
CREATE TYPE book_dto AS (isbn text, ver int);
COMMENT ON TYPE book_dto IS '@orm:table=books';
SELECT name, read_only, filterable, tags FROM corm.fields WHERE model = 'book_dto'::regclass;
SELECT corm.describe('book_dto') - 'fields';
COMMENT ON COLUMN book_dto.isbn IS '@orm:filterable';
SELECT name, filterable FROM corm.fields WHERE model = 'book_dto'::regclass;
COMMENT ON COLUMN books.isbn IS '@orm:oops';
SELECT corm.describe('book_dto');

SET client_min_messages = warning;
DROP SCHEMA tagged CASCADE;
