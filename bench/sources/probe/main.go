// The health check in Go, as short as it can be: the port is an option, everything else stands here.
package main

import (
	"flag"
	"net/http"
	"os"
)

func main() {
	port := flag.String("port", "80", "port on localhost to check")
	flag.Parse()
	response, err := http.Get("http://127.0.0.1:" + *port + "/health")
	if err != nil || response.StatusCode != 200 {
		os.Exit(1)
	}
}
