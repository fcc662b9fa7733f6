<?php
// The common calls with PHP's PDO: see ../every_driver.py.  PDO has no arrays: give them as text.
$connection = new PDO('pgsql:');
$connection->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);

function run($sql, ...$values)
{
    global $connection;
    $statement = $connection->prepare($sql);
    $statement->execute($values);
    return $statement;
}

function value($sql, ...$values)
{
    return run($sql, ...$values)->fetchColumn();
}

function state($sql, ...$values)
{
    try {
        run($sql, ...$values);
    } catch (PDOException $error) {
        return $error->errorInfo[0];
    }
}

echo 'find: ', value('SELECT name FROM corm.find(NULL::users, ?)', 3), "\n";
$rows = run("SELECT name FROM corm.get_multi(NULL::users, corm.where(corm.gte('age', ?), corm.in('plan', ?::text[])),
    corm.order_by('-age'), corm.limit(?))", 18, '{pro,ent}', 2);
echo 'list: ', implode(',', $rows->fetchAll(PDO::FETCH_COLUMN)), "\n";
$ada = json_decode(value("SELECT corm.get_json_text(corm.selector('users'), corm.select('name'), corm.where(corm.eq('id', ?)),
    corm.preload('orders', corm.select('id'), corm.order_by('id')))", 1));
echo 'document: ', $ada->name, ' ', count($ada->orders), "\n";
echo 'insert: ', json_decode(value("SELECT corm.insert_json('users', ?::jsonb)", json_encode(['name' => 'Ivo', 'age' => 33])))->name, "\n";
echo 'patch: ', json_decode(value("SELECT corm.update_json('users', ?::jsonb, ?::jsonb)",
    json_encode(['email' => 'ada@example.com']), json_encode(['age' => 37])))->age, "\n";
echo 'null: ', value("SELECT corm.count(corm.selector('users'), corm.where(corm.eq('age', ?)))", null), "\n";
echo 'time: ', value("SELECT corm.count(corm.selector('orders'), corm.where(corm.lt('placed_at', ?)))", '2026-02-02 00:00:00+00'), "\n";
echo 'command: ', run("CALL corm.run(corm.updater('users'), corm.set('plan', ?), corm.where(corm.eq('name', ?)))", 'ent', 'Ivo')->rowCount(), "\n";
echo 'unit of work: ', json_decode(value("SELECT corm.do_tx('SELECT corm.exec(corm.updater(''users''), corm.set(''age'', $1),
    corm.where(corm.eq(''name'', $2))) AS n', ?, ?)", 34, 'Ivo'))[0]->n, "\n";
echo 'only a value: ', value("SELECT corm.count(corm.selector('users'), corm.where(corm.eq('name', ?)))", "' OR true --"), "\n";
echo 'no row: ', state('SELECT corm.find(NULL::users, ?)', 999), "\n";
echo 'unknown field: ', state("SELECT corm.get_json(corm.selector('users'), corm.where(corm.eq(?, ?)))", 'nme', 'x'), "\n";
