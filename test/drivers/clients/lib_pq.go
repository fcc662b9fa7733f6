// The common calls with lib/pq: see ../every_driver.py.
package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/lib/pq"
)

var db *sql.DB

func value(query string, values ...interface{}) (result string) {
	if err := db.QueryRow(query, values...).Scan(&result); err != nil {
		panic(err)
	}
	return
}

func state(query string, values ...interface{}) string {
	var result sql.NullString
	err := db.QueryRow(query, values...).Scan(&result)
	if pqError, ok := err.(*pq.Error); ok {
		return string(pqError.Code)
	}
	return fmt.Sprint(err)
}

func main() {
	var err error
	if db, err = sql.Open("postgres", "sslmode=disable"); err != nil {
		panic(err)
	}
	fmt.Println("find:", value("SELECT name FROM corm.find(NULL::users, $1)", 3))
	rows, err := db.Query("SELECT name FROM corm.get_multi(NULL::users, corm.where(corm.gte('age', $1), corm.in('plan', $2::text[])), "+
		"corm.order_by('-age'), corm.limit($3))", 18, pq.Array([]string{"pro", "ent"}), 2)
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
	document := value("SELECT corm.get_json_text(corm.selector('users'), corm.select('name'), corm.where(corm.eq('id', $1)), "+
		"corm.preload('orders', corm.select('id'), corm.order_by('id')))", 1)
	if err := json.Unmarshal([]byte(document), &ada); err != nil {
		panic(err)
	}
	fmt.Println("document:", ada.Name, len(ada.Orders))
	fmt.Println("insert:", value("SELECT corm.insert_json('users', $1::jsonb) ->> 'name'", `{"name": "Ivo", "age": 33}`))
	fmt.Println("patch:", value("SELECT corm.update_json('users', $1::jsonb, $2::jsonb) ->> 'age'", `{"email": "ada@example.com"}`, `{"age": 37}`))
	fmt.Println("null:", value("SELECT corm.count(corm.selector('users'), corm.where(corm.eq('age', $1)))", nil))
	fmt.Println("time:", value("SELECT corm.count(corm.selector('orders'), corm.where(corm.lt('placed_at', $1)))", time.Date(2026, 2, 2, 0, 0, 0, 0, time.UTC)))
	result, err := db.Exec("CALL corm.run(corm.updater('users'), corm.set('plan', $1), corm.where(corm.eq('name', $2)))", "ent", "Ivo")
	if err != nil {
		panic(err)
	}
	n, _ := result.RowsAffected()
	fmt.Println("command:", n)
	fmt.Println("unit of work:", value("SELECT corm.do_tx($tx$ SELECT corm.exec(corm.updater('users'), corm.set('age', $1), "+
		"corm.where(corm.eq('name', $2))) AS n $tx$, $1, $2) -> 0 ->> 'n'", 34, "Ivo"))
	fmt.Println("only a value:", value("SELECT corm.count(corm.selector('users'), corm.where(corm.eq('name', $1)))", "' OR true --"))
	fmt.Println("no row:", state("SELECT corm.find(NULL::users, $1)", 999))
	fmt.Println("unknown field:", state("SELECT corm.get_json(corm.selector('users'), corm.where(corm.eq($1, $2)))", "nme", "x"))
}
