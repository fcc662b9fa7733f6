-- corm.tx(): the options of a transaction scope.
SELECT corm.tx();
SELECT corm.tx('NESTED', name => 'import', read_only => true, isolation => 'Serializable',
               timeout => '1.5 s', retries => 3);
SELECT * FROM corm.tx(NULL, retries => NULL);

\set VERBOSITY sqlstate
SELECT corm.tx('sometimes');
SELECT corm.tx(isolation => 'snapshot');
SELECT corm.tx(timeout => '0');
SELECT corm.tx(timeout => '-1 s');
SELECT corm.tx(timeout => '100 years');
SELECT corm.tx(retries => -1);
SELECT corm.tx(name => '');
\set VERBOSITY default
SELECT corm.tx('sometimes');
SELECT corm.tx(isolation => 'snapshot');
SELECT corm.tx(timeout => '100 years');

-- a row written by hand is checked as well
SELECT corm.do_tx(ROW('sometimes', NULL, NULL, NULL, NULL, NULL)::corm.tx_options, 'SELECT 1');
SELECT corm.do_tx(ROW(NULL, NULL, NULL, NULL, NULL, NULL)::corm.tx_options, 'SELECT 1');
SELECT corm.do_tx(NULL::corm.tx_options, 'SELECT 1');

-- names are clipped as identifiers are
SELECT length((corm.tx(name => repeat('n', 100))).name);
SELECT length((corm.tx(name => repeat('ü', 100))).name);

-- a call site follows options that change
SELECT (o).propagation, corm.do_tx(o, 'SELECT propagation, name FROM corm.current_tx()')
FROM (VALUES (corm.tx('required', name => 'a')), (corm.tx('nested', name => 'b')), (NULL),
             (corm.tx('required', name => 'c'))) v(o);

-- what cannot be had inside a running transaction
SELECT corm.do_tx(corm.tx(isolation => 'serializable'), 'SELECT 1');
SELECT corm.do_tx(corm.tx(isolation => 'read uncommitted'), 'SHOW transaction_isolation');
SELECT corm.do_tx(corm.tx(retries => 1), 'SELECT 1');
SELECT corm.do_tx(corm.tx('requires_new', retries => 1), 'SELECT 1');
