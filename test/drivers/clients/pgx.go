// The common calls with pgx: see ../every_driver.py.
//
// pgx asks the server for the types of parameters, and converts to these: where corm chose the text form, say the type.
package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgconn"
	"github.com/jackc/pgx/v4"
)

var connection *pgx.Conn
var background = context.Background()

func value(query string, values ...interface{}) string {
	var result interface{}
	if err := connection.QueryRow(background, query, values...).Scan(&result); err != nil {
		panic(err)
	}
	return fmt.Sprint(result)
}

func state(query string, values ...interface{}) string {
	var result interface{}
	err := connection.QueryRow(background, query, values...).Scan(&result)
	var pgError *pgconn.PgError
	if errors.As(err, &pgError) {
		return pgError.Code
	}
	return fmt.Sprint(err)
}

func main() {
	var err error
	if connection, err = pgx.Connect(background, "sslmode=disable"); err != nil {
		panic(err)
	}
	fmt.Println("find:", value("SELECT name FROM corm.find(NULL::users, $1::int)", 3))
	rows, err := connection.Query(background, "SELECT name FROM corm.get_multi(NULL::users, corm.where(corm.gte('age', $1::int), "+
		"corm.in('plan', $2::text[])), corm.order_by('-age'), corm.limit($3))", 18, []string{"pro", "ent"}, 2)
	if err != nil {
		panic(err)
	}
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			panic(err)
		}
		names = append(names, name)
	}
	fmt.Println("list:", strings.Join(names, ","))
	var ada struct {
		Name   string
		Orders []struct{ ID int }
	}
	if err := connection.QueryRow(background, "SELECT corm.get_json_text(corm.selector('users'), corm.select('name'), "+
		"corm.where(corm.eq('id', $1::int)), corm.preload('orders', corm.select('id'), corm.order_by('id')))", 1).Scan(&ada); err != nil {
		panic(err)
	}
	fmt.Println("document:", ada.Name, len(ada.Orders))
	fmt.Println("insert:", value("SELECT corm.insert_json('users', $1::jsonb) ->> 'name'", map[string]interface{}{"name": "Ivo", "age": 33}))
	fmt.Println("patch:", value("SELECT corm.update_json('users', $1::jsonb, $2::jsonb) ->> 'age'",
		map[string]string{"email": "ada@example.com"}, map[string]int{"age": 37}))
	fmt.Println("null:", value("SELECT corm.count(corm.selector('users'), corm.where(corm.eq('age', $1::int)))", nil))
	fmt.Println("time:", value("SELECT corm.count(corm.selector('orders'), corm.where(corm.lt('placed_at', $1::timestamptz)))",
		time.Date(2026, 2, 2, 0, 0, 0, 0, time.UTC)))
	tag, err := connection.Exec(background, "CALL corm.run(corm.updater('users'), corm.set('plan', $1::text), corm.where(corm.eq('name', $2::text)))", "ent", "Ivo")
	if err != nil {
		panic(err)
	}
	fmt.Println("command:", tag.RowsAffected())
	fmt.Println("unit of work:", value("SELECT corm.do_tx($tx$ SELECT corm.exec(corm.updater('users'), corm.set('age', $1), "+
		"corm.where(corm.eq('name', $2))) AS n $tx$, $1::int, $2::text) -> 0 ->> 'n'", 34, "Ivo"))
	fmt.Println("only a value:", value("SELECT corm.count(corm.selector('users'), corm.where(corm.eq('name', $1::text)))", "' OR true --"))
	fmt.Println("no row:", state("SELECT corm.find(NULL::users, $1::int)", 999))
	fmt.Println("unknown field:", state("SELECT corm.get_json(corm.selector('users'), corm.where(corm.eq($1, $2::text)))", "nme", "x"))
}
