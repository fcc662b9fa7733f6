// The common calls with JDBC: see ../every_driver.py.
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.StringJoiner;

public class Jdbc {
    static Connection connection;

    static PreparedStatement prepare(String sql, Object... values) throws SQLException {
        PreparedStatement statement = connection.prepareStatement(sql);
        for (int i = 0; i < values.length; i++) {
            statement.setObject(i + 1, values[i] instanceof String[] ? connection.createArrayOf("text", (String[]) values[i]) : values[i]);
        }
        return statement;
    }

    static String value(String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = prepare(sql, values); ResultSet rows = statement.executeQuery()) {
            rows.next();
            return rows.getString(1);
        }
    }

    static String state(String sql, Object... values) {
        try {
            value(sql, values);
        } catch (SQLException error) {
            return error.getSQLState();
        }
        return null;
    }

    public static void main(String[] arguments) throws SQLException {
        connection = DriverManager.getConnection(arguments[0]);
        System.out.println("find: " + value("SELECT name FROM corm.find(NULL::users, ?)", 3));
        StringJoiner names = new StringJoiner(",");
        try (PreparedStatement statement = prepare("SELECT name FROM corm.get_multi(NULL::users, "
                + "corm.where(corm.gte('age', ?), corm.in('plan', ?)), corm.order_by('-age'), corm.limit(?))",
                18, new String[] {"pro", "ent"}, 2); ResultSet rows = statement.executeQuery()) {
            while (rows.next()) {
                names.add(rows.getString(1));
            }
        }
        System.out.println("list: " + names);
        System.out.println("document: " + value("SELECT d ->> 'name' || ' ' || json_array_length(d -> 'orders') "
                + "FROM corm.get_json_text(corm.selector('users'), corm.select('name'), corm.where(corm.eq('id', ?)), "
                + "corm.preload('orders', corm.select('id'), corm.order_by('id'))) AS d", 1));
        System.out.println("insert: " + value("SELECT corm.insert_json('users', ?::jsonb) ->> 'name'", "{\"name\": \"Ivo\", \"age\": 33}"));
        System.out.println("patch: " + value("SELECT corm.update_json('users', ?::jsonb, ?::jsonb) ->> 'age'",
                "{\"email\": \"ada@example.com\"}", "{\"age\": 37}"));
        System.out.println("null: " + value("SELECT corm.count(corm.selector('users'), corm.where(corm.eq('age', ?::int)))", new Object[] {null}));
        System.out.println("time: " + value("SELECT corm.count(corm.selector('orders'), corm.where(corm.lt('placed_at', ?::timestamptz)))",
                OffsetDateTime.parse("2026-02-02T00:00:00Z")));
        try (PreparedStatement statement = prepare("CALL corm.run(corm.updater('users'), corm.set('plan', ?), corm.where(corm.eq('name', ?)))",
                "ent", "Ivo")) {
            System.out.println("command: " + statement.executeUpdate());
        }
        System.out.println("unit of work: " + value("SELECT corm.do_tx($tx$ SELECT corm.exec(corm.updater('users'), corm.set('age', $1), "
                + "corm.where(corm.eq('name', $2))) AS n $tx$, ?, ?) -> 0 ->> 'n'", 34, "Ivo"));
        System.out.println("only a value: " + value("SELECT corm.count(corm.selector('users'), corm.where(corm.eq('name', ?)))", "' OR true --"));
        System.out.println("no row: " + state("SELECT corm.find(NULL::users, ?)", 999));
        System.out.println("unknown field: " + state("SELECT corm.get_json(corm.selector('users'), corm.where(corm.eq(?, ?)))", "nme", "x"));
    }
}
