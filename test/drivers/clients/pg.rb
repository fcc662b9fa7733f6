# The common calls with Ruby's pg: see ../every_driver.py.
require 'json'
require 'pg'

$connection = PG.connect(dbname: ENV['PGDATABASE'])
$connection.type_map_for_queries = PG::BasicTypeMapForQueries.new($connection)

def value(sql, *values) = $connection.exec_params(sql, values).getvalue(0, 0)

def state(sql, *values)
  $connection.exec_params(sql, values)
  nil
rescue PG::Error => error
  error.result.error_field(PG::Result::PG_DIAG_SQLSTATE)
end

puts "find: #{value('SELECT name FROM corm.find(NULL::users, $1)', 3)}"
rows = $connection.exec_params("SELECT name FROM corm.get_multi(NULL::users, corm.where(corm.gte('age', $1), corm.in('plan', $2)),
  corm.order_by('-age'), corm.limit($3))", [18, %w[pro ent], 2])
puts "list: #{rows.map { |row| row['name'] }.join(',')}"
ada = JSON.parse(value("SELECT corm.get_json_text(corm.selector('users'), corm.select('name'), corm.where(corm.eq('id', $1)),
  corm.preload('orders', corm.select('id'), corm.order_by('id')))", 1))
puts "document: #{ada['name']} #{ada['orders'].length}"
puts "insert: #{JSON.parse(value("SELECT corm.insert_json('users', $1::jsonb)", JSON.generate(name: 'Ivo', age: 33)))['name']}"
puts "patch: #{JSON.parse(value("SELECT corm.update_json('users', $1::jsonb, $2::jsonb)",
                                JSON.generate(email: 'ada@example.com'), JSON.generate(age: 37)))['age']}"
puts "null: #{value("SELECT corm.count(corm.selector('users'), corm.where(corm.eq('age', $1)))", nil)}"
puts "time: #{value("SELECT corm.count(corm.selector('orders'), corm.where(corm.lt('placed_at', $1)))", '2026-02-02 00:00:00+00')}"
command = $connection.exec_params("CALL corm.run(corm.updater('users'), corm.set('plan', $1), corm.where(corm.eq('name', $2)))", %w[ent Ivo])
puts "command: #{command.cmd_tuples}"
puts "unit of work: #{JSON.parse(value("SELECT corm.do_tx($tx$ SELECT corm.exec(corm.updater('users'), corm.set('age', $1),
  corm.where(corm.eq('name', $2))) AS n $tx$, $1, $2)", 34, 'Ivo'))[0]['n']}"
puts "only a value: #{value("SELECT corm.count(corm.selector('users'), corm.where(corm.eq('name', $1)))", "' OR true --")}"
puts "no row: #{state('SELECT corm.find(NULL::users, $1)', 999)}"
puts "unknown field: #{state("SELECT corm.get_json(corm.selector('users'), corm.where(corm.eq($1, $2)))", 'nme', 'x')}"
