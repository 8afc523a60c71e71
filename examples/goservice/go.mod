module example.com/contrace/goservice

go 1.22
