// The common calls with libpqxx: see ../every_driver.py.
#include <iostream>
#include <pqxx/pqxx>

template <typename... Values>
static std::string value(pqxx::connection &connection, const char *sql, Values... values)
{
	pqxx::nontransaction work(connection);
	return work.exec_params1(sql, values...)[0].c_str();
}

template <typename... Values>
static std::string state(pqxx::connection &connection, const char *sql, Values... values)
{
	try
	{
		value(connection, sql, values...);
	}
	catch (const pqxx::sql_error &error)
	{
		return std::string(error.sqlstate());	// a string_view since libpqxx 8
	}
	return "";
}

int main()
{
	pqxx::connection connection("");

	std::cout << "find: " << value(connection, "SELECT name FROM corm.find(NULL::users, $1)", 3) << "\n";
	std::cout << "list: ";
	{
		pqxx::nontransaction work(connection);
		const char *separator = "";
		for (const auto &row : work.exec_params(
				"SELECT name FROM corm.get_multi(NULL::users, corm.where(corm.gte('age', $1), corm.in('plan', $2::text[])), "
				"corm.order_by('-age'), corm.limit($3))", 18, "{pro,ent}", 2))
		{
			std::cout << separator << row[0].c_str();
			separator = ",";
		}
	}
	std::cout << "\n";
	std::cout << "document: " << value(connection, "SELECT d ->> 'name' || ' ' || json_array_length(d -> 'orders') "
			"FROM corm.get_json_text(corm.selector('users'), corm.select('name'), corm.where(corm.eq('id', $1)), "
			"corm.preload('orders', corm.select('id'), corm.order_by('id'))) AS d", 1) << "\n";
	std::cout << "insert: " << value(connection, "SELECT corm.insert_json('users', $1::jsonb) ->> 'name'", R"({"name": "Ivo", "age": 33})") << "\n";
	std::cout << "patch: " << value(connection, "SELECT corm.update_json('users', $1::jsonb, $2::jsonb) ->> 'age'",
			R"({"email": "ada@example.com"})", R"({"age": 37})") << "\n";
	std::cout << "null: " << value(connection, "SELECT corm.count(corm.selector('users'), corm.where(corm.eq('age', $1)))",
			static_cast<const char *>(nullptr)) << "\n";
	std::cout << "time: " << value(connection, "SELECT corm.count(corm.selector('orders'), corm.where(corm.lt('placed_at', $1)))",
			"2026-02-02 00:00:00+00") << "\n";
	{
		pqxx::nontransaction work(connection);
		std::cout << "command: " << work.exec_params(
				"CALL corm.run(corm.updater('users'), corm.set('plan', $1), corm.where(corm.eq('name', $2)))", "ent", "Ivo").affected_rows() << "\n";
	}
	std::cout << "unit of work: " << value(connection, "SELECT corm.do_tx($tx$ SELECT corm.exec(corm.updater('users'), corm.set('age', $1), "
			"corm.where(corm.eq('name', $2))) AS n $tx$, $1, $2) -> 0 ->> 'n'", 34, "Ivo") << "\n";
	std::cout << "only a value: " << value(connection, "SELECT corm.count(corm.selector('users'), corm.where(corm.eq('name', $1)))", "' OR true --") << "\n";
	std::cout << "no row: " << state(connection, "SELECT corm.find(NULL::users, $1)", 999) << "\n";
	std::cout << "unknown field: " << state(connection, "SELECT corm.get_json(corm.selector('users'), corm.where(corm.eq($1, $2)))", "nme", "x") << "\n";
}
