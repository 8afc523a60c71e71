module github.com/contrace/contrace/go/flight

go 1.22
