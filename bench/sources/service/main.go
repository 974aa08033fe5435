// The account service as a Go programmer would write it: gorilla/mux over a bbolt store, the same 100 accounts, the
// same answers. PORT and STORE are its arguments.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/gorilla/mux"
	"go.etcd.io/bbolt"
)

type account struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	ServedBy string `json:"servedBy,omitempty"`
}

var bucket = []byte("accounts")

func seed(store *bbolt.DB) error {
	return store.Update(func(transaction *bbolt.Tx) error {
		accounts, err := transaction.CreateBucketIfNotExists(bucket)
		if err != nil {
			return err
		}
		for number := 0; number < 100; number++ {
			key := fmt.Sprint(10000 + number)
			record, err := json.Marshal(account{ID: key, Name: fmt.Sprintf("Person_%d", number)})
			if err != nil {
				return err
			}
			if err := accounts.Put([]byte(key), record); err != nil {
				return err
			}
		}
		return nil
	})
}

func find(store *bbolt.DB, key string) (found account, err error) {
	err = store.View(func(transaction *bbolt.Tx) error {
		record := transaction.Bucket(bucket).Get([]byte(key))
		if record == nil {
			return fmt.Errorf("no account %s", key)
		}
		return json.Unmarshal(record, &found)
	})
	return found, err
}

func ownAddress() string {
	addresses, _ := net.InterfaceAddrs()
	for _, address := range addresses {
		if network, ok := address.(*net.IPNet); ok && !network.IP.IsLoopback() && network.IP.To4() != nil {
			return network.IP.String()
		}
	}
	return "unknown"
}

func answer(writer http.ResponseWriter, body []byte) {
	writer.Header().Set("Content-Type", "application/json")
	writer.Header().Set("Content-Length", fmt.Sprint(len(body)))
	writer.Write(body)
}

func main() {
	store, err := bbolt.Open(os.Args[2], 0600, nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := seed(store); err != nil {
		log.Fatal(err)
	}
	servedBy := ownAddress()

	router := mux.NewRouter()
	router.HandleFunc("/accounts/{id}", func(writer http.ResponseWriter, request *http.Request) {
		found, err := find(store, mux.Vars(request)["id"])
		if err != nil {
			writer.WriteHeader(http.StatusNotFound)
			return
		}
		found.ServedBy = servedBy
		body, _ := json.Marshal(found)
		answer(writer, body)
	}).Methods("GET")
	router.HandleFunc("/health", func(writer http.ResponseWriter, request *http.Request) {
		answer(writer, []byte(`{"status":"UP"}`))
	}).Methods("GET")
	log.Fatal(http.ListenAndServe(":"+os.Args[1], router))
}
