-- Transaction scopes as an application would test them: a small shop whose orders are placed inside of scopes.
BEGIN;
SELECT plan(26);

CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL CHECK (balance >= 0));
CREATE TABLE orders (id int PRIMARY KEY, account_id int REFERENCES accounts, total int);
CREATE TABLE mails (order_id int PRIMARY KEY, body text NOT NULL);
INSERT INTO accounts VALUES (1, 100), (2, 5);

CREATE FUNCTION pay(account int, amount int) RETURNS jsonb LANGUAGE sql AS $$
    SELECT corm.do_tx(corm.tx(name => 'pay'), 'UPDATE accounts SET balance = balance - $2 WHERE id = $1 RETURNING balance', account, amount)
$$;
CREATE FUNCTION mail(order_id int, body text) RETURNS corm.tx_result LANGUAGE sql AS $$
    SELECT corm.try_tx(corm.tx('nested', name => 'mail'), 'INSERT INTO mails VALUES ($1, $2)', order_id, body)
$$;
CREATE FUNCTION place_order(id int, account int, total int, letter text) RETURNS corm.tx_result LANGUAGE sql AS $$
    SELECT corm.try_tx(corm.tx('nested', name => 'place_order'),
        'INSERT INTO orders VALUES ($1, $2, $3); SELECT pay($2, $3); SELECT (mail($1, $4)).ok AS mailed', id, account, total, letter)
$$;

SELECT has_function('corm', 'tx', 'corm.tx exists');
SELECT hasnt_function('corm', 'begin_tx', ARRAY[]::text[], 'begin_tx has no form without parameters but a default');

-- everything goes well
CREATE TEMP TABLE outcome AS SELECT * FROM place_order(1, 1, 30, 'thanks');
SELECT is(ok, true, 'an order is placed') FROM outcome;
SELECT is(value, '[{"mailed": true}]', 'and mailed') FROM outcome;
SELECT is(balance, 70, 'paid') FROM accounts WHERE id = 1;

-- the mail fails: nested, so the order stands
TRUNCATE outcome;
INSERT INTO outcome SELECT * FROM place_order(2, 1, 20, NULL);
SELECT is(ok, true, 'an order without a mail') FROM outcome;
SELECT is(value, '[{"mailed": false}]', 'says so') FROM outcome;
SELECT results_eq('SELECT id FROM orders ORDER BY id', ARRAY[1, 2], 'both orders are there');
SELECT results_eq('SELECT order_id FROM mails', ARRAY[1], 'one mail');

-- the payment fails: it has joined, so all of the order goes
TRUNCATE outcome;
INSERT INTO outcome SELECT * FROM place_order(3, 2, 50, 'thanks');
SELECT is(ok, false, 'an order that is too dear') FROM outcome;
SELECT is(sqlstate, '23514', 'fails with the error of the payment') FROM outcome;
SELECT is(table_name, 'accounts', 'the table') FROM outcome;
SELECT is(constraint_name, 'accounts_balance_check', 'the constraint') FROM outcome;
SELECT is(scope, 'place_order', 'the scope') FROM outcome;
SELECT matches(context, 'scope "pay" \(depth 2\)(.|\n)*scope "place_order" \(depth 1\)', 'the way of the error') FROM outcome;
SELECT is_empty('SELECT * FROM orders WHERE account_id = 2', 'nothing is left of it');
SELECT is(balance, 5, 'nothing was paid') FROM accounts WHERE id = 2;

-- the raising form
SELECT throws_ok('SELECT pay(2, 50)', '23514', NULL, 'do_tx raises the error of its body');
SELECT throws_ok($$SELECT corm.do_tx('INSERT INTO orders VALUES ($1, 1, 1); SELECT 1/0', 4)$$, '22012', 'division by zero', 'the error as it was');
SELECT throws_ok($$SELECT corm.do_tx(corm.tx('never'), 'SELECT 1')$$, '25001', NULL, 'never');
SELECT throws_ok($$SELECT corm.do_tx(corm.tx(isolation => 'serializable'), 'SELECT 1')$$, '25001', NULL, 'another isolation level');
SELECT throws_ok($$SELECT corm.do_tx(corm.tx('nested', read_only => true), 'DELETE FROM mails')$$, '25006', NULL, 'read only');
SELECT throws_ok($$SELECT corm.do_tx('COMMIT')$$, '2D000', NULL, 'no transaction commands');

-- a dry run
SELECT is(corm.do_tx(corm.tx('nested'), 'DELETE FROM orders; SELECT corm.set_rollback_only()'), NULL, 'set_rollback_only is silent');
SELECT is(count(*), 2::bigint, 'and undoes the scope') FROM orders;
SELECT is(corm.tx_depth(), 0, 'no scope is open');

SELECT * FROM finish();
ROLLBACK;
