// A pool of database/sql under workers: pool DRIVER DSN WORKERS REPLICA-PORT QUESTION
//
// The question is answered by the server's port and the session's number. Each piece of work is printed as a line of
// JSON, as experiments/event.py has it.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"math/rand"
	"os"
	"strconv"
	"sync"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v4/stdlib"
	_ "github.com/lib/pq"
)

type event struct {
	Kind    string  `json:"kind"`
	Session int     `json:"session"`
	Started float64 `json:"started"`
	Ended   float64 `json:"ended"`
	Who     *string `json:"who"`
	Error   *string `json:"error"`
	Told    bool    `json:"told"`
}

type place struct{ port, session int }

type asking interface {
	QueryRow(query string, args ...interface{}) *sql.Row
}

var (
	db       *sql.DB
	replica  int
	question string
	output   sync.Mutex
)

func main() {
	workers := number(os.Args[3])
	replica, question = number(os.Args[4]), os.Args[5]
	var err error
	if db, err = sql.Open(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
	db.SetMaxOpenConns(workers)
	db.SetMaxIdleConns(workers)
	openAll(workers)
	for worker := 0; worker < workers; worker++ {
		go work(worker)
	}
	select {}
}

// openAll fills the pool.
func openAll(count int) {
	for range make([]int, count) {
		tx, err := begin()
		if err != nil {
			log.Fatal(err)
		}
		defer tx.Rollback()
	}
}

// begin: by default lib/pq asks for a transaction that writes, which a replica refuses.
func begin() (*sql.Tx, error) {
	return db.BeginTx(context.Background(), &sql.TxOptions{ReadOnly: true})
}

func work(worker int) {
	chance := rand.New(rand.NewSource(int64(worker)))
	between := func(low, high float64) time.Duration {
		return time.Duration((low + chance.Float64()*(high-low)) * float64(time.Second))
	}
	time.Sleep(between(0, 1.4))
	next := time.Now()
	for {
		if chance.Float64() < 0.2 {
			transaction(worker, between(0.05, 0.3))
		} else {
			began := now()
			found, err := ask(db)
			report("held", worker, began, found, err)
		}
		if time.Now().After(next) {
			time.Sleep(between(1.0, 1.4))
			next = time.Now().Add(time.Duration(chance.ExpFloat64() * 5 * float64(time.Second)))
		} else {
			time.Sleep(50 * time.Millisecond)
		}
	}
}

// transaction checks itself: both reads must have the same answer.
func transaction(worker int, wait time.Duration) {
	began := now()
	tx, err := begin()
	if err != nil {
		report("closed", worker, began, place{}, err)
		return
	}
	began = now()
	first, err := ask(tx)
	if err == nil {
		time.Sleep(wait)
		var second place
		if second, err = ask(tx); err == nil && first != second {
			err = errors.New("SelfCheckError: one transaction was at " + fmt.Sprint(first, " and at ", second))
		}
	}
	if err != nil {
		tx.Rollback()
	} else {
		err = tx.Commit()
	}
	report("transaction", worker, began, first, err)
}

func ask(on asking) (found place, err error) {
	err = on.QueryRow(question).Scan(&found.port, &found.session)
	return
}

func report(kind string, worker int, began float64, found place, err error) {
	done := event{Kind: kind, Session: worker, Started: began, Ended: now()}
	if err != nil {
		text := err.Error()
		done.Error = &text
	} else {
		who := "primary"
		if found.port == replica {
			who = "replica"
		}
		done.Who = &who
	}
	line, _ := json.Marshal(done)
	output.Lock()
	defer output.Unlock()
	os.Stdout.Write(append(line, '\n'))
}

func now() float64 { return float64(time.Now().UnixNano()) / 1e9 }

func number(text string) int {
	found, err := strconv.Atoi(text)
	if err != nil {
		log.Fatal(err)
	}
	return found
}
